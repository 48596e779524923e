"""A training job a cell: it follows all members that the cell still needs, as one stack.

Its output only names the records in results/store that it used; Snakemake deletes outputs before a rerun and after
a failure, and must never be able to delete a record.
"""


rule train:
    output:
        "<results>/runs/{cell}.json",
    log:
        "<results>/logs/train/{cell}.log",
    benchmark:
        "<results>/benchmarks/{cell}.tsv"
    conda:
        "../../envs/regrok.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        gpu=int(DEVICE == "cuda"),
    params:
        job=lambda wildcards: job(wildcards.cell).dump(),
        code=lambda wildcards: stock.code(job(wildcards.cell)),
    message:
        "Train {wildcards.cell}."
    script:
        "../scripts/train.py"
