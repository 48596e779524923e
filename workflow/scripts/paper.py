"""Typeset the paper."""

from regrok.paper import build
from regrok.progress import logged

with logged(snakemake.log[0]):
    for warning in build("paper", ".", snakemake.params.scale, snakemake.output[0]):
        print(warning)
