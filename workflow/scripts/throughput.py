"""Time the cells of a scale that are to be compared by speed."""

import os
import sys
from types import SimpleNamespace

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
sys.modules["torch._dynamo"] = SimpleNamespace(disable=lambda function, *_, **__: function, graph_break=lambda: None)

from regrok.analysis import records, tables
from regrok.cell import Cell
from regrok.progress import logged


def main(cells: list[dict], target: str) -> None:
    from regrok.training.throughput import measure

    rows = measure([Cell.model_validate(cell) for cell in cells])
    tables.write(records.frame("throughput", rows), target, records.COLUMNS["throughput"], "Base table throughput")


with logged(snakemake.log[0]):
    main(snakemake.params.cells, snakemake.output[0])
