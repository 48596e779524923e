"""The claims ledger: claims.yaml says what a report claims and how it is judged, `judge` says what came of it.

The criteria are the named functions of `criteria`; their parameters stand in claims.yaml, which is hashed into every
ledger, so that a verdict cannot be moved without a trace.
"""

import hashlib
import inspect
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, field_validator

from .. import sources
from ..config import ConfigError, read
from ..wording import joined, locate, sentence, suggestion, worst
from . import judging
from .criteria import CRITERIA
from .format import p_value as p_text
from .judging import LEVEL, VERDICTS, Verdict

Text = Annotated[str, Field(pattern=r"\S")]


class Claim(BaseModel):
    """One checkable statement of a source report, and how it is judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^\d{3}-[A-Z]\d+[a-z]?$", examples=["000-C3"])]
    report: Annotated[str, Field(pattern=r"^\d{3}$", examples=["000"])]
    section: Annotated[Text, Field(examples=["3.1.3"], description="Where the report makes the claim.")]
    statement: Text = Field(description="What the report claims, as an English sentence.")
    reported: Text = Field(description="The value or finding that it gives.")
    studies: list[str] = Field(description="Studies of config.yaml that the verdict needs.")
    criterion: str = Field(description="Name of a function in one of analysis/criteria_*.py.")
    parameters: dict[str, Any] = Field(description="What the criterion is called with, besides the tables.")
    why: Text = Field(description="Why this criterion, in a sentence.")

    @field_validator("criterion")
    @classmethod
    def known(cls, name: str) -> str:
        if name not in CRITERIA:
            raise ValueError(f"'{name}' is no criterion; {suggestion(name, CRITERIA)}")
        return name


@dataclass(frozen=True)
class Ledger:
    """claims.yaml, checked. sha256: of the file's bytes."""

    claims: tuple[Claim, ...]
    sha256: str

    def of(self, reports: Collection[str]) -> "Ledger":
        """The claims of these reports; all if there are none."""
        return replace(self, claims=tuple(claim for claim in self.claims if not reports or claim.report in reports))


def load(path: str | PathLike, studies: Collection[str] | None = None) -> Ledger:
    """The ledger in a YAML file, checked; `studies`: the names in config.yaml, to check those as well.

    Raises ConfigError, one sentence with the file, the claim, the key and what would be right.
    """
    try:
        claims = _claims(read(path), studies)
    except ConfigError as error:
        end = "" if str(error).endswith("?") else "."
        raise ConfigError(f"{path}: {error}{end}") from None
    return Ledger(claims, hashlib.sha256(Path(path).read_bytes()).hexdigest())


def _claims(entries: Any, studies: Collection[str] | None) -> tuple[Claim, ...]:
    if not isinstance(entries, list) or not entries:
        raise ConfigError("the file must be a list of claims, each beginning with '- id: '")
    claims = tuple(_claim(entry, index) for index, entry in enumerate(entries))
    for name, count in Counter(claim.id for claim in claims).items():
        if count > 1:
            raise ConfigError(f"{name} is there {count} times; give each claim an id of its own")
    for claim in claims if studies is not None else ():
        for name in claim.studies:
            if name not in studies:
                raise ConfigError(f"{claim.id}.studies: '{name}' is no study; {suggestion(name, studies)}")
    return claims


def _claim(entry: Any, index: int) -> Claim:
    if not isinstance(entry, dict):
        raise ConfigError(f"[{index}] must be a block of keys: {', '.join(Claim.model_fields)}")
    place = str(entry.get("id", f"[{index}]"))
    claim = _checked(Claim, entry, place)
    parameters = _checked(parameters_of(claim.criterion), claim.parameters, f"{place}.parameters")
    for key, parameter in inspect.signature(CRITERIA[claim.criterion]).parameters.items():
        if parameter.annotation == judging.Study and (name := claim.parameters[key]) not in claim.studies:
            known = suggestion(name, claim.studies)
            raise ConfigError(f"{place}.parameters.{key}: '{name}' is none of the claim's studies; {known}")
    return claim.model_copy(update={"parameters": parameters.model_dump()})


def _checked(model: type[BaseModel], values: dict, place: str) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = worst(error)
        path, _ = locate(found["loc"], model)
        raise ConfigError(sentence(found, model, joined(place, path))) from None


@cache
def parameters_of(criterion: str) -> type[BaseModel]:
    """A pydantic model of the keyword parameters of a criterion: all are required, others are forbidden."""
    _, *parameters = inspect.signature(CRITERIA[criterion]).parameters.values()
    fields = {parameter.name: (parameter.annotation, ...) for parameter in parameters}
    return create_model(criterion, __config__=ConfigDict(extra="forbid"), **fields)


def judge(ledger: Ledger, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """claims.json: under `claims` every claim of `ledger` by its id, judged on `tables` (those in `criteria.TABLES`);
    beside them the file's `sha256`, `alpha`, the number of `tests` corrected for, report by report, and `counts` of the
    verdicts.

    The claims of a report that have a p-value form a family, whatever came of them, so that what else is asked does not
    move a verdict. A verdict of 'reproduced' or 'partly' with a p of at
    most `LEVEL` that Holm's step-down correction (Scandinavian Journal of Statistics 6:65, 1979) lifts above it becomes
    'undecided'.
    """
    verdicts = {claim.id: CRITERIA[claim.criterion](tables, **claim.parameters) for claim in ledger.claims}
    families = {
        report: judging.holm({claim.id: verdicts[claim.id].p_value for claim in claims if _tested(verdicts[claim.id])})
        for report, claims in _by_report(ledger).items()
    }
    entries = {claim.id: _entry(claim, verdicts[claim.id], families[claim.report]) for claim in ledger.claims}
    counts = Counter(entry["verdict"] for entry in entries.values())
    return {
        "sha256": ledger.sha256,
        "criteria_digest": sources.digest("regrok.analysis.criteria"),
        "alpha": LEVEL,
        "tests": {report: len(family) for report, family in families.items()},
        "counts": {verdict: counts[verdict] for verdict in VERDICTS},
        "claims": entries,
    }


def _by_report(ledger: Ledger) -> dict[str, list[Claim]]:
    reports: dict[str, list[Claim]] = {}
    for claim in ledger.claims:
        reports.setdefault(claim.report, []).append(claim)
    return reports


def _tested(verdict: Verdict) -> bool:
    return verdict.p_value is not None


def _entry(claim: Claim, verdict: Verdict, adjusted: Mapping[str, float]) -> dict[str, Any]:
    p_holm = adjusted.get(claim.id)
    verdict = _corrected(verdict, p_holm, len(adjusted))
    return {
        "report": claim.report,
        "section": claim.section,
        "statement": claim.statement,
        "reported": claim.reported,
        "measured": verdict.measured,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "cells": list(verdict.cells),
        "n": verdict.n,
        "p_value": verdict.p_value,
        "p_holm": p_holm,
        "criterion": {"name": claim.criterion, "parameters": claim.parameters},
        "why": claim.why,
        "studies": claim.studies,
    }


def _corrected(verdict: Verdict, p_holm: float | None, tests: int) -> Verdict:
    supported = verdict.verdict in (judging.REPRODUCED, judging.PARTLY)
    if p_holm is None or not supported or judging.significant(p_holm) or not judging.significant(verdict.p_value):
        return verdict
    alone = f"On its own it would be '{verdict.verdict}' ({verdict.reason.rstrip('.')})"
    return judging.undecided(verdict, f"{alone}, but over the {tests} tests of its report its p is {p_text(p_holm)}.")


def dumps(content: Mapping[str, Any]) -> str:
    """JSON, the same bytes for the same content; raises ValueError for nan and inf, which JSON does not have."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
