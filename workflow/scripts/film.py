"""Write the film from the tables that it declares."""

from regrok import provenance
from regrok.analysis import tables
from regrok.figures import film
from regrok.progress import logged


def main(sources: list[str], ledger: str, code: str, target: str) -> None:
    made = film.write(target, *(tables.read(provenance.checked(path)) for path in sources))
    provenance.write(made, sources, code, provenance.origins("regrok.figures.circle", sources, ledger), ledger)


with logged(snakemake.log[0]):
    main(snakemake.input.tables, snakemake.input.records, snakemake.params.code, snakemake.output[0])
