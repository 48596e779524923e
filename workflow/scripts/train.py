"""Train what a cell still needs and name its records. A cell that needs nothing does not import torch."""

import signal
import sys
import time
from pathlib import Path

from regrok.process import no_compiler, one_thread

one_thread()
no_compiler()

from regrok import stock
from regrok.experiment import Job
from regrok.progress import forget, logged, noted, reporter
from regrok.store import Busy, Store, write_json

WAIT_SECONDS = 1.0  # between looks at a cell that another process trains


def complete(job: Job, store: Store) -> bool:
    return all(need.complete for need in stock.take([job], store))


def wait(job: Job, store: Store) -> None:
    """Wait as long as another process trains the cell: it is about to do this job's work, or a part of it."""
    said = False
    while not complete(job, store):
        try:
            with store.lease(job.cell):
                return forget(store.root, job.cell.id)
        except Busy as other:
            if not said:
                print(f"Waiting, as {str(other).partition(';')[0]}.")
            said = True
        time.sleep(WAIT_SECONDS)


def follow(job: Job, store: Store, code: dict[str, str], device: str) -> None:
    """Train the cell to the end, whoever else is at it."""
    import torch

    from regrok.training.train import Interrupted, train

    torch.set_num_threads(1)
    if device == "cuda" and not torch.cuda.is_available():
        sys.exit("This job is to run on a GPU, and PyTorch sees none; leave out DEVICE=cuda.")
    with reporter(store.root, job) as report:
        while not complete(job, store):
            try:
                train(job, store, code, report, device)
            except Interrupted as end:
                sys.exit(end.exit_code)
            except Busy:
                wait(job, store)


def main(job: Job, store: Store, code: dict[str, str], device: str, manifest: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    if stock.code(job) != code:
        sys.exit("The training code has been edited since this run was planned; say `make reproduce` again.")
    wait(job, store)
    if not complete(job, store):
        follow(job, store, code, device)
    records = [need.record for need in stock.take([job], store)]
    members = [
        {
            "seed": record.seed,
            "record": str(record.path.relative_to(store.root)),
            "last_step": record.step,
            "checkpoint_sha256": record.header["checkpoint_sha256"],
        }
        for record in records
    ]
    write_json(manifest, {"cell": job.cell.id, "members": members})


job, store = Job.load(snakemake.params.job), Store()
with noted(store.root, job.cell.id, snakemake.log[0]), logged(snakemake.log[0]):
    main(
        job,
        store,
        snakemake.params.code,
        "cuda" if snakemake.resources.gpu else "cpu",
        Path(snakemake.output[0]),
    )
