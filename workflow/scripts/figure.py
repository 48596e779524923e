"""Draw one figure from the tables that it declares."""

from importlib import import_module

from regrok import provenance
from regrok.analysis import tables
from regrok.figures import style
from regrok.progress import logged


def main(name: str, sources: list[str], ledger: str, code: str, target: str) -> None:
    module = import_module(f"regrok.figures.{name}")
    made = style.save(module.draw(*(tables.read(provenance.checked(path)) for path in sources)), target)
    provenance.write(made, sources, code, provenance.origins(module.__name__, sources, ledger), ledger)


with logged(snakemake.log[0]):
    main(
        snakemake.wildcards.figure,
        snakemake.input.tables,
        snakemake.input.records,
        snakemake.params.code,
        snakemake.output[0],
    )
