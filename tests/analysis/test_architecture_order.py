import numpy as np
from synthetic import base_tables, design, frame, member

from regrok.analysis import architecture_order


def build(cells):
    """cells: name -> settings, with t4 of seeds 0, 1, ... as `times`."""
    members = [
        member(cell=name, seed=seed, t4=t4, **{key: value for key, value in settings.items() if key != "times"})
        for name, settings in cells.items()
        for seed, t4 in enumerate(settings["times"])
    ]
    designs = [design(study="fractions", report="001", cell=name) for name in cells]
    return architecture_order.build(frame("members", members), frame("designs", designs))


def test_a_row_by_hand():
    (row,) = build(
        {"a": {"architecture": "lstm", "hidden": 128, "steps_per_epoch": 5, "times": [900.0, 2000.0, 4000.0, np.nan]}}
    ).to_dict("records")
    assert (row["n"], row["events"], row["grokked"]) == (4, 3, 2)  # 900 comes but 500 steps after memorisation
    assert (row["median"], row["epochs"]) == (3000, 600)
    assert np.isnan(row["low"])
    assert row["t2"] == 400
    assert row["t2_text"].replace("\u00a0", " ") == "400 (400 to 400, n = 4)"


def test_what_is_not_reached_is_not_reached_in_epochs_either():
    (row,) = build({"a": {"architecture": "transformer", "hidden": None, "times": [np.nan] * 6}}).to_dict("records")
    assert row["median"] == row["epochs"] == np.inf
    assert row["text"].replace("\u202f", " ") == "not reached (0 of 6 by 10 000)"


def test_rows_are_in_the_order_of_the_report():
    kinds = {
        "e": ("lstm", 512, 0.3),
        "d": ("lstm", 128, 0.9),
        "c": ("lstm", 128, 0.3),
        "a": ("transformer", None, 0.9),
        "b": ("residual_mlp", 128, 0.3),
    }
    cells = {
        name: {"architecture": model, "hidden": hidden, "fraction": fraction, "times": [2000.0]}
        for name, (model, hidden, fraction) in kinds.items()
    }
    assert list(build(cells)["cell"]) == ["a", "b", "c", "d", "e"]


def test_each_width_of_the_lstm_has_its_rows():
    base = base_tables(seeds=1, scale="cluster")
    table = architecture_order.build(base["members"], base["designs"])
    counts = table.groupby(["architecture", "hidden"], dropna=False).size()
    assert counts.to_dict() == {
        ("lstm", 128): 4,
        ("lstm", 512): 4,
        ("residual_mlp", 128): 4,
        ("transformer", counts.index[-1][1]): 4,
    }
    assert table.loc[table["architecture"] == "transformer", "hidden"].isna().all()
