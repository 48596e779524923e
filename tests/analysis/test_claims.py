"""claims.yaml: what is accepted, the sentence for everything that is not, and the ledger that comes of it."""

import hashlib
import importlib
import json
from functools import cache
from pathlib import Path

import pytest
import yaml
from synthetic import base_tables

from regrok import sources
from regrok.analysis import claims, criteria, probed
from regrok.analysis.claims import dumps, judge, load
from regrok.analysis.criteria import CRITERIA
from regrok.analysis.judging import NOT_REPRODUCED, PARTLY, REPRODUCED, UNDECIDED, VERDICTS, Verdict
from regrok.config import ConfigError
from regrok.config import load as load_config

ROOT = Path(__file__).parents[2]
LEDGER = load(ROOT / "claims.yaml")
IDS = [
    "000-C1",
    "000-C2",
    "000-C2b",
    "000-C2c",
    "000-C2d",
    "000-C3",
    "000-C4",
    "000-C4b",
    "000-C5",
    "000-C6",
    "000-C7",
    "000-C8",
]
IDS += ["000-C9", *(f"000-C{number}" for number in range(10, 16)), *(f"001-C{number}" for number in range(1, 15))]
IDS += [*(f"002-C{number}" for number in range(1, 7)), *(f"003-C{number}" for number in range(1, 11))]
LATER = {
    "000-C4b",
    "000-C10",
    "000-C7",
    "000-C8",
    "000-C9",
    "000-C15",
}  # on made-up tables of probes, or on few of a study's cells
DECIDED = {name for name in IDS if name < "002"} - LATER

ENTRY = {
    "id": "000-C12",
    "report": "000",
    "section": "3.1.1",
    "statement": "The transition is sudden.",
    "reported": "fewer than 100 steps",
    "studies": ["transition"],
    "criterion": "sudden_transition",
    "parameters": {"within": 100, "few_hundred": 500, "least_members": 6},
    "why": "It is what the report says.",
}


@cache
def tables(**case):
    """Base tables and every derived table that a criterion reads."""
    found = base_tables(**case)
    for name in criteria.TABLES:
        if name not in found:
            module = importlib.import_module(f"regrok.analysis.{name}")
            found[name] = module.build(*[found[needed] for needed in module.INPUTS])
    return found


# The file


def test_the_ledger_holds_the_claims_of_the_report_and_every_criterion_is_used():
    assert [claim.id for claim in LEDGER.claims] == IDS
    assert {claim.criterion for claim in LEDGER.claims} == CRITERIA.keys()
    assert LEDGER.sha256 == hashlib.sha256((ROOT / "claims.yaml").read_bytes()).hexdigest()


def test_studies_are_those_of_the_config():
    assert load(ROOT / "claims.yaml", load_config(ROOT / "config.yaml").studies) == LEDGER


def test_budgets_that_decide_are_within_those_of_scale_desk():
    """A claim of "never" that no scale but the largest can decide would be no claim for this project."""
    studies = load_config(ROOT / "config.yaml")
    budgets = {}
    for design in importlib.import_module("regrok.experiment").designs(studies, "desk"):
        budgets.setdefault(design.study, []).append(design.budget)
    for claim in LEDGER.claims:
        for key, study in (("least_budget", "study"), ("horizon", "study"), ("least_budget_tuned", "sweep")):
            if key in claim.parameters:
                assert claim.parameters[key] <= max(budgets[claim.parameters[study]]), (claim.id, key)


def test_tables_that_criteria_read_exist():
    known = {module.rpartition(".")[2] for module in sources.modules("regrok.analysis")}
    assert set(criteria.TABLES) <= known | {"members", "designs", "histories", "cells", *probed.probes()}


def changed(claim, **parameters):
    """An entry of the shipped ledger with other parameters."""
    (entry,) = [entry for entry in yaml.safe_load((ROOT / "claims.yaml").read_text()) if entry["id"] == claim]
    return entry | {"parameters": entry["parameters"] | parameters}


def without(key):
    return {name: value for name, value in ENTRY.items() if name != key}


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([without("why")], "000-C12.why is missing; it must be text"),
        ([without("id")], "[0].id is missing; it must be text such as '000-C3', in quotes"),
        ([ENTRY | {"id": "C12"}], "C12.id must be text such as '000-C3', in quotes, not 'C12'"),
        ([ENTRY | {"report": 0}], "000-C12.report must be text such as '000', in quotes, not 0"),
        ([without("studies") | {"study": []}], "000-C12.study is no known key; did you mean studies?"),
        ([ENTRY | {"studies": "transition"}], "000-C12.studies must be a list, not 'transition'"),
        (
            [ENTRY | {"studies": ["transitions"]}],
            "000-C12.studies: 'transitions' is no study; did you mean transition?",
        ),
        ([ENTRY | {"statement": " "}], "000-C12.statement must be text"),
        (
            [ENTRY | {"criterion": "sudden"}],
            "000-C12.criterion: 'sudden' is no criterion; known are grokking_exists, never_generalises",
        ),
        (
            [ENTRY | {"criterion": "suden_transition"}],
            "000-C12.criterion: 'suden_transition' is no criterion; did you mean sudden_transition?",
        ),
        (
            [ENTRY | {"parameters": {"within": 100, "few_hundred": 500}}],
            "000-C12.parameters.least_members is missing; it must be a whole number of at least 1",
        ),
        (
            [ENTRY | {"parameters": ENTRY["parameters"] | {"within": "soon"}}],
            "000-C12.parameters.within must be a whole number of at least 1, not 'soon'",
        ),
        (
            [ENTRY | {"parameters": ENTRY["parameters"] | {"whithin": 100}}],
            "000-C12.parameters.whithin is no known key; did you mean within?",
        ),
        (
            [changed("000-C4", study="operatoins")],
            "000-C4.parameters.study: 'operatoins' is none of the claim's studies; did you mean operations?",
        ),
        (
            [changed("000-C2", contrast_study="data")],
            "000-C2.parameters.contrast_study: 'data' is none of the claim's studies; known are no_decay and",
        ),
        (
            [changed("000-C2d", reference="adamv")],
            "000-C2d.parameters.reference must be 'adamw', 'adam', 'sgd' or 'rmsprop', not 'adamv'",
        ),
        (
            [changed("000-C4", symmetric=["add", "times"])],
            "000-C4.parameters.symmetric[1] must be 'add', 'subtract', 'multiply' or 'divide', not",
        ),
        (
            [changed("000-C2", control_precision="float46")],
            "000-C2.parameters.control_precision must be 'float32' or 'float64', not 'float46'",
        ),
        (
            [changed("000-C13", rule="loss")],
            "000-C13.parameters.rule must be 'val_loss' or 'val_acc', not 'loss'",
        ),
        ([ENTRY, ENTRY], "000-C12 is there 2 times; give each claim an id of its own"),
        (["000-C12"], "[0] must be a block of keys: id, report, section"),
        (ENTRY, "the file must be a list of claims"),
        ([], "the file must be a list of claims"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(entries, sentence, tmp_path):
    file = tmp_path / "claims.yaml"
    file.write_text(yaml.safe_dump(entries, sort_keys=False))
    with pytest.raises(ConfigError) as error:
        load(file, ["transition"])
    text = str(error.value)
    assert text.startswith(f"{file}: {sentence}")
    assert "\n" not in text
    assert text[-1] in ".?"


def test_yaml_that_cannot_be_read_names_the_line(tmp_path):
    file = tmp_path / "claims.yaml"
    file.write_text("- id: 000-C1\n  why: [\n")
    with pytest.raises(ConfigError, match="line 3 is not valid YAML"):
        load(file)


# The ledger


@pytest.mark.parametrize("case", [{"seeds": 2, "scale": "laptop"}, {"empty": True}], ids=["laptop", "smoke"])
def test_every_claim_is_judged_at_every_scale(case):
    judged = judge(LEDGER, tables(**case))
    assert list(judged["claims"]) == IDS
    assert sum(judged["counts"].values()) == len(IDS)
    assert list(judged["counts"]) == list(VERDICTS)
    assert judged["sha256"] == LEDGER.sha256
    cells = set(tables(**case)["members"]["cell"])
    for claim in judged["claims"].values():
        assert claim["reason"]
        assert claim["measured"]
        assert set(claim["cells"]) <= cells
    assert json.loads(dumps(judged)) == judged


def test_without_events_all_that_needs_runs_is_undecided():
    verdicts = {name: claim["verdict"] for name, claim in judge(LEDGER, tables(empty=True))["claims"].items()}
    assert verdicts.pop("000-C5") == verdicts.pop("000-C11") == NOT_REPRODUCED  # by counts of parameters
    assert set(verdicts.values()) == {UNDECIDED}


def test_eight_seeds_decide_every_claim_but_that_of_spread():
    """At scale desk, with the rows of every table in another order. A spread needs more seeds than a median, and two
    claims of report 001 are about differences that these tables do not have."""
    found = tables()
    judged = judge(LEDGER, found)
    undecided = [name for name, claim in judged["claims"].items() if claim["verdict"] == UNDECIDED]
    assert [name for name in undecided if name in DECIDED] == ["000-C2d", "001-C1", "001-C11"]
    assert "On its own it would be 'reproduced'" in judged["claims"]["000-C2d"]["reason"]
    shuffled = {name: table.sample(frac=1, random_state=0) for name, table in found.items()}
    assert dumps(judge(LEDGER, shuffled)) == dumps(judged)


def test_criteria_leave_the_tables_alone():
    found = tables(seeds=2, scale="laptop")
    copies = {name: table.copy() for name, table in found.items()}
    judge(LEDGER, found)
    assert all(found[name].equals(copy) for name, copy in copies.items())


def judged_as(monkeypatch, *verdicts):
    """The ledger's entries if its claims had these verdicts (verdict, p)."""
    names = list(CRITERIA)[: len(verdicts)]
    made = dict(zip(names, verdicts, strict=True))
    monkeypatch.setattr(
        claims,
        "CRITERIA",
        {name: lambda tables, v=v: Verdict(v[0], "Because.", "x", p_value=v[1]) for name, v in made.items()},
    )
    ledger = claims.Ledger(
        tuple(LEDGER.claims[0].model_copy(update={"id": name, "criterion": name, "parameters": {}}) for name in names),
        "0",
    )
    judged = judge(ledger, {})
    return judged, [claim["verdict"] for claim in judged["claims"].values()]


def test_a_verdict_that_does_not_survive_the_correction_is_undecided(monkeypatch):
    # Holm: 0.02 x 3 = 0.06, then never less: 0.06; 0.9
    judged, verdicts = judged_as(monkeypatch, (REPRODUCED, 0.02), (PARTLY, 0.03), (NOT_REPRODUCED, 0.9))
    assert verdicts == [UNDECIDED, UNDECIDED, NOT_REPRODUCED]
    first = next(iter(judged["claims"].values()))
    assert (first["p_value"], first["p_holm"], judged["tests"]) == (0.02, pytest.approx(0.06), {"000": 3})
    assert first["reason"] == (
        "On its own it would be 'reproduced' (Because), but over the 3 tests of its report its p is 0.06."
    )


def test_a_verdict_that_does_not_rest_on_its_p_stays(monkeypatch):
    _, verdicts = judged_as(monkeypatch, (REPRODUCED, 0.01), (PARTLY, 0.6), (NOT_REPRODUCED, 0.04), (REPRODUCED, None))
    assert verdicts == [REPRODUCED, PARTLY, NOT_REPRODUCED, REPRODUCED]


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"value": float("nan")})
