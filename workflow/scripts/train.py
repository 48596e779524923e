"""Train what a cell still needs and name its records. A cell that needs nothing does not import torch."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
# torch.optim imports the compiler, which takes longer than a toy run, only to keep out of its way: nothing is compiled.
sys.modules["torch._dynamo"] = SimpleNamespace(disable=lambda function, *_, **__: function, graph_break=lambda: None)

from regrok import stock
from regrok.experiment import Job
from regrok.progress import logged, reporter
from regrok.store import Busy, Store, write_json


def main(job: Job, store: Store, code: dict[str, str], device: str, manifest: Path) -> None:
    if stock.code(job) != code:
        sys.exit("The training code has been edited since this run was planned; say `make reproduce` again.")
    if not all(need.complete for need in stock.take([job], store)):
        import torch

        from regrok.training.train import Interrupted, train

        torch.set_num_threads(1)
        if device == "cuda" and not torch.cuda.is_available():
            sys.exit("This job is to run on a GPU, and PyTorch sees none; leave out DEVICE=cuda.")
        try:
            with reporter(store.root, job) as report:
                train(job, store, code, report, device)
        except Interrupted as signal:
            sys.exit(signal.exit_code)
        except Busy as other:
            sys.exit(str(other))
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


with logged(snakemake.log[0]):
    main(
        Job.load(snakemake.params.job),
        Store(),
        snakemake.params.code,
        "cuda" if snakemake.resources.gpu else "cpu",
        Path(snakemake.output[0]),
    )
