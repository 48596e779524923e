"""What every figure must stand: any subset of runs, drawn without warnings, legible, the same bytes every time."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from synthetic import base_tables

import regrok.figures
from regrok.analysis import scaling_laws
from regrok.figures import style

FOLDER = Path(regrok.figures.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if "\nINPUTS = " in path.read_text(encoding="utf-8"))
CASES = ("desk", "laptop", "smoke", "censored", "one member a study", "no members yet")


def module(name):
    return import_module(f"regrok.figures.{name}")


@cache
def base(case):
    """Base tables of a case."""
    if case in ("desk", "smoke"):
        return base_tables(seeds=8, scale=case, empty=case == "smoke")
    tables = base_tables(seeds=3, scale="laptop")
    if case == "censored":
        return tables | {"members": censored(tables["members"])}
    if case == "laptop":
        return tables
    cells = tables["designs"].groupby("study")["cell"].nth(0) if case == "one member a study" else ()
    return {name: frame if name in ("designs", "cells") else of(frame, cells) for name, frame in tables.items()}


def of(frame, cells):
    """Rows of the first member of `cells`; tables that do not know cells stay whole."""
    if "cell" not in frame:
        return frame
    return frame[frame["cell"].isin(cells) & (frame["seed"].eq(0) if "seed" in frame else True)]


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


@pytest.fixture(scope="module", autouse=True)
def remembered_fits():
    """The report's own points are fitted in every case: once is enough here."""
    known, fit = {}, scaling_laws.fit

    def remember(law, *data):
        key = law, *(column.tobytes() for column in data)
        return known[key] if key in known else known.setdefault(key, fit(law, *data))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scaling_laws, "fit", remember)
        yield


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
    for ax in figure.axes:
        assert ax.lines or ax.patches or ax.collections or ax.texts, "an empty panel"
    texts = drawn_texts(figure, monkeypatch)
    page = figure.bbox.padded(1)
    for i, (text, extent) in enumerate(texts):
        assert page.count_contains(extent.corners()) == 4, f"'{text}' is clipped"
        for other, place in texts[:i]:
            assert overlap(extent, place) < 1.5, f"'{text}' lies on '{other}'"


@pytest.mark.parametrize("name", NAMES)
def test_tells_in_words_when_its_study_is_missing(name):
    figure = draw(name, "no members yet")
    words = " ".join(text.get_text() for ax in figure.axes for text in ax.texts).replace("\n", " ")
    assert re.search(r"\b(not|no|none|No)\b", words)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_tables_give_the_same_bytes(name, tmp_path):
    for copy in ("first", "second"):
        style.save(draw(name, "laptop"), tmp_path / copy)
    for suffix in (".svg", ".pdf"):
        first, second = ((tmp_path / copy).with_suffix(suffix).read_bytes() for copy in ("first", "second"))
        assert first == second
        assert b"CreationDate" not in first
        assert b"dc:date" not in first


@pytest.mark.parametrize("name", NAMES)
def test_leaves_tables_and_settings_alone(name):
    before = {needed: table("laptop", needed).copy() for needed in module(name).INPUTS}
    settings = dict(mpl.rcParams.items())
    given = {needed: frame.copy() for needed, frame in before.items()}
    module(name).draw(**given)
    for needed, frame in before.items():
        pd.testing.assert_frame_equal(given[needed], frame)
    assert dict(mpl.rcParams.items()) == settings


@pytest.mark.parametrize("case", ["desk", "smoke", "censored"])
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


def test_a_panel_without_runs_says_so_beside_one_with_runs(monkeypatch):
    operations = table("laptop", "operations").query("pairs == 'unordered' and operation != 'subtract'")
    figure = module("operations").draw(operations, table("laptop", "members"), table("laptop", "designs"))
    words = [text for text, _ in drawn_texts(figure, monkeypatch)]
    assert {"addition", "multiplication", "division"} <= set(words)
    assert "subtraction" not in words
    assert any("not trained yet with a split of ordered pairs" in text.replace("\n", " ") for text in words)


def test_sensitivity_sets_thousands_apart():
    change = SimpleNamespace(setting="schedule", base_value="constant", value="cosine, horizon 100000")
    assert module("sensitivity").label(change) == "learning rate: constant → cosine, horizon 100\u202f000"
    change = SimpleNamespace(setting="beta2", base_value="0.9995", value="0.98")
    assert module("sensitivity").label(change) == "Adam's β₂: 0.9995 → 0.98"


def test_a_fraction_without_a_ratio_is_told_in_words():
    sensitivity = table("laptop", "sensitivity")
    sensitivity.loc[sensitivity["fraction"] == 0.3, ["ratio", "ratio_low", "ratio_high"]] = float("nan")
    figure = module("sensitivity").draw(sensitivity)
    assert len(figure.axes) == 1
    assert "fraction 0.3: no median reached" in figure.get_supxlabel()


def test_a_row_without_runs_says_so():
    sensitivity = table("laptop", "sensitivity")
    sensitivity = sensitivity.assign(ratio=sensitivity["ratio"].fillna(1.0), ratio_bound="")
    missing = sensitivity["fraction"].eq(0.3) & sensitivity["setting"].eq("beta2")
    figure = module("sensitivity").draw(sensitivity[~missing])
    assert [[text.get_text() for text in ax.texts] for ax in figure.axes] == [["not trained"], []]
