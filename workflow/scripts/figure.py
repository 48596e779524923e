"""Draw one figure from the tables that it declares."""

from importlib import import_module

from regrok.analysis import tables
from regrok.figures import style
from regrok.progress import logged


def main(name: str, sources: list[str], target: str) -> None:
    module = import_module(f"regrok.figures.{name}")
    style.save(module.draw(*map(tables.read, sources)), target)


with logged(snakemake.log[0]):
    main(snakemake.wildcards.figure, snakemake.input, snakemake.output[0])
