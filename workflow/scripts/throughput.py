"""Time the cells of a scale that are to be compared by speed.

A timing stays in the store, like a record: taken again it would be another.
"""

import json

from regrok.process import no_compiler, one_thread

one_thread()
no_compiler()

from regrok import provenance
from regrok.analysis import records, tables
from regrok.cell import Cell
from regrok.progress import logged
from regrok.store import ROOT, digest, write_json


def main(cells: list[dict], code: str, target: str) -> None:
    path = ROOT / "throughput" / f"{digest([cells, code])}.json"
    if not path.exists():
        from regrok.training.throughput import measure

        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, measure([Cell.model_validate(cell) for cell in cells]))
    rows = json.loads(path.read_text())
    columns = records.COLUMNS["throughput"]
    made = tables.write(records.frame("throughput", rows), target, columns, "Base table throughput")
    provenance.write(made, [path], code)


with logged(snakemake.log[0]):
    main(snakemake.params.cells, snakemake.params.code, snakemake.output[0])
