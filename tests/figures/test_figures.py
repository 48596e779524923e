"""What every figure must stand: any subset of runs, drawn without warnings, legible, the same bytes every time."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
import regrok.figures
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from regrok.figures import style
from synthetic import base_tables

FOLDER = Path(regrok.figures.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if "\nINPUTS = " in path.read_text(encoding="utf-8"))
STUDIES = ("data_fraction", "operations", "no_decay", "optimizer_sweep", "architectures", "sensitivity")
CASES = ["desk", "laptop", "smoke", "one seed", "censored", "half of the cells", "one cell a study", "no members yet"]
CASES += ["no studies", *(f"without {study}" for study in STUDIES)]


def module(name):
    return import_module(f"regrok.figures.{name}")


@cache
def base(case):
    """Base tables of a case; a share of a study's cells is the first of them."""
    if case in ("desk", "smoke"):
        return base_tables(seeds=8, scale=case, empty=case == "smoke")
    tables = base_tables(seeds=1 if case == "one seed" else 3, scale="laptop")
    if case == "censored":
        return tables | {"members": censored(tables["members"])}
    share = {"half of the cells": 0.5, "one cell a study": 0, "no members yet": None}
    if case in share:
        return only(tables, set(tables["designs"]["study"]), share[case])
    left_out = {"no studies": set(STUDIES)}.get(case, {case.removeprefix("without ")})
    return only(tables, set(tables["designs"]["study"]) - left_out, 1)


def only(tables, studies, share):
    """The runs of the first `share` of every study's cells, at least one; None: no runs."""
    designs = tables["designs"][tables["designs"]["study"].isin(studies)]
    cells = set()
    for _, asked in designs.groupby("study") if share is not None else ():
        cells |= set(asked["cell"].iloc[: max(1, int(share * len(asked)))])
    return {name: frame[frame["cell"].isin(cells)] for name, frame in tables.items()} | {"designs": designs}


def censored(members):
    """Cells whose median is not reached although the base's is, a base whose median is not, and diverged members."""
    members = members.copy()
    never = members["operation"].eq("subtract") & members["fraction"].gt(0.55)
    never |= members["embedding_std"].eq(0.02) | (members["pairs"].eq("unordered") & members["fraction"].eq(0.6))
    never |= members["fraction"].eq(0.3) & members["seed"].gt(0) & members["warmup"].eq(10)
    members.loc[never, ["t4_after", "t4", "delay", "delay_ratio"]] = float("nan")
    members.loc[never, ["generalised", "grokked"]] = False
    members.loc[never, "last_step"] = members.loc[never, "budget"]
    members.loc[never & members["seed"].eq(2), "diverged"] = True
    return members


@cache
def table(case, name):
    if name in base(case):
        return base(case)[name]
    build = import_module(f"regrok.analysis.{name}")
    return build.build(*(table(case, needed) for needed in build.INPUTS))


def draw(name, case):
    return module(name).draw(**{needed: table(case, needed).copy() for needed in module(name).INPUTS})


def points(figure, gid=style.CENSORED):
    """Number of marks of censored times."""
    return sum(len(line.get_xdata()) for ax in figure.axes for line in ax.lines if line.get_gid() == gid)


def drawn_texts(figure, monkeypatch):
    """(text, extent in pixels) of every text that is really drawn, tick labels included."""
    found = []
    original = Text.draw

    def record(self, renderer):
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), self.get_window_extent(renderer)))
        return original(self, renderer)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", record)
        style.styled(FigureCanvasAgg(figure).draw)()
    return found


def overlap(one, other):
    """Width or height in pixels, whichever is less, of what two boxes share."""
    return min(min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0))


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is_in_literals(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    literals = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    given = {key: ast.literal_eval(literals[key]) for key in ("INPUTS", "TITLE", "REPORTS", "ALT")}
    assert isinstance(given["INPUTS"], tuple)
    assert 0 < len(given["TITLE"]) <= 60
    assert given["ALT"].endswith(".")
    assert all(re.fullmatch(r"\d{3}-[A-Z]+\d*[a-z]?", report) for report in given["REPORTS"].split(", "))
    assert module(name).draw.__wrapped__.__code__.co_varnames[: len(given["INPUTS"])] == given["INPUTS"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_draws_legibly_from_any_subset_of_runs(name, case, monkeypatch):
    """Warnings are errors here, so this also holds that none comes up."""
    figure = draw(name, case)
    assert isinstance(figure, Figure)
    assert figure.get_figwidth() in (style.SINGLE, style.DOUBLE)
    texts = drawn_texts(figure, monkeypatch)
    assert texts
    page = figure.bbox.padded(1)
    for i, (text, extent) in enumerate(texts):
        assert page.count_contains(extent.corners()) == 4, f"'{text}' is clipped"
        for other, place in texts[:i]:
            assert overlap(extent, place) < 1.5, f"'{text}' lies on '{other}'"


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_holds_something(name):
    for case in ("laptop", "smoke", "one cell a study"):
        for ax in draw(name, case).axes:
            assert ax.lines or ax.patches or ax.collections or ax.texts


@pytest.mark.parametrize("name", NAMES)
def test_tells_in_words_when_its_study_is_missing(name):
    figure = draw(name, "no members yet")
    words = " ".join(text.get_text() for ax in figure.axes for text in ax.texts).replace("\n", " ")
    assert re.search(r"\b(not|no|none|No)\b", words)


@pytest.mark.parametrize("case", ["desk", "smoke"])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_tables_give_the_same_bytes(name, case, tmp_path):
    for copy in ("first", "second"):
        style.save(draw(name, case), tmp_path / copy)
    for suffix in (".svg", ".pdf"):
        first, second = ((tmp_path / copy).with_suffix(suffix).read_bytes() for copy in ("first", "second"))
        assert first == second
        assert b"CreationDate" not in first
        assert b"dc:date" not in first


@pytest.mark.parametrize("name", NAMES)
def test_leaves_tables_and_settings_alone(name):
    before = {needed: table("laptop", needed).copy() for needed in module(name).INPUTS}
    settings = mpl.rcParams.copy()
    given = {needed: frame.copy() for needed, frame in before.items()}
    module(name).draw(**given)
    for needed, frame in before.items():
        pd.testing.assert_frame_equal(given[needed], frame)
    assert mpl.rcParams == settings


@pytest.mark.parametrize("case", ["desk", "laptop", "smoke", "censored"])
def test_every_censored_cell_is_marked(case):
    operations, cells, members = (table(case, name) for name in ("operations", "steps_to_grokking", "members"))
    designs = table(case, "designs")
    own = designs.loc[designs["study"] == "data_fraction", "cell"]
    at_half = members[members["cell"].isin(own) & members["fraction"].eq(0.5)]
    bounds = table(case, "sensitivity")["ratio_bound"].ne("").sum()
    never = (operations["median"] == float("inf")).sum()
    assert points(draw("operations", case)) == never > 0
    assert points(draw("scaling", case)) == (cells[cells["cell"].isin(own)]["median"] == float("inf")).sum() > 0
    assert points(draw("grokking_curves", case)) == at_half[["t2", "t4"]].isna().sum().sum()
    assert points(draw("sensitivity", case)) == bounds
    assert bounds > 0 or case != "censored"


def test_a_censored_cell_is_marked_at_its_budget():
    operations = table("desk", "operations")
    figure = draw("operations", "desk")
    marks = [y for ax in figure.axes for line in ax.lines if line.get_gid() == style.CENSORED for y in line.get_ydata()]
    assert set(marks) == {500_000}
    assert set(operations.loc[operations["median"] == float("inf"), "budget"]) == {500_000}
