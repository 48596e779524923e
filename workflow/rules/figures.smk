"""Tables -> figures. A figure is a file in regrok/figures that declares the tables it draws; its rule is `figure`."""

FIGURE_TITLES = declared("figures", "TITLE")
FIGURE_REPORTS = declared("figures", "REPORTS")


rule figure:
    input:
        tables=lambda wildcards: collect("<results>/tables/{table}.parquet", table=FIGURE_INPUTS[wildcards.figure]),
        records="<results>/records.json",
    output:
        report(
            "<figures>/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels=lambda wildcards: {
                "figure": FIGURE_TITLES[wildcards.figure],
                "shows": FIGURE_REPORTS[wildcards.figure],
            },
        ),
        "<figures>/{figure}.manifest.json",
        pdf="<figures>/{figure}.pdf",
    log:
        "<results>/logs/figures/{figure}.log",
    localrule: True
    conda:
        "../../envs/regrok.yaml"
    params:
        manifest=MANIFEST_FORMAT,
        code=digest("figures"),
        text=lambda wildcards: sources.declared(f"regrok.figures.{wildcards.figure}", "ALT"),
    message:
        "Draw the figure {wildcards.figure}."
    script:
        "../scripts/figure.py"
