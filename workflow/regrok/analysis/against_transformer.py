"""The perceptron against the Transformer of Power et al.: size, speed, and steps, FLOPs and seconds to grokking.

Both learn division modulo 97 from half of the table under report 000's AdamW. Speeds are member-steps a second of one
core in this library, and a ratio of speeds is taken within a repetition, in which both ran on the same machine at
nearly the same time. FLOPs are the least that the algorithm needs, evaluation not included.
"""

import numpy as np
import pandas as pd

from . import format, summary, survival
from .resampling import Ratio, ratio_of_medians

INPUTS = ("members", "designs", "cells", "throughput")
REPORTS = "000-C5, 000-C14"


def _ratio_columns(name: str, meaning: str) -> dict[str, tuple[str, str]]:
    return {
        name: ("1", meaning),
        f"{name}_low": ("1", "lower end of its 95 % bootstrap interval; missing below 6 members"),
        f"{name}_high": ("1", "upper end of its 95 % bootstrap interval; missing below 6 members"),
        f"{name}_bound": ("", "> or < where censoring leaves only that side of it known"),
        f"{name}_text": ("", "the ratio as printed"),
    }


COLUMNS = {
    "architecture": ("", "mlp (the perceptron) or transformer"),
    "cell": ("", "id of the cell"),
    "n_parameters": ("1", "trainable parameters"),
    "flops_per_step": ("FLOP", "least floating-point operations of a member's training step"),
    "n": ("1", "members"),
    "events": ("1", "members that generalised"),
    "share_memorised": ("1", "share of the members whose training accuracy reached the threshold"),
    "share_generalised": ("1", "share of the members whose validation accuracy reached the threshold"),
    "share_grokked": ("1", "share of the members that generalised long after they memorised"),
    "t2": ("steps", "median steps to memorising (t2), Kaplan-Meier; inf if not reached"),
    "t2_low": ("steps", "lower end of its 95 % interval; missing below 6 members"),
    "t2_high": ("steps", "upper end of its 95 % interval; missing below 6 members"),
    "t2_text": ("", "t2 as printed"),
    "median": ("steps", "median steps to grokking (t4), Kaplan-Meier; inf if not reached"),
    "low": ("steps", "lower end of its 95 % interval; missing below 6 members"),
    "high": ("steps", "upper end of its 95 % interval; inf if beyond the budget"),
    "budget": ("steps", "steps that a member is followed at most"),
    "text": ("", "t4 as printed"),
    "flops": ("FLOP", "flops_per_step times the median t4"),
    "repetitions": ("1", "timings of the speed"),
    "steps_per_second": ("1/s", "median over the timings of member-steps a second of one core"),
    "steps_per_second_low": ("1/s", "lower quartile of the timings"),
    "steps_per_second_high": ("1/s", "upper quartile of the timings"),
    "seconds": ("s", "median t4 over steps_per_second"),
    "parameters_ratio": ("1", "n_parameters over the perceptron's"),
    "flops_per_step_ratio": ("1", "flops_per_step over the perceptron's"),
    "speed_ratio": ("1", "median over the repetitions of steps_per_second over the perceptron's"),
    "speed_ratio_low": ("1", "lower quartile of these ratios"),
    "speed_ratio_high": ("1", "upper quartile of these ratios"),
    **_ratio_columns("steps_ratio", "median t4 over the perceptron's"),
    **_ratio_columns("flops_ratio", "FLOPs to the median t4 over the perceptron's"),
    **_ratio_columns("seconds_ratio", "seconds to the median t4 over the perceptron's, by the median speed ratio"),
}
REFERENCE = "mlp"


def build(members: pd.DataFrame, designs: pd.DataFrame, cells: pd.DataFrame, throughput: pd.DataFrame) -> pd.DataFrame:
    """A row a cell of the study `against_transformer`, the perceptron first."""
    asked = designs.loc[designs["study"] == "against_transformer", "cell"]
    known = cells[cells["cell"].isin(asked)].sort_values("architecture")
    own = summary.studied(members, designs, "against_transformer")
    speeds = throughput.pivot(index="repetition", columns="cell", values="steps_per_second")
    reference = known[known["architecture"] == REFERENCE].head(1)
    rows = [_row(cell, reference, own, speeds.reindex(columns=known["cell"])) for _, cell in known.iterrows()]
    return summary.table(rows, COLUMNS)


def _row(cell: pd.Series, reference: pd.DataFrame, members: pd.DataFrame, speeds: pd.DataFrame) -> dict:
    own, speed = members[members["cell"] == cell["cell"]], speeds[cell["cell"]].dropna()
    measured = summary.steps(own)
    low, middle, high = speed.quantile([0.25, 0.5, 0.75])
    row = {
        **cell[["architecture", "cell", "n_parameters", "flops_per_step"]],
        **_memorising(own),
        **measured,
        **summary.shares(own),
        "flops": cell["flops_per_step"] * measured["median"],
        "repetitions": len(speed),
        "steps_per_second": middle,
        "steps_per_second_low": low,
        "steps_per_second_high": high,
        "seconds": measured["median"] / middle,
    }
    return row | _ratios(cell, own, reference.iloc[0], members, speeds) if len(reference) else row


def _memorising(members: pd.DataFrame) -> dict:
    event = members["t2"].notna().to_numpy()
    followed = members["last_step"].where(~members["diverged"], np.inf)
    t2 = survival.median(members["t2"].fillna(followed).to_numpy(float), event)
    text = format.median(t2, members["budget"].max())
    return {"t2": t2.value, "t2_low": t2.low, "t2_high": t2.high, "t2_text": text}


def _ratios(
    cell: pd.Series, own: pd.DataFrame, reference: pd.Series, members: pd.DataFrame, speeds: pd.DataFrame
) -> dict:
    base = members[members["cell"] == reference["cell"]]
    steps = ratio_of_medians(own, base, np.random.default_rng(0))
    work = cell["flops_per_step"] / reference["flops_per_step"]
    low, speed, high = (speeds[cell["cell"]] / speeds[reference["cell"]]).dropna().quantile([0.25, 0.5, 0.75])
    return {
        "parameters_ratio": cell["n_parameters"] / reference["n_parameters"],
        "flops_per_step_ratio": work,
        "speed_ratio": speed,
        "speed_ratio_low": low,
        "speed_ratio_high": high,
        **_ratio("steps_ratio", steps),
        **_ratio("flops_ratio", _times(steps, work)),
        **_ratio("seconds_ratio", _times(steps, 1 / speed)),
    }


def _times(ratio: Ratio, factor: float) -> Ratio:
    return Ratio(ratio.value * factor, ratio.low * factor, ratio.high * factor, ratio.bound)


def _ratio(name: str, ratio: Ratio) -> dict:
    ends = ratio._asdict()
    columns = {f"{name}_{end}": ends[end] for end in ("low", "high", "bound")}
    return {name: ratio.value, **columns, f"{name}_text": format.ratio(*ratio)}
