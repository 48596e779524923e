import numpy as np
import pytest
from synthetic import design, frame, member

from regrok.analysis import scaling


def observed(budget):
    """members and designs: three seeds about 900 (r - 0.25)^-1 at six fractions, and a cell of another study."""
    rows = [
        member(cell=f"at {fraction}", fraction=fraction, seed=seed, budget=budget, t4=t4 if t4 <= budget else np.nan)
        for fraction, median in ((0.2, np.inf), (0.3, 18e3), (0.35, 9e3), (0.4, 6e3), (0.5, 3.6e3), (0.7, 2e3))
        for seed, t4 in enumerate(median * np.array([0.9, 1.0, 1.1]))
    ]
    designs = [design(cell=cell, budget=budget) for cell in {row["cell"]: None for row in rows}]
    designs.append(design(cell="other", study="operations"))
    return frame("members", [*rows, member(cell="other", t4=100.0)]), frame("designs", designs)


@pytest.fixture(scope="module")
def table():
    return scaling.build(*observed(budget=20_000))


def of(table, source):
    return table[table["source"] == source].set_index("law")


def test_rows_and_columns(table):
    laws = ["exponential", "power", "power_offset", "threshold"]
    assert list(table) == list(scaling.COLUMNS)
    assert list(table["source"].unique()) == ["ours", "reported", "reported_censored"]
    assert list(table["law"]) == 3 * laws
    assert (table["reason"] == "").all()


def test_our_members_are_the_observations_of_the_study(table):
    ours = of(table, "ours")
    assert set(ours["n"]) == {18}
    assert set(ours["events"]) == {15}
    assert (ours["delta_aic"].idxmin(), ours["delta_aic"].min()) == ("threshold", 0)
    fit = ours.loc["threshold"]
    assert fit["shift"] == pytest.approx(0.25, abs=0.01)
    assert fit["shift_low"] < fit["shift"] < fit["shift_high"]
    assert fit["exponent"] == pytest.approx(1, abs=0.15)
    assert np.isnan(ours.loc["power", "shift"])


def test_the_points_of_the_report_refute_its_exponential(table):
    reported = of(table, "reported")
    assert list(reported.sort_values("delta_aic").index) == ["threshold", "power_offset", "power", "exponential"]
    assert set(reported["n"]) == {4}
    # the line through (r, log t) of 0.3 95420, 0.4 12350, 0.5 2950, 0.6 1024, by hand
    r, y = np.array([0.3, 0.4, 0.5, 0.6]), np.log([95420, 12350, 2950, 1024])
    slope = np.sum((r - 0.45) * y) / np.sum((r - 0.45) ** 2)
    assert reported.loc["exponential", "exponent"] == pytest.approx(-slope, rel=1e-4)
    assert reported.loc["exponential", "text"] == "6\u202f700\u202f000 exp(−15.0 r)"


def test_the_run_without_grokking_makes_the_exponential_worse(table):
    points, censored = of(table, "reported"), of(table, "reported_censored")
    assert set(censored["n"]) == {5}
    assert set(censored["events"]) == {4}
    assert censored.loc["exponential", "delta_aic"] > points.loc["exponential", "delta_aic"]
    assert censored.loc["threshold", "log_likelihood"] == pytest.approx(points.loc["threshold", "log_likelihood"])


def test_without_events_ours_has_reasons_and_no_numbers():
    members, designs = observed(budget=300)
    ours = of(scaling.build(members, designs), "ours")
    assert set(ours["n"]) == {18}
    assert (ours["reason"] != "").all()
    assert (ours["text"] == "–").all()
    assert ours[["scale", "exponent", "aic", "delta_aic"]].isna().all(axis=None)
    assert set(of(scaling.build(members.iloc[:0], designs), "ours")["n"]) == {0}
