"""A training job a cell: it follows all members that the cell still needs, as one stack.

Its output only names the records in results/store that it used; Snakemake deletes outputs before a rerun and after
a failure, and must never be able to delete a record.

On a cluster short cells share a job, in which they take turns; here groups and the time limit mean nothing. A job that
is ended by its limit goes on from its checkpoints at the next attempt. No limit is longer than `longest`, minutes in the
profile's default-resources.
"""


resource_scopes:
    turn="local",


rule train:
    output:
        "<results>/runs/{cell}.json",
    log:
        "<results>/logs/train/{cell}.log",
    benchmark:
        "<results>/benchmarks/{cell}.tsv"
    group:
        lambda wildcards: GROUPS.get(wildcards.cell)
    conda:
        "../../envs/regrok.yaml"
    threads: 1
    resources:
        turn=1,
        mem_mb=lambda wildcards, attempt: cost.cluster_memory(job(wildcards.cell), attempt),
        runtime=lambda wildcards, attempt: cost.limit(wildcards.cell, SECONDS, GROUPS, attempt, LONGEST),
        gpu=int(DEVICE == "cuda"),
    params:
        job=lambda wildcards: job(wildcards.cell).dump(),
        code=lambda wildcards: stock.code(job(wildcards.cell)),
    message:
        "Train {wildcards.cell}."
    script:
        "../scripts/train.py"
