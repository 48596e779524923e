"""Gather what a probe has measured on all cells into its table."""

from regrok import provenance
from regrok.analysis import probed, tables
from regrok.progress import logged


def main(probe: str, measured: list[str], ledger: str, code: str, target: str, title: str) -> None:
    columns = probed.columns(probe)
    frame = probed.table(probe, [probed.read(path) for path in measured])
    made = tables.write(frame, target, columns, title, ())
    names = [name for name, entry in provenance.listed(ledger).items() if entry["cell"] in set(frame["cell"])]
    provenance.write(made, measured, code, names, ledger)


with logged(snakemake.log[0]):
    main(
        snakemake.wildcards.probe,
        snakemake.input.measured,
        snakemake.input.records,
        snakemake.params.code,
        snakemake.output.parquet,
        snakemake.params.text,
    )
