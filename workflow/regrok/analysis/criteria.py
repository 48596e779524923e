"""How each claim is judged: named pure functions (tables, parameters) -> Verdict.

Their parameters stand in claims.yaml, which also says what was changed after runs were seen. Each docstring is the rule
in full; what is common to all stands in `judging`.
"""

from collections.abc import Callable

from . import criteria_000, criteria_001
from .judging import Verdict

TABLES = ("members", "designs", "histories", "scaling", "transition", "early_stopping")
TABLES += ("against_transformer", "roughness")
"""The tables that the criteria read."""

CRITERIA: dict[str, Callable[..., Verdict]] = {
    criterion.__name__: criterion
    for criterion in (
        criteria_000.grokking_exists,
        criteria_000.never_generalises,
        criteria_000.inconsistent,
        criteria_000.generalises_everywhere,
        criteria_000.slow_and_erratic,
        criteria_000.exponential_law,
        criteria_000.symmetric_needs_less,
        criteria_000.capacity_necessary_not_sufficient,
        criteria_000.one_parameter_count,
        criteria_000.sudden_transition,
        criteria_000.early_stopping_cuts,
        criteria_000.smaller_and_faster,
        criteria_000.less_compute,
        criteria_001.more_pronounced,
        criteria_001.in_this_order,
        criteria_001.less_effective,
        criteria_001.little_effect,
        criteria_001.sooner_with_more,
        criteria_001.slower_not_decisive,
        criteria_001.harder_with_more_terms,
        criteria_001.oscillations_do_no_harm,
        criteria_001.smoother,
        criteria_001.may_fail_without,
        criteria_001.fit_and_generalise_together,
    )
}
