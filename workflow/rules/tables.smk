"""Records -> base tables -> derived tables -> numbers and claims.

A derived table is a file in regrok/analysis that declares the tables it reads; its rule is `table`.
"""


rule base_tables:
    input:
        config="config.yaml",
        runs=RUNS,
    output:
        collect("<results>/tables/{table}.parquet", table=BASE_TABLES),
        collect("<results>/tables/{table}.manifest.json", table=BASE_TABLES),
        "<results>/records.manifest.json",
        records="<results>/records.json",
    log:
        "<results>/logs/base_tables.log",
    localrule: True
    conda:
        "../../envs/regrok.yaml"
    params:
        manifest=MANIFEST_FORMAT,
        scale=SCALE,
        reports=REPORTS,
        records=lambda wildcards: stock.fingerprint(stock.take(JOBS.values(), Store())),  # asked again after training
        code=sources.digest(*provenance.CODE["records"]),
    message:
        "Gather the records of all runs."
    script:
        "../scripts/base_tables.py"


rule throughput:
    output:
        "<results>/tables/throughput.parquet",
        "<results>/tables/throughput.manifest.json",
    log:
        "<results>/logs/throughput.log",
    conda:
        "../../envs/regrok.yaml"
    threads: lambda wildcards: workflow.cores if workflow.local_exec else 1  # nothing may run beside it
    params:
        manifest=MANIFEST_FORMAT,
        cells=[cell.model_dump() for cell in TIMED],
        code=sources.digest(
            "regrok.training.throughput", *(f"regrok.models.{cell.model.architecture}" for cell in TIMED)
        ),
    message:
        "Time the cells that are compared by speed."
    script:
        "../scripts/throughput.py"


rule table:
    input:
        tables=lambda wildcards: collect("<results>/tables/{table}.parquet", table=TABLE_INPUTS[wildcards.table]),
        records="<results>/records.json",
    output:
        report(
            "<results>/tables/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        "<results>/tables/{table}.manifest.json",
        tex="<results>/tables/{table}.tex",
        parquet="<results>/tables/{table}.parquet",
    log:
        "<results>/logs/tables/{table}.log",
    localrule: True
    conda:
        "../../envs/regrok.yaml"
    params:
        manifest=MANIFEST_FORMAT,
        code=digest("analysis", provenance.TABLE_CODE),
        text=lambda wildcards: sources.docstring(f"regrok.analysis.{wildcards.table}"),
    message:
        "Build the table {wildcards.table}."
    script:
        "../scripts/table.py"


rule numbers:
    input:
        tables=TABLES,
        claims="claims.yaml",
        records="<results>/records.json",
    output:
        "<results>/numbers.manifest.json",
        "<results>/claims.manifest.json",
        numbers="<results>/numbers.json",
        claims="<results>/claims.json",
    log:
        "<results>/logs/numbers.log",
    localrule: True
    conda:
        "../../envs/regrok.yaml"
    params:
        manifest=MANIFEST_FORMAT,
        scale=SCALE,
        reports=REPORTS,
        code=sources.digest(*provenance.CODE["numbers"]),
    message:
        "Judge the claims and compute the numbers that the paper cites."
    script:
        "../scripts/numbers.py"
