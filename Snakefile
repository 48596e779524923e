from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/common.smk"
include: "workflow/rules/targets.smk"


if TRAIN:

    include: "workflow/rules/train.smk"


include: "workflow/rules/probes.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"


rule all:
    default_target: True
    input:
        PAPER,
        TABLES,
        FIGURES,
        FILM,
        MANIFESTS,
        RUNS,


rule tables:
    input:
        TABLES,


rule figures:
    input:
        FIGURES,
        FILM,
