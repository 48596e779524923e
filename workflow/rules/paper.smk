"""Numbers, claims, tables and figures -> the paper."""

PAPER = "<paper>/regrok.pdf"


rule paper:
    input:
        text=Path("paper").glob("*.typ"),
        sections=Path("paper/sections").rglob("*.typ"),
        references="paper/references.bib",
        numbers="<results>/numbers.json",
        claims="<results>/claims.json",
        records="<results>/records.json",
        tables=TABLES,
        figures=FIGURES,
    output:
        report(PAPER, caption="../report/paper.rst", category="Paper", labels={"paper": SCALE}),
        "<paper>/regrok.manifest.json",
    log:
        "<results>/logs/paper.log",
    localrule: True
    conda:
        "../../envs/regrok.yaml"
    params:
        manifest=MANIFEST_FORMAT,
        scale=SCALE,
        code=sources.digest(*provenance.CODE["regrok"]),
    message:
        "Typeset the paper."
    script:
        "../scripts/paper.py"
