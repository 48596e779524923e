"""Floor 2, above experiment.py. Reads config.yaml whole, or says in one sentence what is wrong with it.

`python -m regrok.config` prints the JSON schema for editors: it is committed as workflow/schemas/config.schema.json.
"""

import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from os import PathLike
from typing import Any

import yaml
from pydantic import ValidationError

from . import sources
from .cell import Cell
from .experiment import SCALES, Config, Grid, Overrides, Probe, Scale, Study, extent, override
from .wording import Schema, json_schema, listed, locate, resolved, sentence, shown, suggestion, tag, wanted, worst


class ConfigError(ValueError):
    """One sentence: the file, the key's full path, what is wrong and what would be right."""


def load(path: str | PathLike) -> Config:
    """The config in a YAML file, checked: every study, at every scale. Raises ConfigError."""
    try:
        content = read(path)
        try:
            config = Config.model_validate(content)
        except ValidationError as error:
            raise ConfigError(sentence(worst(error), Config)) from None
        check(config)
    except ConfigError as error:
        end = "" if str(error).endswith("?") else "."
        raise ConfigError(f"{path}: {error}{end}") from None
    return config


def check_scale(name: str) -> str | None:
    """What is wrong with the name of a scale, in one sentence; None if nothing is."""
    return None if name in SCALES else f"'{name}' is no scale; {suggestion(name, SCALES)}"


def check_report(config: Config, name: str) -> str | None:
    """What is wrong with the number of a report, in one sentence; None if nothing is."""
    reports = sorted({study.report for study in config.studies.values()})
    return None if name in reports else f"'{name}' is no report of a study; {suggestion(name, reports)}"


class _Loader(yaml.SafeLoader):
    """YAML as people expect it: 1e-5 is a number, and a key is given once."""

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            line, identity = key.start_mark.line + 1, (key.tag, str(key.value))
            if identity in lines:
                raise ConfigError(f"line {line}: the key '{key.value}' is given twice, first in line {lines[identity]}")
            lines[identity] = line
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read(path: str | PathLike) -> Any:
    """What a YAML file holds. Raises ConfigError, without the file's name, if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return yaml.load(file, _Loader)
    except OSError as error:
        raise ConfigError(f"the file cannot be read: {error.strerror}") from None
    except ConfigError:
        raise
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else "the file"
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{place} is not valid YAML: {problem}") from None


def check(config: Config) -> None:
    """Raises ConfigError, without the file's name, if a study cannot be run as it stands at some scale."""
    for scale in SCALES:
        for key in ("seeds", "budget"):
            if getattr(config.scales.get(scale, Scale()), key) is None:
                right = wanted(locate(["scales", scale, key], Config)[1])
                raise ConfigError(f"scales.{scale}.{key} is missing; it must be {right}")
    for name, study in config.studies.items():
        if study.base not in config.settings:
            known = suggestion(study.base, config.settings)
            raise ConfigError(f"studies.{name}.base must name one of the settings, not '{study.base}'; {known}")
        _check_overrides(name, study)
        cells = [cell for index in range(len(study.grids)) for cell in _cells(config, name, index)]
        _check_reference(f"studies.{name}.reference", study.reference, cells)
    _check_keep("scales", config.scales, [grid for study in config.studies.values() for grid in study.grids])
    for name, study in config.studies.items():
        _check_keep(f"studies.{name}.scales", study.scales, study.grids)
        for index, grid in enumerate(study.grids):
            _check_keep(f"studies.{name}.grids[{index}].scales", grid.scales, [grid])
            _check_extents(config, name, index)
        _check_presence(config, name)
    for name, probe in config.probes.items():
        _check_probe(config, name, probe)


# Overrides: paths exist, axes have values, nothing is given twice


@cache
def settings() -> dict[str, Schema]:
    """All that can be overridden: dotted path, or name of a whole block -> its JSON schema."""
    root, found = json_schema(Cell), {}
    for block, node in root["properties"].items():
        found[block] = node
        variants = [resolved(variant, root)["properties"] for variant in node.get("oneOf", [node])]
        for key in dict.fromkeys(key for variant in variants for key in variant):
            schemas = [variant[key] for variant in variants if key in variant]
            different = [one for index, one in enumerate(schemas) if one not in schemas[:index]]
            found[f"{block}.{key}"] = different[0] if len(different) == 1 else {"anyOf": different}
    return found


def _check_overrides(name: str, study: Study) -> None:
    here = f"studies.{name}"
    _check_settings(f"{here}.set", study.set)
    _check_settings(f"{here}.reference", study.reference)
    for index, grid in enumerate(study.grids):
        at = f"{here}.grids[{index}]"
        _check_settings(f"{at}.set", grid.set)
        for number, case in enumerate(grid.cases):
            _check_settings(f"{at}.cases[{number}]", case)
        for path, values in grid.axes.items():
            _check_axis(f"{at}.axes", path, values)
        _check_conflicts(at, grid, {f"{here}.set": study.set, f"{at}.set": grid.set})


def _check_settings(at: str, overrides: Overrides) -> None:
    for path, value in overrides.items():
        if path not in settings():
            raise ConfigError(f"{at}.{path} is no known setting; {_nearest_setting(path)}")
        if "." not in path and not isinstance(value, dict):
            raise ConfigError(f"{at}.{path} must be a block of keys, not {shown(value)}")


def _nearest_setting(path: str) -> str:
    """The nearest one, or all of its block, or all blocks."""
    block = path.partition(".")[0]
    inside = [known for known in settings() if known.startswith(f"{block}.")]
    blocks = [known for known in settings() if "." not in known]
    near = difflib.get_close_matches(path, [known for known in settings() if "." in known or "." not in path], n=1)
    return suggestion(path, near or inside or blocks)


def _check_axis(at: str, path: str, values: list[Any]) -> None:
    if not values:
        raise ConfigError(f"{at}.{path} has no values; give at least one, or leave the axis out")
    for index, value in enumerate(values):
        _check_settings(at, {path: value})
        if value in values[:index]:
            raise ConfigError(f"{at}.{path} has the value {shown(value)} twice; leave one out")


def _check_conflicts(at: str, grid: Grid, fixed: dict[str, Overrides]) -> None:
    """No axis replaces what is set, and nothing replaces what an axis varies."""
    for axis in grid.axes:
        places = {place: [path for path in overrides if _covers(axis, path)] for place, overrides in fixed.items()}
        places[f"{at}.axes"] = [path for path in grid.axes if path != axis and _covers(path, axis)]
        for number, case in enumerate(grid.cases):
            places[f"{at}.cases[{number}]"] = [path for path in case if _covers(path, axis)]
        for place, paths in places.items():
            if paths:
                raise ConfigError(f"{at}.axes.{axis} is also set by {place}.{paths[0]}; leave one of them out")


def _covers(path: str, other: str) -> bool:
    return other == path or other.startswith(f"{path}.")


# Cells: each point of a grid is a valid cell of its own


def _cells(config: Config, name: str, index: int) -> list[Cell]:
    """The cells of one of a study's grids, over all scales."""
    study, at = config.studies[name], f"studies.{name}.grids[{index}]"
    grid = study.grids[index]
    base = override(override(config.settings[study.base].model_dump(), study.set), grid.set)
    cells: dict[Cell, Overrides] = {}
    for point in grid.points({}):
        try:
            cell = Cell.model_validate(override(base, point))
        except ValidationError as error:
            places = _places(f"studies.{name}", study, index, point)
            raise ConfigError(_explained(worst(error), places, _with(at, point))) from None
        if cell in cells:
            raise ConfigError(f"{_with(at, cells[cell])} is the same cell as{_with('', point)}; leave one out")
        cells[cell] = point
    return list(cells)


def _with(at: str, point: Overrides) -> str:
    """A grid's point in words."""
    return f"{at} with {listed([f'{path} {shown(value)}' for path, value in point.items()])}" if point else at


def _places(here: str, study: Study, index: int, point: Overrides) -> dict[str, str]:
    """Setting -> full path of the key in the config that gives it at a point of a grid."""
    grid, at = study.grids[index], f"{here}.grids[{index}]"
    given = [(f"{here}.set", study.set), (f"{at}.set", grid.set), (f"{at}.axes", grid.axes)]
    given += [(f"{at}.cases[{i}]", case) for i, case in enumerate(grid.cases) if case.items() <= point.items()]
    return {path: f"{place}.{path}" for place, overrides in given for path in overrides}


def _explained(found: dict[str, Any], places: dict[str, str], point: str) -> str:
    """An error in a cell, said about the place in the config that the value comes from."""
    if found["type"] == "value_error":
        return f"{point}: {found['ctx']['error']}"
    path, node = locate(found["loc"], Cell)
    block = found["loc"][0]
    if path in places or block in places:
        return sentence(found, Cell, places.get(path) or places[block] + path.removeprefix(block))
    kind = f"{block}.{tag(locate([block], Cell)[1])}"
    if found["type"] == "union_tag_invalid":
        return sentence(found, Cell, places[kind].removesuffix(f".{tag(node)}"))
    variant = found["loc"][1]
    keys = ", ".join(f"{key}: {variant if f'{block}.{key}' == kind else '…'}" for key in _keys(block, variant))
    return f"{places[kind]}: {variant!r} has other settings than the base; give the whole block, {block}: {{{keys}}}"


def _keys(block: str, variant: str) -> Mapping[str, Schema]:
    return locate([block, variant], Cell)[1]["properties"]


def _check_reference(at: str, reference: Overrides, cells: list[Cell]) -> None:
    """One reference for each group of cells that agree in everything that varies and that `reference` does not fix."""
    if not reference:
        return
    rows = [cell.factors for cell in cells]
    everywhere = [path for path in rows[0] if all(path in row for row in rows)]
    varying = [path for path in everywhere if path not in reference and len({row[path] for row in rows}) > 1]
    chosen = [row for row in rows if reference.items() <= row.items()]
    if not chosen:
        raise ConfigError(f"{at} picks no cell of the study: none has{_with('', reference).removeprefix(' with')}")
    if len({tuple(row.get(path) for path in reference) for row in rows}) == 1:
        raise ConfigError(f"{at} picks every cell; it must name a setting that the study varies")
    counts = Counter(tuple(row[path] for path in varying) for row in chosen)
    for group in {tuple(row[path] for path in varying): None for row in rows}:
        if counts[group] != 1:
            where = _with("", dict(zip(varying, group, strict=True)))
            number = counts[group] or "no"
            raise ConfigError(f"{at} picks {number} cells{where}; it must pick one for each group of comparable cells")


# Scales: every grid has a point and grows from scale to scale


def _check_keep(at: str, scales: Mapping[str, Scale], grids: list[Grid]) -> None:
    for scale, limits in scales.items():
        for path, kept in limits.keep.items():
            place = f"{at}.{scale}.keep.{path}"
            values = [value for grid in grids for value in _values(grid, path)]
            if not values:
                known = dict.fromkeys(
                    known for grid in grids for known in [*grid.axes, *(k for c in grid.cases for k in c)]
                )
                raise ConfigError(f"{place} is no axis; {suggestion(path, known) if known else 'there is none'}")
            for value in kept:
                if value not in values:
                    known = listed([shown(known) for known in _distinct(values)])
                    raise ConfigError(
                        f"{place} keeps {shown(value)}, which is no value of that axis; known are {known}"
                    )


def _values(grid: Grid, path: str) -> Iterator[Any]:
    yield from grid.axes.get(path, [])
    yield from (case[path] for case in grid.cases if path in case)


def _distinct(values: list[Any]) -> list[Any]:
    return [value for index, value in enumerate(values) if value not in values[:index]]


def _check_extents(config: Config, name: str, index: int) -> None:
    study, at = config.studies[name], f"studies.{name}.grids[{index}]"
    grid, smaller = study.grids[index], None
    for scale in SCALES:
        limits = extent(config, study, grid, scale)
        if limits.skip:
            continue
        if next(grid.points(limits.keep), None) is None:
            raise ConfigError(
                f"{_place(config, name, index, scale, 'keep')} leaves no point of {at}; "
                f"keep a value that it has, or give it scales.{scale}.skip: true"
            )
        for key in ("seeds", "budget") if smaller else ():
            before = getattr(extent(config, study, grid, smaller), key)
            if getattr(limits, key) < before:
                place, earlier = (_place(config, name, index, one, key) for one in (scale, smaller))
                raise ConfigError(
                    f"{place} must be at least {before}, as {earlier} is, not {getattr(limits, key)}, for {at}"
                )
        smaller = scale


def _place(config: Config, name: str, index: int, scale: str, key: str) -> str:
    """Full path of the innermost key that limits a grid at a scale."""
    here, study = f"studies.{name}", config.studies[name]
    for at, scales in ((f"{here}.grids[{index}].", study.grids[index].scales), (f"{here}.", study.scales)):
        if scale in scales and getattr(scales[scale], key):
            return f"{at}scales.{scale}.{key}"
    return f"scales.{scale}.{key}"


def _check_presence(config: Config, name: str) -> None:
    study = config.studies[name]
    for scale in SCALES:
        skipped = config.scales[scale].overlaid(study.scales.get(scale)).skip
        if not skipped and all(extent(config, study, grid, scale).skip for grid in study.grids):
            place = f"studies.{name}.scales.{scale}.skip"
            raise ConfigError(f"{place} must be true, since all grids of the study are skipped at that scale")


# Probes: their studies exist and keep what they read, their settings are those that their files declare


def _check_probe(config: Config, name: str, probe: Probe) -> None:
    here, module = f"probes.{name}", f"{sources.PACKAGE}.probes.{name}"
    package = f"{sources.PACKAGE}.probes"
    known = [m.rpartition(".")[2] for m in sources.modules(package) if sources.declared_or(m, "COLUMNS", None)]
    if name not in known:
        raise ConfigError(f"{here} is no file in workflow/regrok/probes; {suggestion(name, known)}")
    for index, study in enumerate(probe.studies):
        if study not in config.studies:
            raise ConfigError(f"{here}.studies[{index}]: '{study}' is no study; {suggestion(study, config.studies)}")
        for need in sources.declared_or(module, "NEEDS", ()):
            if getattr(config.studies[study], need) is None:
                raise ConfigError(f"{here}.studies[{index}] reads {need}, so studies.{study}.{need} must be given")
    settings = sources.declared(module, "SETTINGS")
    places = {here: probe, **{f"{here}.scales.{scale}": there for scale, there in probe.scales.items()}}
    for place, there in places.items():
        for key, value in there.set.items():
            if key not in settings:
                raise ConfigError(f"{place}.set.{key} is no setting of the probe; {suggestion(key, settings)}")
            if not _alike(value, settings[key]):
                raise ConfigError(
                    f"{place}.set.{key} must be of the kind of {shown(settings[key])}, not {shown(value)}"
                )


def _alike(value: Any, example: Any) -> bool:
    """Whether a value is of the kind of an example; a whole number may stand for any other number."""
    return type(value) is type(example) or (type(example) is float and type(value) is int)


# The schema for editors


def schema() -> str:
    """JSON schema of config.yaml, with the settings that can be overridden spelt out."""
    root = Config.model_json_schema()
    many = {path: {"type": "array", "items": node} for path, node in settings().items()}
    for name, paths in (("Overrides", settings()), ("Axes", many)):
        root["$defs"][name] = {"type": "object", "properties": paths, "additionalProperties": False}
    study, grid, scale = (root["$defs"][name]["properties"] for name in ("Study", "Grid", "Scale"))
    overrides = (study["set"], study["reference"], grid["set"], grid["cases"]["items"])
    for nodes, name in ((overrides, "Overrides"), ((grid["axes"], scale["keep"]), "Axes")):
        for node in nodes:
            del node["additionalProperties"]
            node["$ref"] = f"#/$defs/{name}"
    text = json.dumps(root, indent=2, ensure_ascii=False) + "\n"
    return text.replace('"oneOf"', '"anyOf"')  # for a schema, the name of an operation may be a formula as well


if __name__ == "__main__":
    sys.stdout.write(schema())
