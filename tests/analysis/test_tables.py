import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from synthetic import base_tables

from regrok.analysis import tables

COLUMNS = {"name": ("", "who"), "t4": ("steps", "when, or | inf"), "ok": ("", "whether")}
FRAME = pd.DataFrame({"name": ["a_b", "50 %"], "t4": [2950.0, np.inf], "ok": [True, False]})


def test_reads_back_what_was_written(tmp_path):
    tables.write(FRAME, tmp_path / "x.parquet", COLUMNS, "A title")
    pd.testing.assert_frame_equal(tables.read(tmp_path / "x.parquet"), FRAME)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "x.csv"), FRAME)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.parquet", "x.tex"]


def test_documents_every_column_in_the_schema(tmp_path):
    tables.write(FRAME, tmp_path / "x.parquet", COLUMNS, "A title", twins=())
    file = pq.ParquetFile(tmp_path / "x.parquet")
    assert file.schema_arrow.metadata[b"title"] == b"A title"
    assert file.schema_arrow.field("t4").metadata == {b"unit": b"steps", b"meaning": b"when, or | inf"}
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_latex_is_escaped_and_typeset():
    text = tables.latex(FRAME.assign(name=["a_b", "2\u202f950 × 3"]), "A title")
    assert r"a\_b & 2950 & True \\" in text
    assert r"2\,950 $\times$ 3 & inf & False \\" in text
    assert text.startswith("% A title\n\\begin{tabular}")
    assert r"\toprule" in text


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["name", "ok"], "missing: t4"),
        (["name", "t4", "ok", "extra"], "undocumented: extra"),
        (["name", "t4", "ok", "ok"], "repeated: ok"),
        (["t4", "name", "ok"], "order"),
    ],
)
def test_refuses_other_columns_and_writes_nothing(tmp_path, columns, message):
    with pytest.raises(ValueError, match=message):
        tables.write(pd.DataFrame([[0] * len(columns)], columns=columns), tmp_path / "x.parquet", COLUMNS, "A title")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", [(tables.pq, "write_table"), (tables.os, "replace")], ids=["write", "rename"])
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, place):
    tables.write(FRAME, tmp_path / "x.parquet", COLUMNS, "A title")
    before = (tmp_path / "x.parquet").read_bytes()

    def half(_, path, **options):
        if place[1] == "write_table":
            path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(*place, half)
    with pytest.raises(OSError, match="disk full"):
        tables.write(FRAME[::-1], tmp_path / "x.parquet", COLUMNS, "A title")
    assert (tmp_path / "x.parquet").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_describes_columns_in_markdown():
    assert tables.describe({"t4": ("steps", "first | last")}) == (
        "| column | unit | meaning |\n| --- | --- | --- |\n| `t4` | steps | first \\| last |\n"
    )


@pytest.mark.parametrize("rows", [slice(None), slice(0, 0)])
def test_base_tables_round_trip(tmp_path, rows):
    for name, frame in base_tables(empty=True).items():
        part = frame[rows].reset_index(drop=True)
        tables.write(part, tmp_path / f"{name}.parquet", dict.fromkeys(part, ("", "")), name, twins=())
        pd.testing.assert_frame_equal(tables.read(tmp_path / f"{name}.parquet"), part)
