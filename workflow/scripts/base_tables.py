"""Build the base tables from the records that the jobs of a scale need."""

from pathlib import Path

from regrok import stock
from regrok.analysis import records, tables
from regrok.config import load
from regrok.experiment import designs, jobs
from regrok.progress import logged
from regrok.store import Store


def main(config: str, scale: str, reports: list[str], planned: list[str], folder: Path) -> None:
    studies = load(config)
    needs = stock.take(jobs(studies, scale, reports), Store())
    if stock.fingerprint(needs) != planned:
        raise RuntimeError("records have changed since these tables were planned; say the same command again")
    at_hand = [(need.job, need.at_hand.verify()) for need in needs if need.at_hand]
    for name, frame in records.build(designs(studies, scale, reports), at_hand).items():
        twins = () if name == "histories" else (".csv", ".tex")
        tables.write(frame, folder / f"{name}.parquet", records.COLUMNS[name], f"Base table {name}", twins)


with logged(snakemake.log[0]):
    main(
        snakemake.input.config,
        snakemake.params.scale,
        snakemake.params.reports,
        snakemake.params.records,
        Path(snakemake.output[0]).parent,
    )
