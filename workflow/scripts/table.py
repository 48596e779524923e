"""Build one derived table from the tables that it declares."""

from importlib import import_module

from regrok.analysis import tables
from regrok.progress import logged


def main(name: str, sources: list[str], target: str, title: str) -> None:
    module = import_module(f"regrok.analysis.{name}")
    tables.write(module.build(*map(tables.read, sources)), target, module.COLUMNS, title)


with logged(snakemake.log[0]):
    main(snakemake.wildcards.table, snakemake.input, snakemake.output.parquet, snakemake.params.text)
