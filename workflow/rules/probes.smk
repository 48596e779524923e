"""Records -> what probes measure on them, a job a probe and cell -> a table a probe.

A probe is a file in regrok/probes that declares COLUMNS; config.yaml says to which studies it is applied.
"""


rule probe:
    input:
        lambda wildcards: [path for path in RUNS if Path(path).stem == wildcards.cell],
    output:
        "<results>/probes/{probe}/{cell}.parquet.gz",
    log:
        "<results>/logs/probes/{probe}/{cell}.log",
    group:
        "probes"
    conda:
        "../../envs/regrok.yaml"
    threads: 1
    resources:
        turn=1,
        mem_mb=2_000,
        runtime=30,
    params:
        job=lambda wildcards: measured(wildcards).dump(),
        settings=lambda wildcards: probe_settings(wildcards.probe),
        records=lambda wildcards: stock.fingerprint(stock.take([measured(wildcards)], Store())),
        code=lambda wildcards: stock.code_of_probe(wildcards.probe, measured(wildcards)),
    message:
        "Measure {wildcards.probe} on {wildcards.cell}."
    script:
        "../scripts/probe.py"


rule probe_table:
    input:
        measured=lambda wildcards: collect(
            "<results>/probes/{probe}/{cell}.parquet.gz", probe=wildcards.probe, cell=PROBED[wildcards.probe]
        ),
        records="<results>/records.json",
    output:
        "<results>/tables/{probe}.manifest.json",
        parquet="<results>/tables/{probe}.parquet",
    log:
        "<results>/logs/tables/{probe}.log",
    localrule: True
    conda:
        "../../envs/regrok.yaml"
    params:
        manifest=MANIFEST_FORMAT,
        code=lambda wildcards: sources.digest(f"regrok.probes.{wildcards.probe}", provenance.TABLE_CODE),
        text=lambda wildcards: sources.docstring(f"regrok.probes.{wildcards.probe}"),
    message:
        "Gather what {wildcards.probe} has measured."
    script:
        "../scripts/probe_table.py"
