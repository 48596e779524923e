"""Tables -> figures. A figure is a file in regrok/figures that declares the tables it draws; its rule is `figure`."""

FIGURE_TITLES = declared("figures", "TITLE")
FIGURE_REPORTS = declared("figures", "REPORTS")
FILM = "<figures>/film.gif"


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


rule film:
    input:
        tables=collect("<results>/tables/{table}.parquet", table=sources.declared("regrok.figures.film", "FILM_INPUTS")),
        records="<results>/records.json",
    output:
        report(
            FILM,
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "Embeddings through training, a film", "shows": "002-A1"},
        ),
        "<figures>/film.manifest.json",
    log:
        "<results>/logs/figures/film.log",
    localrule: True
    conda:
        "../../envs/regrok.yaml"
    params:
        manifest=MANIFEST_FORMAT,
        code=sources.digest("regrok.figures.film"),
        text="The embeddings through training, on the first two principal components of its end.",
    message:
        "Draw the film of the embeddings."
    script:
        "../scripts/film.py"
