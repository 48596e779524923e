"""Fixtures that several test files share."""

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import pytest


@pytest.fixture
def base_cell() -> dict:
    """The literal setting of report 000, as nested settings."""
    return {
        "task": {"operation": "divide", "modulus": 97},
        "split": {"fraction": 0.5, "pairs": "ordered"},
        "model": {"architecture": "mlp", "embedding": 80, "hidden": 128, "layers": 2, "embedding_std": 1.0},
        "optimizer": {
            "name": "adamw",
            "learning_rate": 1e-3,
            "weight_decay": 1.0,
            "beta1": 0.9,
            "beta2": 0.999,
            "epsilon": 1e-8,
            "decays": "all",
        },
        "schedule": {"shape": "constant", "warmup": 10},
        "batches": {"size": 512, "order": "shuffled", "last": "keep"},
        "loss": {"precision": "float32"},
    }
