"""What probes have measured, from cell to table."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.analysis import probed

MEASURED = pd.DataFrame({"cell": "one", "seed": [0, 1], "value": [0.5, np.nan]})


def test_comes_back(tmp_path):
    probed.write(MEASURED, tmp_path / "one.parquet.gz")
    pd.testing.assert_frame_equal(probed.read(tmp_path / "one.parquet.gz"), MEASURED)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_no_bit_that_flips_is_believed(tmp_path_factory, where, bit):
    path = tmp_path_factory.mktemp("probe") / "one.parquet.gz"
    probed.write(MEASURED, path)
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 1 << bit
    path.write_bytes(data)
    with suppress(ValueError):  # some bits, such as those of gzip's idle fields, change nothing
        pd.testing.assert_frame_equal(probed.read(path), MEASURED)


def test_half_a_file_is_named(tmp_path):
    path = tmp_path / "one.parquet.gz"
    probed.write(MEASURED, path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"one\.parquet\.gz is damaged; remove it"):
        probed.read(path)


def test_a_table_of_nothing_has_its_columns():
    assert list(probed.table("laziness", [])) == list(probed.columns("laziness"))
