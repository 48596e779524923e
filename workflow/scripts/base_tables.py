"""Build the base tables from the records that the jobs of a scale need."""

from pathlib import Path

from regrok import provenance, stock
from regrok.analysis import records, tables
from regrok.config import load
from regrok.experiment import Job, designs, jobs
from regrok.progress import logged
from regrok.store import Record, Store, write_json

FROM_CONFIG = ("cells", "designs")  # no record matters to them


def verified(needs: list[stock.Need]) -> list[tuple[Job, Record]]:
    """The records at hand, their histories in memory. Raises ValueError on all that are damaged."""
    found, damaged = [], {}
    for need in needs:
        try:
            if need.at_hand:
                found.append((need.job, Record.read(need.at_hand.path, ["history"])))
        except ValueError as error:
            damaged[need.at_hand.path] = str(error)
    if sentence := stock.damage_sentence(damaged):
        raise ValueError(sentence)
    return found


def main(
    config: str, scale: str, reports: list[str], planned: list[str], code: str, folder: Path, ledger: Path
) -> None:
    studies = load(config)
    needs = stock.take(jobs(studies, scale, reports), Store())
    if stock.fingerprint(needs) != planned:
        raise RuntimeError("records have changed since these tables were planned; say the same command again")
    at_hand = verified(needs)
    asked = designs(studies, scale, reports)
    write_json(ledger, provenance.ledger(asked, at_hand))
    provenance.write([ledger], [config], code, provenance.ALL, ledger)
    for name, frame in records.build(asked, at_hand).items():
        twins = () if name == "histories" else (".csv", ".tex")
        made = tables.write(frame, folder / f"{name}.parquet", records.COLUMNS[name], f"Base table {name}", twins)
        provenance.write(made, [config], code, () if name in FROM_CONFIG else provenance.ALL, ledger)


with logged(snakemake.log[0]):
    main(
        snakemake.input.config,
        snakemake.params.scale,
        snakemake.params.reports,
        snakemake.params.records,
        snakemake.params.code,
        Path(snakemake.output[0]).parent,
        Path(snakemake.output.records),
    )
