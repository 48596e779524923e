"""Apply a probe to the members of one cell."""

from importlib import import_module
from pathlib import Path
from typing import Any

from regrok.process import no_compiler, one_thread

one_thread()
no_compiler()

import pandas as pd

from regrok import stock
from regrok.analysis import probed
from regrok.experiment import Job
from regrok.probes.member import Member
from regrok.progress import logged
from regrok.store import Record, Store


def main(probe: str, job: Job, settings: dict[str, Any], planned: list[str], target: Path) -> None:
    module = import_module(f"regrok.probes.{probe}")
    needs = stock.take([job], Store())
    if stock.fingerprint(needs) != planned:
        raise RuntimeError("records have changed since this was planned; say the same command again")
    frames = [pd.DataFrame(columns=["cell", "seed", *module.COLUMNS])]
    for need in needs:
        if need.at_hand:
            frame = module.measure(Member(job, Record.read(need.at_hand.path)), **settings)
            frames.append(frame.assign(cell=job.cell.id, seed=need.seed)[["cell", "seed", *module.COLUMNS]])
    probed.write(pd.concat(frames[1:] or frames, ignore_index=True), target)


with logged(snakemake.log[0]):
    params = snakemake.params
    main(
        snakemake.wildcards.probe,
        Job.load(params.job),
        params.settings,
        params.records,
        Path(snakemake.output[0]),
    )
