"""Order of the embeddings through training, on their own principal components and on those of the end.

`null_` columns compare the embeddings at step 0 with `draws` independent ones from the same initial distribution, on
the same final components: the mean of the draws, and the share of them, the own one included, that are at least as near
to the final structure. They are missing at later steps. The final structure is the set of frequencies that hold more
than `above` times an even share of the variance at the end.

Decoupled weight decay multiplies the initial embeddings by a known factor at every step, whatever the gradients do. As
long as that has left much of them, the end is like its own beginning and like no independent one: `retained` says how
much.
"""

import numpy as np
import pandas as pd

from ..cell import Cell
from ..training.optimizers import rate_factor
from . import circle
from .member import Member

NEEDS = ("snapshots",)
SETTINGS = {"draws": 200, "above": 3.0}
COLUMNS = {
    "step": ("steps", "optimisation step"),
    "order": ("1", "share of the variance in the first two own components that one frequency holds"),
    "frequency": ("1", "that frequency"),
    "final_order": ("1", "share of the variance in the plane of the final components that the final frequency holds"),
    "roundness": ("1", "smaller over larger standard deviation in the first two own components"),
    "disparity": ("1", "Procrustes distance to the end in the plane of the final components, 0 to 1"),
    "structure": ("1", "share of the variance in the frequencies of the final structure"),
    "frequencies": ("1", "number of frequencies of the final structure"),
    "participation": ("1", "number of frequencies that the variance is spread over"),
    "null_order": ("1", "mean final_order of independent initialisations"),
    "null_order_p": ("1", "share of them that have at least the own final_order"),
    "null_order_less_p": ("1", "share of them that have at most the own final_order"),
    "null_disparity": ("1", "mean disparity of independent initialisations"),
    "null_structure": ("1", "mean structure of independent initialisations"),
    "null_structure_p": ("1", "share of them that have at least the own structure"),
    "retained": (
        "1",
        "what decay alone has left of the initial embeddings, over the embeddings, both centred, in norm",
    ),
}


def measure(member: Member, draws: int, above: float) -> pd.DataFrame:
    """A row a snapshot; none if the last is not finite."""
    snapshots, residues = member.snapshots(), member.cell.task.modulus
    if not np.isfinite(snapshots.rows[-1]).all():
        return pd.DataFrame(columns=list(COLUMNS))
    tables = [circle.embeddings(snapshots.module(index), residues) for index in range(len(snapshots.steps))]
    std = getattr(member.cell.model, "embedding_std", 1.0)
    rng = np.random.default_rng([member.seed, draws])
    others = rng.normal(0, std, size=(draws, *tables[0].shape))
    rows = course(snapshots.steps, tables, others, above)
    left, norms = left_by_decay(member.cell, snapshots.steps[-1]), [np.linalg.norm(circle.centred(t)) for t in tables]
    for row, norm in zip(rows, norms, strict=True):
        row["retained"] = left[row["step"]] * norms[0] / norm
    return pd.DataFrame(rows, columns=list(COLUMNS))


def left_by_decay(cell: Cell, steps: int) -> np.ndarray:
    """Factors by which decoupled weight decay alone has shrunk the embeddings after 0 .. `steps` steps, float64
    (steps + 1,): products of 1 - rate x decay (Loshchilov and Hutter 2019); 1 where decay is coupled to the gradient or
    spares them."""
    settings = cell.optimizer
    if settings.name != "adamw" or settings.decays == "no_embeddings":
        return np.ones(steps + 1)
    rates = settings.learning_rate * np.array([rate_factor(cell.schedule, step) for step in range(steps)])
    return np.concatenate([[1.0], np.cumprod(1 - rates * settings.weight_decay)])


def course(steps: np.ndarray, tables: list[np.ndarray], others: np.ndarray, above: float) -> list[dict[str, float]]:
    """The rows; tables: embeddings (p, width) at `steps`; others: independent initial ones, (draws, p, width)."""
    final = tables[-1]
    axes, shares = circle.plane(final), circle.spectrum(final)
    target = final @ axes
    frequency = circle.order(target)[1]
    structure = shares > above / len(shares)
    rows = [
        _row(table, axes, target, frequency, structure) | {"step": int(step)}
        for step, table in zip(steps, tables, strict=True)
    ]
    if steps[0] == 0:
        null = pd.DataFrame([_row(other, axes, target, frequency, structure) for other in others])
        rows[0] |= {
            "null_order": null["final_order"].mean(),
            "null_order_p": rank(rows[0]["final_order"], null["final_order"]),
            "null_order_less_p": rank(-rows[0]["final_order"], -null["final_order"]),
            "null_disparity": null["disparity"].mean(),
            "null_structure": null["structure"].mean(),
            "null_structure_p": rank(rows[0]["structure"], null["structure"]),
        }
    return rows


def rank(own: float, null: pd.Series) -> float:
    """Share of the null and the own value that are at least as large as the own."""
    return float((1 + (null >= own).sum()) / (1 + len(null)))


def _row(table: np.ndarray, axes: np.ndarray, target: np.ndarray, frequency: int, structure: np.ndarray) -> dict:
    own, shares = table @ circle.plane(table), circle.spectrum(table)
    share, k = circle.order(own)
    return {
        "order": share,
        "frequency": k,
        "final_order": float(circle.spectrum(table @ axes)[frequency - 1]),
        "roundness": circle.roundness(own),
        "disparity": circle.disparity(table @ axes, target),
        "structure": float(shares[structure].sum()),
        "frequencies": int(structure.sum()),
        "participation": circle.participation(shares),
    }
