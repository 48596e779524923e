import numpy as np
from synthetic import frame, member

from regrok.analysis import steps_to_grokking

nan, inf = np.nan, np.inf


def test_a_cell_by_hand():
    rows = [
        member(seed=0, t2=400.0, t4=3000.0),
        member(seed=1, t2=500.0, t4=900.0),
        member(seed=2, t2=nan, t2_after=nan),
        member(seed=3, t2=600.0),
        member(seed=4, t2=200.0, t4=8000.0),
        member(seed=5, t2=nan, t2_after=nan, diverged=True, last_step=70),
        member(seed=6, t2=300.0, t4=1500.0),
    ]
    (row,) = steps_to_grokking.build(frame("members", rows)).to_dict("records")
    assert (row["n"], row["events"], row["grokked"], row["diverged"]) == (7, 4, 3, 1)
    assert (row["median"], row["low"], row["high"]) == (8000, 900, inf)
    assert (row["least"], row["most"], row["budget"]) == (900, inf, 10_000)
    assert row["median_t2"] == 500  # of 200, 300, 400, 500, 600, and two that never memorise
    assert row["median_delay"] == 2600  # of 400, 1 200, 2 600, 7 800, and seed 3, which has waited 9 400
    assert row["text"].replace("\u202f", " ").replace("\u00a0", " ") == "8 000 [900, > 10 000]"


def test_a_row_for_every_cell_in_order():
    rows = [member(cell=cell, seed=seed, hidden=hidden) for seed in (0, 1) for cell, hidden in (("z", 32), ("a", 64))]
    table = steps_to_grokking.build(frame("members", rows))
    assert list(table) == list(steps_to_grokking.COLUMNS)
    assert list(table["cell"]) == ["z", "a"]
    assert list(table["hidden"]) == [32, 64]
    assert (table["events"] == 0).all()
    assert np.isinf(table["median"]).all()
    assert (table["text"] == "not reached (0 of 2 by 10\u202f000)").all()


def test_members_that_never_memorise_have_no_delay():
    rows = [member(t2=nan, t2_after=nan), member(seed=1, t2=nan, t2_after=nan)]
    (row,) = steps_to_grokking.build(frame("members", rows)).to_dict("records")
    assert row["median_t2"] == inf
    assert np.isnan(row["median_delay"])


def test_without_runs():
    assert list(steps_to_grokking.build(frame("members"))) == list(steps_to_grokking.COLUMNS)
