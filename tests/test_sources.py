"""Digests of the library's own code, on a copy of it that is edited."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from regrok import sources

PACKAGE = {
    "__init__.py": "from .top import load\n",
    "low.py": '"""Low."""\n\nLIMIT = 3\n\n\ndef double(x):\n    """Twice."""\n    return 2 * x  # not squared\n',
    "aside.py": "import json\n",
    "top.py": "from . import low\n\n\ndef load():\n    from .pack.one import f\n\n    return f(low)\n",
    "pack/__init__.py": "",
    "pack/one.py": "from ..low import double\n\n\ndef f(x):\n    return double(x)\n",
    "pack/two.py": "import regrok.aside\nfrom regrok.pack.one import f\n",
    "deep/__init__.py": "from .inner import thing\n",
    "deep/inner.py": "thing = 1\n",
    "deep/er/__init__.py": "",
    "deep/er/most.py": "from ... import aside\nfrom ..inner import *\n",
    "root.py": "from regrok import load\n",
    "loop_a.py": "from . import loop_b\n",
    "loop_b.py": "from . import loop_a\n",
}


def forget():
    for cached in (sources.syntax, sources.imports, sources.own_digest):
        cached.cache_clear()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Make the library a small made-up package, which can be edited."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    forget()
    yield tmp_path
    forget()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    forget()


@pytest.mark.parametrize(
    ("root", "modules"),
    [
        ("low", "low"),
        ("pack.one", "low pack pack.one"),
        ("pack.two", "aside low pack pack.one pack.two"),
        ("top", "low pack pack.one top"),
        ("deep", "deep deep.inner"),
        ("deep.er.most", "aside deep deep.er deep.er.most deep.inner"),
        ("root", "  low pack pack.one root top"),
        ("loop_a", "loop_a loop_b"),
    ],
)
def test_closure_follows_imports(tree, root, modules):
    expected = ["regrok", *modules.split()] if modules.startswith("  ") else modules.split()
    assert list(sources.closure(f"regrok.{root}")) == [f"regrok.{m}" if m != "regrok" else m for m in expected]


def test_closure_of_several_is_their_union(tree):
    both = sources.closure("regrok.deep", "regrok.pack.one")
    assert both == sources.closure("regrok.deep") | sources.closure("regrok.pack.one")


def test_closure_does_not_follow_what_is_left_out(tree):
    assert list(sources.closure("regrok.top", without=frozenset({"regrok.pack.one"}))) == [
        "regrok.low",
        "regrok.pack",
        "regrok.top",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Low."""', '"""Lower."""'),
        ('    """Twice."""\n', ""),
        ('"""Twice."""', "'''2 x.\n\n    More.\n    '''"),
        ("  # not squared", ""),
        ("\n\nLIMIT = 3", "\n# as few\nLIMIT   =  (3)\n'''Docstring of a constant.'''\n"),
        ("LIMIT = 3", "LIMIT = 0x3"),
    ],
)
def test_what_only_people_read_changes_nothing(tree, old, new):
    before = sources.digest("regrok.top")
    edit(tree / "low.py", old, new)
    assert sources.digest("regrok.top") == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("LIMIT = 3", "LIMIT = '3'"),
        ("2 * x", "x * 2"),
        ("double(x)", "double(x=None)"),
        ("double(x)", "double(*, x)"),
        ("return 2 * x", "2 * x"),
        ("LIMIT = 3", "LIMIT = 3\nLIMIT += 1"),
    ],
)
def test_an_edit_of_code_changes_exactly_what_imports_it(tree, old, new):
    roots = [name for name in sources.modules() if name not in ("regrok", "regrok.root")]
    before = {root: sources.digest(root) for root in roots}
    edit(tree / "low.py", old, new)
    changed = {root for root in roots if sources.digest(root) != before[root]}
    assert changed == {"regrok.low", "regrok.top", "regrok.pack.one", "regrok.pack.two"}


def test_adding_an_import_changes_the_digest(tree):
    before = sources.digest("regrok.pack.one")
    edit(tree / "pack/__init__.py", "", "from . import two\n")
    assert sources.digest("regrok.pack.one") != before


EVERY_SYNTAX = """
from dataclasses import dataclass


@dataclass(frozen=True)
class A(dict):
    x: int = 1_0


async def f(a, /, b=None, *c, d: "int" = 0xFF, **e) -> float:
    y = f"{a!r:>{b}} é {e['k']:.2f}" "tail" if 0 else [i for i in c if i]
    match y:
        case {"k": [1, *_]} | None:
            return 1e-5
    with open(a) as g, open(b):
        yield lambda: ...
    try:
        del g[1:2, ...]
    except* ValueError:
        raise
"""


def test_a_digest_is_the_same_under_every_python(tree):
    """A version of Python that sees another tree in the same code would make every record stale."""
    (tree / "low.py").write_text(EVERY_SYNTAX, encoding="utf-8")
    forget()
    assert sources.own_digest("regrok.low") == "35a4eada2a4528bd"


def test_modules_lists_all_files(tree):
    assert sources.modules("regrok.deep") == [
        "regrok.deep",
        "regrok.deep.er",
        "regrok.deep.er.most",
        "regrok.deep.inner",
    ]
    assert {"regrok", "regrok.low", "regrok.pack.two"} <= set(sources.modules())


def test_what_does_not_exist_is_named(tree):
    with pytest.raises(ModuleNotFoundError, match=r"regrok\.nothing has no source in regrok"):
        sources.closure("regrok.nothing")
    with pytest.raises(LookupError, match=r"regrok\.low declares no TITLE"):
        sources.declared("regrok.low", "TITLE")


def test_declared_reads_literals_without_importing(tree):
    (tree / "low.py").write_text(
        "raise RuntimeError('imported')\n"
        "INPUTS = ('members', 'designs')\n"
        "COLUMNS: dict[str, tuple] = {'cell': ('', 'id ' 'of the cell')}\n"
        "LATER: int\n"
        "TITLE = 'old'\nTITLE = 'new'\n"
        "SUM = len(INPUTS)\n"
    )
    forget()
    assert sources.declared("regrok.low", "INPUTS") == ("members", "designs")
    assert sources.declared("regrok.low", "COLUMNS") == {"cell": ("", "id of the cell")}
    assert sources.declared("regrok.low", "TITLE") == "new"
    with pytest.raises(LookupError):
        sources.declared("regrok.low", "LATER")
    with pytest.raises(ValueError, match=r"regrok\.low\.SUM must be a literal"):
        sources.declared("regrok.low", "SUM")


# The library itself


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of the library with an architecture added, which can be edited."""
    for name in sources.modules():
        file = sources.source(name)
        copy = tmp_path / file.relative_to(sources.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    (tmp_path / "models/lstm.py").write_text("from .layers import Linear\n\nWIDTH = 1\n")
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    forget()
    yield tmp_path
    forget()


def changed_cells(library: Path, file: str, code: str = "\nEDITED = True\n") -> set[str]:
    before = {name: sources.cell_code(name, "modular") for name in ("mlp", "lstm")}
    path = library / file
    path.write_text(path.read_text() + code)
    forget()
    return {name for name, code in before.items() if sources.cell_code(name, "modular") != code}


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        ("models/mlp.py", {"mlp"}),
        ("models/lstm.py", {"lstm"}),
        ("models/layers.py", {"mlp", "lstm"}),
        ("training/stack.py", {"mlp", "lstm"}),
        ("tasks/modular.py", {"mlp", "lstm"}),
        ("tasks/split.py", {"mlp", "lstm"}),
        ("cell.py", set()),
        ("experiment.py", set()),
        ("config.py", set()),
        ("events.py", set()),
        ("store.py", set()),
        ("sources.py", set()),
        ("figures/style.py", set()),
        ("__init__.py", set()),
    ],
)
def test_an_edit_makes_stale_what_it_can_change(library, file, stale):
    assert changed_cells(library, file) == stale


def test_a_comment_makes_nothing_stale(library):
    assert changed_cells(library, "training/stack.py", "\n# a remark\n") == set()


def test_versions_belong_to_a_cells_code():
    code = sources.cell_code("mlp", "modular")
    assert code["torch"] == version("torch").partition("+")[0]
    assert code["numpy"] == version("numpy")
    assert {"regrok.training", "regrok.models.mlp", "regrok.tasks", "regrok.tasks.split"} <= set(code)


def test_an_unknown_architecture_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"regrok\.models\.mpl has no source"):
        sources.cell_code("mpl", "modular")


def test_reading_sources_imports_nothing_heavy():
    script = (
        "import sys; from regrok import sources; sources.cell_code('mlp', 'modular');"
        "print([name for name in ('torch', 'numpy', 'pandas') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"
