import numpy as np
import pandas as pd
import pytest
from synthetic import DTYPES, base_tables, design, frame, member

from regrok.analysis import early_stopping

STEPS = np.array([0, 100, 200, 300, 400, 500])


@pytest.mark.parametrize(
    ("values", "patience", "step", "kept"),
    [
        ([5, 4, 3, 2, 1, 0], 100, np.inf, 5),
        ([5, 4, 6, 6, 6, 6], 100, 200, 1),
        ([5, 4, 6, 6, 6, 6], 200, 300, 1),
        ([5, 4, 6, 6, 6, 6], 250, 400, 1),  # the first evaluation at least 250 steps after the best
        ([5, 4, 6, 6, 6, 6], 500, np.inf, 1),
        ([5, 4, 6, 3, 6, 6], 200, 500, 3),
        ([5, 4, 4, 4, 4, 4], 300, 400, 1),  # equal is no improvement
        ([5, 6, 6, 6, 6, 6], 300, 300, 0),
        ([5, 4, 6, 3, 2, 1], 100, 200, 1),  # what comes after the stop does not matter
    ],
)
def test_stops_after_patience_steps_without_improvement(values, patience, step, kept):
    assert early_stopping.stop(STEPS, np.array(values), np.less, patience) == (step, kept)
    assert early_stopping.stop(STEPS, -np.array(values), np.greater, patience) == (step, kept)


def history(seed, val_loss, val_acc, steps):
    rows = pd.DataFrame({"cell": "cell", "seed": seed, "step": steps, "val_loss": val_loss, "val_acc": val_acc})
    return rows.reindex(columns=list(DTYPES["histories"])).astype(DTYPES["histories"])


def build(members, histories, study="data_fraction"):
    members = frame("members", members)
    table = early_stopping.build(members, frame("designs", [design(study=study)]), pd.concat(histories))
    return table.set_index(["rule", "patience"])


def test_counts_the_members_stopped_before_t4():
    steps = [0, 250, 500, 750, 1000]
    members = [member(seed=seed, t4=1000.0) for seed in (0, 1)]
    histories = [
        history(0, [5, 4, 6, 7, 0], [0.1, 0.2, 0.2, 0.2, 1.0], steps),  # loss and accuracy stall for 500 steps
        history(1, [5, 4, 3, 2, 1], [0.1, 0.2, 0.3, 0.4, 1.0], steps),  # improves at every evaluation
    ]
    table = build(members, histories)
    assert (table["n"] == 2).all()
    assert table["cut"].unstack("rule").to_dict("index") == {
        200: {"val_acc": 1, "val_loss": 1},
        500: {"val_acc": 1, "val_loss": 1},
        **{patience: {"val_acc": 0, "val_loss": 0} for patience in (1000, 2000, 5000, 10_000)},
    }
    row = table.loc[("val_loss", 500)]
    assert (row["share"], row["median_stop"]) == (0.5, 750)
    assert row["kept_val_acc"] == pytest.approx(0.2)
    assert row["low"] == pytest.approx(1 - 0.975**0.5)  # Clopper-Pearson, 1 of 2: P(at least 1) = 2.5 %


def test_stopping_at_t4_or_later_cuts_nothing():
    steps = [0, 250, 500, 750, 1000]
    rows = history(0, [1, 2, 3, 3, 3], [1.0, 1.0, 1.0, 1.0, 1.0], steps)
    assert build([member(t4=500.0)], [rows])["cut"].unstack("rule").loc[500].to_list() == [0, 0]
    assert build([member(t4=750.0)], [rows])["cut"].unstack("rule").loc[500].to_list() == [1, 1]


@pytest.mark.parametrize(
    ("changes", "study"),
    [({}, "data_fraction"), ({"t4": 750.0, "optimizer": "adam"}, "data_fraction"), ({"t4": 750.0}, "operations")],
)
def test_counts_only_members_of_the_fraction_study_that_generalise_under_adamw(changes, study):
    rows = history(0, [1, 2, 3, 3, 3], [1.0] * 5, [0, 250, 500, 750, 1000])
    table = build([member(**changes)], [rows], study)
    assert (table["n"] == 0).all()
    assert table["share"].isna().all()


def test_more_patience_cuts_no_more():
    base = base_tables()
    table = early_stopping.build(**{name: base[name] for name in early_stopping.INPUTS})
    assert len(table) == 12
    assert (table["n"] == 6 * 8).all()  # fractions 0.3 and more generalise
    for _, group in table.groupby("rule"):
        assert group["cut"].is_monotonic_decreasing
