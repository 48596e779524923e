"""How each claim is judged: named pure functions (tables, parameters) -> Verdict.

Their parameters stand in claims.yaml, which also says what was changed after runs were seen. Each docstring is the rule
in full; what is common to all stands in `judging`.
"""

from collections.abc import Callable

from . import (
    criteria_000,
    criteria_001,
    criteria_002,
    criteria_003,
    criteria_landscape,
    criteria_precursors,
    criteria_prediction,
    criteria_slingshots,
    criteria_tasks,
)
from .judging import Verdict

MODULES = (
    criteria_000,
    criteria_001,
    criteria_002,
    criteria_003,
    criteria_landscape,
    criteria_precursors,
    criteria_prediction,
    criteria_slingshots,
    criteria_tasks,
)
"""Files with criteria, each with TABLES, the tables that they read, and CRITERIA, the functions."""

TABLES = tuple(dict.fromkeys(name for module in MODULES for name in module.TABLES))
CRITERIA: dict[str, Callable[..., Verdict]] = {
    criterion.__name__: criterion for module in MODULES for criterion in module.CRITERIA
}
