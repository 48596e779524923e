"""Floor 2. config.yaml -> studies -> cells: what is trained, how far, with how many seeds."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from .cell import NUMBER, Cell, Positive, Settings
from .events import Follow, evaluation_steps

Overrides = dict[str, Any]  # dotted path into a cell -> value; a block's own name replaces the whole block
SCALES = ("smoke", "laptop", "desk", "cluster")
ScaleName = Literal["smoke", "laptop", "desk", "cluster"]


class Scale(Settings):
    """Seeds and budgets of a scale; a study's entry overlays the global one, a grid's the study's."""

    seeds: Positive | None = Field(None, description="Members a cell: seeds 0 .. n-1.")
    budget: Annotated[int, Field(ge=50), NUMBER] | None = Field(None, description="Steps a member is followed at most.")
    keep: dict[str, list[Any]] = Field({}, description="Values of an axis that are trained at this scale; others wait.")
    skip: bool = Field(False, description="Leave this out at this scale.")

    @field_validator("budget")
    @classmethod
    def evaluated(cls, budget: int | None) -> int | None:
        """A budget that is no common evaluation step would leave its mark on histories that go on beyond it."""
        if budget is not None:
            grid = evaluation_steps(2 * budget)
            *_, below = grid[grid <= budget]
            if below != budget:
                raise ValueError(
                    f"{budget} is no step at which all cells are evaluated; take {below} or another round number"
                )
        return budget

    def overlaid(self, other: "Scale | None") -> "Scale":
        if other is None:
            return self
        given = {key: value for key in other.model_fields_set if (value := getattr(other, key)) is not None}
        given["keep"] = self.keep | other.keep
        return self.model_copy(update=given)


class Grid(Settings):
    """The product of its axes and its cases over a study's base."""

    set: Overrides = Field({}, description="Settings of this grid that differ from the study's.")
    axes: dict[str, list[Any]] = Field({}, description="Setting -> values, crossed with one another.")
    cases: list[Overrides] = Field([], description="Settings that vary together: one entry a point.")
    stop: Literal["event", "budget"] | None = Field(None, description="Where members stop, if not as in the study.")
    scales: dict[ScaleName, Scale] = Field({}, description="Overlay on seeds, budget and values, a scale.")

    def points(self, keep: dict[str, list[Any]]) -> Iterator[Overrides]:
        values = [[{path: value} for value in values] for path, values in self.axes.items()]
        for point in itertools.product(*values, self.cases or [{}]):
            overrides = {path: value for part in point for path, value in part.items()}
            if all(overrides[path] in kept for path, kept in keep.items() if path in overrides):
                yield overrides


class Stretch(Settings):
    """Steps from 0 on: one in `every`, up to `until`."""

    every: Positive
    until: Positive


class Study(Settings):
    """One experimental question of a report."""

    report: str = Field(pattern=r"^\d{3}$", description="The source report, by its number.", examples=["000"])
    question: str = Field(description="What the study asks, in one sentence.")
    base: str = Field(description="Name of the setting under `settings` that it varies.")
    set: Overrides = Field({}, description="Settings of this study that differ from its base.")
    stop: Literal["event", "budget"] = Field("event", description="Where members stop: after t4, or at the budget.")
    reference: Overrides = Field(
        {}, description="The cell that speed-ups are relative to, by the settings that pick it."
    )
    dense: Stretch | None = Field(None, description="Additional evaluations.")
    snapshots: Stretch | None = Field(None, description="Weights that are kept, beside those at log-spaced steps.")
    signals: Positive | None = Field(None, description="Steps whose loss, gradient, update and weights are recorded.")
    timed: bool = Field(False, description="Whether the speeds of its cells are compared, in one run.")
    grids: Annotated[list[Grid], Field(min_length=1)]
    scales: dict[ScaleName, Scale] = Field({}, description="Overlay on seeds, budget and values, a scale.")


class ProbeExtent(Settings):
    """What a scale changes in a probe."""

    set: dict[str, Any] = Field({}, description="Settings of the probe, as its file names them.")
    seeds: Positive | None = Field(None, description="Members a cell that are measured, if not all.")


class Probe(ProbeExtent):
    """To which studies' cells a probe, a file in workflow/regrok/probes, is applied."""

    studies: Annotated[list[str], Field(min_length=1)] = Field(description="Names of studies.")
    scales: dict[ScaleName, ProbeExtent] = Field({}, description="Overlay on settings and seeds, a scale.")

    def at(self, scale: ScaleName) -> ProbeExtent:
        """Settings and seeds at a scale."""
        here = self.scales.get(scale, ProbeExtent())
        return ProbeExtent(set=self.set | here.set, seeds=here.seeds or self.seeds)


class Config(Settings):
    """config.yaml."""

    settings: dict[str, Cell] = Field(description="Named base settings, each a complete cell.")
    scales: dict[ScaleName, Scale] = Field(description="Seeds and budgets that hold where a study says nothing.")
    studies: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Study] = Field(min_length=1)
    probes: dict[str, Probe] = Field({}, description="Measurements on records, by the names of their files.")


@dataclass(frozen=True)
class Design:
    """A cell as one study asks for it at one scale."""

    study: str
    report: str
    cell: Cell
    varied: tuple[str, ...]
    seeds: int
    budget: int
    stop: str
    reference: bool


@dataclass(frozen=True)
class Job:
    """A cell as all studies together ask for it at one scale: what one training job does."""

    cell: Cell
    seeds: int
    follow: Follow

    def dump(self) -> dict[str, Any]:
        """The job as plain JSON values."""
        return {"cell": self.cell.model_dump(), "seeds": self.seeds, "follow": asdict(self.follow)}

    @classmethod
    def load(cls, values: dict[str, Any]) -> "Job":
        """The job that `dump` gave."""
        follow = values["follow"]
        stretches = {key: tuple(map(tuple, follow[key])) for key in ("dense", "snapshots")}
        return cls(Cell.model_validate(values["cell"]), values["seeds"], Follow(**follow | stretches))


def override(settings: dict[str, Any], overrides: Overrides) -> dict[str, Any]:
    """A copy of nested `settings` with dotted paths replaced."""
    result = {key: dict(value) for key, value in settings.items()}
    for path, value in overrides.items():
        block, _, key = path.partition(".")
        if key:
            result.setdefault(block, {})[key] = value
        else:
            result[block] = dict(value)
    return result


def designs(config: Config, scale: ScaleName | None, reports: Iterable[str] = ()) -> list[Design]:
    """Every (study, cell) at `scale`, in the order of config.yaml; scale None gives the union over all scales."""
    reports = set(reports)
    return [
        design
        for name, study in config.studies.items()
        if not reports or study.report in reports
        for grid in study.grids
        for design in grid_designs(config, name, study, grid, scale)
    ]


def extent(config: Config, study: Study, grid: Grid, scale: ScaleName) -> Scale:
    """Seeds, budget and values of a grid at a scale, with all overlays applied."""
    return config.scales[scale].overlaid(study.scales.get(scale)).overlaid(grid.scales.get(scale))


def grid_designs(config: Config, name: str, study: Study, grid: Grid, scale: ScaleName | None) -> Iterator[Design]:
    limits = extent(config, study, grid, scale) if scale else Scale(seeds=1, budget=50)
    if limits.skip:
        return
    base = override(override(config.settings[study.base].model_dump(), study.set), grid.set)
    for point in grid.points(limits.keep):
        cell = Cell.model_validate(override(base, point))
        yield Design(
            study=name,
            report=study.report,
            cell=cell,
            varied=tuple(point),
            seeds=limits.seeds,
            budget=limits.budget,
            stop=grid.stop or study.stop,
            reference=bool(study.reference) and study.reference.items() <= cell.factors.items(),
        )


def jobs(
    config: Config, scale: ScaleName, reports: Iterable[str] = (), studies: Iterable[str] | None = None
) -> list[Job]:
    """One job a cell, asking for the union of what its studies, all or those named, ask at `scale`.

    What is measured is the union over all studies, scales and reports, so that a record serves every scale.
    """
    measured: dict[str, list[Study]] = {}
    for design in designs(config, None):
        measured.setdefault(design.cell.id, []).append(config.studies[design.study])
    merged: dict[str, list[Design]] = {}
    for design in designs(config, scale, reports):
        if studies is None or design.study in studies:
            merged.setdefault(design.cell.id, []).append(design)
    return [
        Job(
            cell=asked[0].cell,
            seeds=max(design.seeds for design in asked),
            follow=Follow(
                until_event=max((d.budget for d in asked if d.stop == "event"), default=0),
                until_budget=max((d.budget for d in asked if d.stop == "budget"), default=0),
                dense=_stretches(study.dense for study in measured[cell_id]),
                snapshots=_stretches(study.snapshots for study in measured[cell_id]),
                signals=max(study.signals or 0 for study in measured[cell_id]),
            ),
        )
        for cell_id, asked in merged.items()
    ]


def _stretches(asked: Iterable[Stretch | None]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted({(stretch.every, stretch.until) for stretch in asked if stretch}))


def probed(config: Config, probe: str, scale: ScaleName, reports: Iterable[str] = ()) -> dict[str, Job]:
    """Cell -> what a probe measures at `scale`: its members, followed as far as the studies of the probe ask, whatever
    others ask of the same cell."""
    if probe not in config.probes:
        return {}
    seeds = config.probes[probe].at(scale).seeds
    asked = jobs(config, scale, reports, config.probes[probe].studies)
    return {job.cell.id: replace(job, seeds=min(job.seeds, seeds or job.seeds)) for job in asked}
