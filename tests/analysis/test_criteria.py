"""The registry of criteria."""

from pathlib import Path

import pytest
from handmade import tables

from regrok.analysis import claims
from regrok.analysis.criteria import CRITERIA
from regrok.analysis.judging import NOT_REPRODUCED, UNDECIDED

LEDGER = claims.load(Path(__file__).parents[2] / "claims.yaml")
EMPTY = tables()


@pytest.mark.parametrize("name", sorted(CRITERIA))
def test_nothing_run_is_undecided(name):
    """Except for the claim that needs no runs."""
    claim = next(claim for claim in LEDGER.claims if claim.criterion == name)
    verdict = CRITERIA[name](EMPTY, **claim.parameters)
    assert verdict.verdict == (NOT_REPRODUCED if name == "one_parameter_count" else UNDECIDED)
    assert (verdict.n, verdict.cells, verdict.p_value) == (0, (), None)
