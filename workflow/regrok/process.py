"""Floor 0. How a process that trains is set up, before it loads numpy and torch."""

import os
import sys
from types import SimpleNamespace


def one_thread() -> None:
    """Have numpy's and torch's libraries start one thread: a job a core is faster, and as many give the same bits."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"


def no_compiler() -> None:
    """Spare torch.optim its import of torch's compiler, which takes longer than a toy run; nothing is compiled here."""
    sys.modules["torch._dynamo"] = SimpleNamespace(
        disable=lambda function, *_, **__: function, graph_break=lambda: None
    )
