import pytest
from synthetic import base_tables, design, frame, member

from regrok.analysis import architectures


@pytest.fixture(scope="module")
def table():
    base = base_tables()
    return architectures.build(base["members"], base["designs"]).set_index(["reading", "hidden", "layers"])


@pytest.mark.parametrize(
    ("reading", "hidden", "layers", "embedding", "parameters"),
    [
        ("fixed", 128, 1, 80, 48_641),  # 15 520 + 161 x 128 + 129 x 97
        ("matched", 32, 1, 24, 9_425),
        ("matched", 64, 1, 58, 25_045),
        ("matched", 128, 1, 116, 64_841),
        ("matched", 64, 2, 57, 28_883),
        ("matched", 32, 3, 34, 14_117),
    ],
)
def test_both_readings_of_table_3(table, reading, hidden, layers, embedding, parameters):
    row = table.loc[(reading, hidden, layers)]
    assert row["embedding"] == embedding
    assert row["n_parameters"] == parameters
    assert row["parameter_ratio"] == parameters / row["reported_parameters"]
    if reading == "matched":
        assert row["parameter_ratio"] == pytest.approx(1, abs=0.01)


def test_keeps_the_order_of_the_report(table):
    assert [key[1:] for key in table.index[:5]] == [(32, 1), (64, 1), (128, 1), (64, 2), (32, 3)]
    assert list(table["reported"][:5]) == ["no", "sometimes", "yes", "yes", "yes"]


def test_shares_count_all_members():
    members = [
        member(seed=0, t2=400.0, t4=2000.0),
        member(seed=1, t2=400.0, t4=900.0),  # generalises without grokking
        member(seed=2, t2=400.0),
        member(seed=3, t2=float("nan"), diverged=True, last_step=700, stop_reason="diverged"),
    ]
    designs = frame("designs", [design(study="architectures")])
    (row,) = architectures.build(frame("members", members), designs).to_dict("records")
    assert (row["share_memorised"], row["share_generalised"], row["share_grokked"]) == (0.75, 0.5, 0.25)


def test_a_shape_that_the_report_lacks_has_no_reported_values():
    designs = frame("designs", [design(study="architectures")])
    (row,) = architectures.build(frame("members", [member(hidden=256)]), designs).to_dict("records")
    assert row["reported"] == ""
    assert row["reported_parameters"] != row["reported_parameters"]
