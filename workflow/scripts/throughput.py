"""Time the cells of a scale that are to be compared by speed.

A timing stays in the store, like a record: taken again it would be another.
"""

from regrok.process import no_compiler, one_thread

one_thread()
no_compiler()

from regrok import provenance
from regrok.analysis import records, tables
from regrok.cell import Cell
from regrok.progress import logged
from regrok.store import ROOT, digest, seal, timings_in, write_json


def main(cells: list[dict], code: str, target: str) -> None:
    path = ROOT / "throughput" / f"{digest([cells, code])}.json"
    if not path.exists():
        from regrok.training.throughput import measure

        path.parent.mkdir(parents=True, exist_ok=True)
        timings = {"rows": measure([Cell.model_validate(cell) for cell in cells])}
        write_json(path, {**timings, "seal": seal(timings)})
    rows = timings_in(path.read_bytes(), path)
    columns = records.COLUMNS["throughput"]
    made = tables.write(records.frame("throughput", rows), target, columns, "Base table throughput")
    provenance.write(made, [path], code)


with logged(snakemake.log[0]):
    main(snakemake.params.cells, snakemake.params.code, snakemake.output[0])
