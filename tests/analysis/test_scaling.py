import numpy as np
import pytest
from regrok.analysis import scaling
from synthetic import base_tables


@pytest.fixture(scope="module")
def table():
    tables = base_tables()
    return scaling.build(tables["members"], tables["designs"])


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
    assert set(ours["n"]) == {64}
    assert set(ours["events"]) == {48}  # none at 0.2 and 0.25
    assert ours["delta_aic"].min() == 0
    assert 0.24 <= ours.loc["threshold", "shift"] < 0.3
    assert ours.loc["threshold", "shift_low"] < ours.loc["threshold", "shift"] < ours.loc["threshold", "shift_high"]
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
    tables = base_tables(empty=True)
    table = scaling.build(tables["members"], tables["designs"])
    ours = of(table, "ours")
    assert (ours["reason"] != "").all()
    assert (ours["text"] == "–").all()
    assert ours[["scale", "exponent", "aic", "delta_aic"]].isna().all(axis=None)
    assert list(scaling.build(tables["members"].iloc[:0], tables["designs"])["n"])[:4] == [0, 0, 0, 0]
