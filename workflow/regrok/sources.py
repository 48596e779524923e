"""Floor 0. The library's own sources, read without being imported: what they import, declare, and their digests.

A digest is over the syntax tree without comments and docstrings, so only an edit that can change what the code
does changes it. It is the same under every version of Python.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent
PACKAGE = "regrok"

# A cell's settings are in its id, events and budgets only say where to stop, the rest keeps or shows what was trained.
NO_PART_OF_A_TRAJECTORY = frozenset(
    f"{PACKAGE}.{name}" for name in ("cell", "experiment", "config", "events", "store", "stock", "progress", "sources")
)
LIBRARIES = ("torch", "numpy", "numba", "llvmlite")


def source(module: str) -> Path | None:
    """The file of a module of this package; None if there is none."""
    path = ROOT.joinpath(*module.split(".")[1:])
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in candidates if module.split(".")[0] == PACKAGE and file.is_file()), None)


def modules(package: str = PACKAGE) -> list[str]:
    """The package and all modules below it that have a file, sorted."""
    below = ROOT.joinpath(*package.split(".")[1:])
    names = (".".join([PACKAGE, *file.relative_to(ROOT).with_suffix("").parts]) for file in below.rglob("*.py"))
    return sorted(name.removesuffix(".__init__") for name in names)


@cache
def syntax(module: str) -> ast.Module:
    """The syntax tree of a module of this package. Raises ModuleNotFoundError if it has no source."""
    file = source(module)
    if file is None:
        raise ModuleNotFoundError(f"{module} has no source in {PACKAGE}", name=module)
    return ast.parse(file.read_bytes())


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of this package that a module imports anywhere in its code, with the packages they are in.

    The root package is in it only if a name of its own is imported, not for being loaded on the way to a module.
    """
    package = module if source(module).name == "__init__.py" else module.rpartition(".")[0]
    named = {name for node in ast.walk(syntax(module)) for name in _named(node, package) if source(name)}
    around = {parent for name in (module, *named) for parent in _parents(name) if source(parent)}
    return frozenset(named | around - {module})


def _named(node: ast.AST, package: str) -> Iterator[str]:
    """The modules that one import statement within `package` may name."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if source(inner) else base


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:n]) for n in range(2, len(parts)))


@cache
def own_digest(module: str) -> str:
    """16 hex digits of the SHA-256 over a module's own syntax tree."""
    return hashlib.sha256(_canonical(syntax(module)).encode()).hexdigest()[:16]


def _canonical(node: object) -> str:
    """Unlike ast.dump, the same under every version of Python: newer ones add fields, which are empty in older code."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return f"{type(node).__name__}({','.join(f'{name}={_canonical(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{','.join(_canonical(item) for item in node if not _is_docstring(item))}]"
    return ascii(node)


def _is_docstring(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def closure(*roots: str, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Module -> digest of its own code, for `roots` and everything of this package that they import, sorted.

    Modules in `without` are left out and not followed. Raises ModuleNotFoundError if a root has no source.
    """
    found: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in found and module not in without:
            found[module] = own_digest(module)
            waiting.extend(imports(module))
    return dict(sorted(found.items()))


def digest(*roots: str) -> str:
    """16 hex digits over the closure of `roots`: changes if and only if code that they can reach does."""
    lines = "".join(f"{module} {code}\n" for module, code in closure(*roots).items())
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def cell_code(architecture: str, family: str) -> dict[str, str]:
    """What code, besides its settings, determines a cell's trajectory: module -> digest, library -> version.

    architecture, family: names of modules in models/ and tasks/. Raises ModuleNotFoundError if there is no such module.
    Build variants of a library ("2.13.0+cpu") count as one version.
    """
    roots = (*modules(f"{PACKAGE}.training"), f"{PACKAGE}.models.{architecture}", f"{PACKAGE}.tasks.{family}")
    return closure(*roots, without=NO_PART_OF_A_TRAJECTORY) | versions()


def probe_code(probe: str, architecture: str, family: str) -> dict[str, str]:
    """What code determines the measurements of a probe on a cell, of which the settings are known: module -> digest.

    Raises ModuleNotFoundError if there is no such module.
    """
    module, without = f"{PACKAGE}.probes.{probe}", NO_PART_OF_A_TRAJECTORY - {f"{PACKAGE}.events"}
    if "snapshots" in declared_or(module, "NEEDS", ()):
        return closure(module, f"{PACKAGE}.models.{architecture}", f"{PACKAGE}.tasks.{family}", without=without)
    return closure(module, without=without | {f"{PACKAGE}.probes.snapshots"})


def versions() -> dict[str, str]:
    """Library -> version, of those that determine a trajectory's last bits."""
    return {library: version(library).partition("+")[0] for library in LIBRARIES}


def changed(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """What differs between two codes, module or library -> digest or version, as phrases."""
    names = (name for name in old | new if old.get(name) != new.get(name))
    return [
        f"{name.replace('.', '/')}.py changed" if name.startswith(PACKAGE) else f"{name} has another version"
        for name in names
    ]


def docstring(module: str) -> str:
    """The first paragraph of a module's docstring, on one line."""
    return " ".join((ast.get_docstring(syntax(module)) or "").partition("\n\n")[0].split())


def declared(module: str, name: str) -> object:
    """The value of a literal constant at the top of a module.

    Raises LookupError if the module does not assign `name`, ValueError if the value is no literal.
    """
    values = [value for statement in syntax(module).body for value in _assigned(statement, name)]
    if not values:
        raise LookupError(f"{module} declares no {name}")
    try:
        return ast.literal_eval(values[-1])
    except ValueError as error:
        raise ValueError(f"{module}.{name} must be a literal: it is read without importing the module") from error


def declared_or(module: str, name: str, otherwise: object) -> object:
    """The same, or `otherwise` if the module does not assign `name`."""
    try:
        return declared(module, name)
    except LookupError:
        return otherwise


def _assigned(statement: ast.stmt, name: str) -> Iterator[ast.expr]:
    """What a statement assigns to `name`."""
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            yield statement.value
