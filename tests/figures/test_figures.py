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
from synthetic import base_tables, design, frame, member

import regrok.figures
from regrok.analysis import probed, scaling_laws, summary, survival
from regrok.figures import one_factor, style

FOLDER = Path(regrok.figures.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if "\nINPUTS = " in path.read_text(encoding="utf-8"))
CASES = ("desk", "laptop", "smoke", "censored", "one member a study", "report 000 alone", "no members yet")


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
    if case == "report 000 alone":
        designs = tables["designs"].query("report == '000'")
        return tables | {
            name: tables[name][tables[name]["cell"].isin(designs["cell"])]
            for name in ("members", "histories", *probed.probes())
        }
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
    never |= members["dropout"].eq(0.3) & members["seed"].gt(0)
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
        assert ax.lines or ax.patches or ax.collections or ax.texts or ax.images, "an empty panel"
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
    given = {needed: rows.copy() for needed, rows in before.items()}
    module(name).draw(**given)
    for needed, rows in before.items():
        pd.testing.assert_frame_equal(given[needed], rows)
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


# Report 001

CURVES = {
    "transformer_curves": ("large_modulus", None),
    "fraction_transformer": ("fractions", "transformer"),
    "fraction_mlp": ("fractions", "residual_mlp"),
    "fraction_lstm": ("fractions", "lstm"),
    "optimizer_curves": ("optimizers_001", None),
    "dropout_curves": ("dropout", None),
}


def studied(case, study):
    return summary.studied(table(case, "members"), table(case, "designs"), study)


def titles(figure):
    return [title.split("  ")[1] for ax in figure.axes if (title := ax.get_title("left"))]


@pytest.mark.parametrize("case", ["desk", "smoke", "censored"])
@pytest.mark.parametrize("name", CURVES)
def test_every_member_that_does_not_generalise_is_marked_in_its_panel(name, case):
    study, architecture = CURVES[name]
    members = studied(case, study)
    own = members if architecture is None else members[members["architecture"] == architecture]
    figure = draw(name, case)
    assert points(figure) == (~own["generalised"]).sum()
    assert len(titles(figure)) == own["cell"].nunique()


def test_only_the_falling_learning_rate_has_falls():
    falling, _, constant, _ = draw("transformer_curves", "desk").axes
    marked = [[x.get_xdata()[0] for x in ax.lines if x.get_color() == style.HIGHLIGHT] for ax in (falling, constant)]
    assert marked == [[5000, 10_000, 15_000], []]
    assert titles(draw("transformer_curves", "laptop")) == ["The report's falling learning rate"]


def test_optimisers_stand_in_rows_of_what_they_vary():
    assert titles(draw("optimizer_curves", "desk")) == [
        *(f"Weight decay {decay}" for decay in ("0", "0.3", "1", "3")),
        *("Batch size 64", "Batch size 512", "Learning rate 0.0001", "Learning rate 0.001"),
        *("SGD, rate 0.0005", "SGD, rate 0.05", "RMSprop, rate 0.0001", "RMSprop, rate 0.0005"),
    ]


def test_sums_stand_at_the_same_share_and_at_the_same_size():
    shares = [f"K = {terms}, fraction 0.7" for terms in (2, 3, 4)]
    sizes = [f"K = {terms}, 1\u202f177 examples" for terms in (2, 3, 4)]
    assert titles(draw("summand_curves", "desk")) == shares + sizes
    assert titles(draw("summand_curves", "smoke")) == shares[:2]


def test_a_dropout_rate_of_one_architecture_that_is_missing_says_so():
    members = table("desk", "members").query("not (architecture == 'lstm' and dropout == 0.1)")
    figure = module("dropout_curves").draw(table("desk", "histories"), members, table("desk", "designs"))
    (gap,) = [ax for ax in figure.axes if "LSTM, dropout 0.1" in ax.get_title("left")]
    assert [text.get_text() for text in gap.texts] == ["not trained yet"]


def by_step(*rows):
    """Figure of Transformers at one fraction: (t4, last step, whether it diverged) a member."""
    own = {"architecture": "transformer", "fraction": 0.5, "t2": 100.0, "budget": 10_000}
    members = [
        member(**own, seed=seed, t4=t4, last_step=last, diverged=diverged)
        for seed, (t4, last, diverged) in enumerate(rows)
    ]
    designs = frame("designs", [design(study="fractions", report="001")])
    return module("grokked_by_step").draw(frame("members", members), designs)


def test_shares_by_step_are_one_minus_kaplan_meier():
    """Of four, one generalises at 1 000, one is lost at 2 000, one generalises at 4 000 and one not by 10 000."""
    never = float("nan")
    main, risk = by_step(
        (1000.0, 1100, False), (never, 2000, False), (4000.0, 4400, False), (never, 10_000, False)
    ).axes
    (line,) = [line for line in main.lines if line.get_drawstyle() == "steps-post"]
    assert line.get_xdata()[1:].tolist() == [1000, 4000, 10_000]
    assert line.get_ydata().tolist() == [0, 0.25, 1 - 0.75 / 2, 1 - 0.75 / 2]
    (lost,) = [line for line in main.lines if line.get_gid() == style.CENSORED]
    assert lost.get_xdata().tolist() == [2000, 10_000]
    assert lost.get_ydata().tolist() == [0.25, 0.625]
    counts = {int(text.get_position()[0]): text.get_text() for text in risk.texts if text.get_position()[1] == 0}
    assert counts == {1000: "4", 3000: "2", 10_000: "1"}


def test_a_diverged_member_stays_at_risk_and_is_not_lost():
    main, risk = by_step((1000.0, 1100, False), (float("nan"), 500, True)).axes
    (line,) = [line for line in main.lines if line.get_drawstyle() == "steps-post"]
    assert line.get_ydata().tolist() == [0, 0.5, 0.5]
    assert not [line for line in main.lines if line.get_gid() == style.CENSORED]
    assert [text.get_text() for text in risk.texts if text.get_position()[1] == 0] == ["2", "1", "1"]


@pytest.mark.parametrize("case", ["desk", "laptop", "smoke", "censored"])
def test_every_median_of_the_summary_is_that_of_one_cell(case):
    figure = draw("effects_001", case)
    expected = []
    for study in ("fractions", "dropout", "open_settings", "optimizers_001", "summands"):
        for _, group in summary.by_cell(studied(case, study)):
            median = survival.median(*survival.durations(group)).value
            times = 3 if study == "optimizers_001" and group["cell"].iloc[0] == base_cell(case) else 0
            expected += [median] * (1 + times)
    shown = [
        line.get_xdata()[0]
        for ax in figure.axes
        for line in ax.lines
        if line.get_markersize() == 4 and line.get_marker() == "o"
    ]
    assert sorted(shown) == sorted(value for value in expected if value < float("inf"))
    assert points(figure) == sum(value == float("inf") for value in expected)


def base_cell(case):
    """The report's own cell, which stands among weight decays, batch sizes, learning rates and optimisers."""
    (cell,) = one_factor.alike(studied(case, "optimizers_001"))["cell"].unique()
    return cell


def test_the_sweeps_of_the_two_reports_do_not_mix():
    assert titles(draw("optimizer_sweep", "desk")) == ["AdamW", "Adam, L2", "SGD, momentum"]
    assert titles(draw("optimizer_sweep_001", "desk")) == ["AdamW", "SGD, momentum", "RMSprop"]
    for name in ("optimizer_sweep", "optimizer_sweep_001"):
        *panels, _ = draw(name, "desk").axes
        assert [len(ax.texts) for ax in panels] == [18, 18, 18]
