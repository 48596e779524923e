"""The floors of the library: a file imports only from floors below its own."""

import ast
import subprocess
import sys

import pytest

from regrok import sources

FLOORS = (
    {"tasks", "events", "sources", "wording", "process"},
    {"cell"},
    {"experiment"},
    {"config"},
    {"store", "models"},
    {"training", "stock", "progress", "travel", "provenance"},
    {"probes"},
    {"analysis"},
    {"figures"},
    {"paper", "audit", "cost"},
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
MODULES = [module for module in sources.modules() if module != "regrok"]


def part(module: str) -> str:
    """The file or package directly below regrok that a module belongs to."""
    return module.split(".")[1]


def imported(node: ast.AST) -> list[str]:
    """Top-level names of the packages that a statement imports from outside."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    return [node.module.split(".")[0]] if isinstance(node, ast.ImportFrom) and not node.level else []


def outside(module: str) -> set[str]:
    return {name for node in ast.walk(sources.syntax(module)) for name in imported(node)}


@pytest.mark.parametrize("module", MODULES)
def test_a_file_imports_only_from_lower_floors(module):
    assert part(module) in FLOOR, f"{module} is on no floor: give it one in FLOORS"
    below = {name for name, floor in FLOOR.items() if floor < FLOOR[part(module)]}
    others = {part(name) for name in sources.imports(module) if name != "regrok"} - {part(module)}
    assert others <= below
    assert "regrok" not in sources.imports(module)


def test_loading_the_package_loads_none_of_its_modules():
    """Every import of a module loads regrok/__init__.py first, and no digest includes it."""
    top = [node for node in sources.syntax("regrok").body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [node for node in top if getattr(node, "level", 0) or "regrok" in imported(node)]


@pytest.mark.parametrize("module", [module for module in MODULES if part(module) in ("analysis", "figures", "paper")])
def test_tables_and_figures_need_no_torch(module):
    assert {name for name in sources.closure(module) if "torch" in outside(name)} == set()


@pytest.mark.parametrize("library", ["torch", "scipy.stats"])
def test_what_takes_seconds_to_load_is_not_loaded_with_tables_figures_and_configs(library):
    """Each of them is a process of its own. What the libraries in between import counts too."""
    modules = [module for module in MODULES if part(module) not in ("models", "training", "audit", "probes")]
    script = f"import sys, {', '.join(modules)}; print({library!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("module", sources.modules())
def test_the_library_does_not_know_snakemake(module):
    nodes = list(ast.walk(sources.syntax(module)))
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    names = {node.id for node in nodes if isinstance(node, ast.Name)} | outside(module)
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    texts = {str(node.value) for node in nodes if isinstance(node, ast.Constant) and id(node) not in prose}
    assert not [word for word in names | texts if "snakemake" in word.lower()]


def test_each_architecture_is_a_file_of_its_own():
    """The package of models imports none of them, or editing one would make the records of all of them stale."""
    assert sources.imports("regrok.models") == frozenset()


@pytest.mark.parametrize("module", [module for module in MODULES if part(module) == "training"])
def test_training_names_no_architecture(module):
    """It loads the one that a cell asks for by its name."""
    assert {name for name in sources.imports(module) if part(name) == "models"} <= {
        f"regrok.models{name}" for name in ("", ".differentiated", ".layers", ".parameters")
    }
