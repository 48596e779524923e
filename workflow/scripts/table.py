"""Build one derived table from the tables that it declares."""

from importlib import import_module

from regrok import provenance
from regrok.analysis import tables
from regrok.progress import logged


def main(name: str, sources: list[str], ledger: str, code: str, target: str, title: str) -> None:
    module = import_module(f"regrok.analysis.{name}")
    frame = module.build(*(tables.read(provenance.checked(path)) for path in sources))
    made = tables.write(frame, target, module.COLUMNS, title)
    rows = {name for column in {"study", "cell", "reference"} & set(frame) for name in frame[column]}
    provenance.write(made, sources, code, provenance.origins(module.__name__, sources, ledger, rows), ledger)


with logged(snakemake.log[0]):
    main(
        snakemake.wildcards.table,
        snakemake.input.tables,
        snakemake.input.records,
        snakemake.params.code,
        snakemake.output.parquet,
        snakemake.params.text,
    )
