"""Every setting of every cell, with what its studies ask of it."""

import pandas as pd

from . import summary

INPUTS = ("cells", "designs")
REPORTS = "000-T1"
COLUMNS = {
    "cell": ("", "id of the cell"),
    "studies": ("", "studies that ask for the cell"),
    "seeds": ("1", "members: seeds 0 to seeds - 1"),
    "budget": ("steps", "steps that a member is followed at most"),
    "stop": ("", "event: members may stop after t4; budget: all are followed to the budget"),
    "n_parameters": ("1", "parameters of the model"),
    "flops_per_step": ("FLOP", "training FLOPs of one step of one member"),
    "operation": ("", "operation of the task"),
    "modulus": ("1", "number of residues"),
    "fraction": ("1", "share of the examples trained on"),
    "pairs": ("", "what the split draws: ordered pairs, or unordered pairs together with their mirror"),
    "architecture": ("", "kind of model"),
    "embedding": ("1", "width of each operand's embedding"),
    "hidden": ("1", "width of each hidden layer"),
    "layers": ("1", "number of hidden layers"),
    "embedding_std": ("1", "standard deviation of initial embeddings"),
    "optimizer": ("", "adamw (decoupled decay), adam or sgd (decay added to the gradient)"),
    "learning_rate": ("1", "learning rate after warm-up"),
    "weight_decay": ("1", "weight decay"),
    "beta1": ("1", "decay of Adam's first moment"),
    "beta2": ("1", "decay of Adam's second moment"),
    "epsilon": ("1", "Adam's addend to the root of the second moment"),
    "momentum": ("1", "momentum of sgd"),
    "decays": ("", "parameters under weight decay"),
    "schedule": ("", "learning rate after warm-up: constant, cosine or staircase"),
    "warmup": ("steps", "linear warm-up"),
    "horizon": ("steps", "where a cosine reaches zero"),
    "factor": ("1", "what a staircase multiplies the rate by at each stair"),
    "every": ("steps", "length of a stair"),
    "batch_size": ("1", "examples in a batch"),
    "batch_order": ("", "shuffled: epoch-wise without replacement; replacement: with"),
    "batch_last": ("", "what becomes of the short batch that ends an epoch"),
    "loss_precision": ("", "precision of the log-softmax and its gradient"),
}
SETTINGS = tuple(COLUMNS)[tuple(COLUMNS).index("operation") :]


def build(cells: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a cell that a study asks for, in the order of `designs`."""
    asked = designs.groupby("cell", sort=False).agg(
        studies=("study", lambda names: ", ".join(dict.fromkeys(names))),
        seeds=("seeds", "max"),
        budget=("budget", "max"),
        stop=("stop", "min"),  # "budget" before "event": one study that asks for all of it prevails
    )
    merged = asked.reset_index().merge(cells, on="cell")
    return merged[list(COLUMNS)] if len(merged) else summary.table([], COLUMNS)
