"""Floor 0. What pydantic finds wrong with a value, said in one sentence: the path of the key, and what would be right.

What would be right comes from the model's JSON schema.
"""

import difflib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

Schema = dict[str, Any]
Location = Sequence[str | int]


@cache
def json_schema(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def resolved(node: Schema, root: Schema) -> Schema:
    """The schema behind an optional value or a reference."""
    present = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
    if len(present) == 1:
        node = present[0]
    return root["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def locate(location: Location, model: type[BaseModel]) -> tuple[str, Schema]:
    """The path, as one writes it, and the schema of a location that pydantic reports."""
    root = json_schema(model)
    path, node, parent = "", root, root
    for key in location:
        if "discriminator" in node:  # pydantic names the variant on the way into it
            node = resolved({"$ref": node["discriminator"]["mapping"][key]}, root)
        elif key == "[key]":  # pydantic means the key itself
            names = {"type": "string", "pattern": "".join(parent.get("patternProperties", {}))}
            node = parent.get("propertyNames") or names
        else:
            path, node, parent = joined(path, key), resolved(_child(node, key), root), node
    return path, node


def _child(node: Schema, key: str | int) -> Schema:
    """The schema of an entry of a block or a list."""
    if key in node.get("properties", {}):
        return node["properties"][key]
    entries = [*node.get("patternProperties", {}).values(), node.get("items"), node.get("additionalProperties")]
    return next((entry for entry in entries if isinstance(entry, dict)), {})


def joined(path: str, key: str | int) -> str:
    return f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".removeprefix(".")


def worst(error: ValidationError) -> dict[str, Any]:
    """The one of its errors that explains others: a misspelt key is also missing."""
    return min(error.errors(), key=lambda found: found["type"] not in ("extra_forbidden", "invalid_key"))


def sentence(found: dict[str, Any], model: type[BaseModel], place: str | None = None) -> str:
    """One of pydantic's errors about a `model`. place: the path to name, if not that within the model."""
    path, node = locate(found["loc"], model)
    path, value = place or path or "the file", found["input"]
    match found["type"]:
        case "extra_forbidden" | "invalid_key":
            return f"{path} is {_unknown(found['loc'], model)}"
        case "missing":
            return f"{path} is missing; it must be {wanted(node)}"
        case "union_tag_not_found":
            return f"{path}.{tag(node)} is missing; it must be {_tags(node, model)}"
        case "union_tag_invalid":
            return f"{path}.{tag(node)} must be {_tags(node, model)}, not {shown(value[tag(node)])}"
        case "value_error":
            return f"{path}: {found['ctx']['error']}"
        case "too_short":
            return f"{path} is empty; it must have at least {found['ctx']['min_length']}"
    if found["loc"][-1:] == ("[key]",):
        right = suggestion(str(value), node["enum"]) if "enum" in node else f"a name must be {wanted(node)}"
        return f"{path} is no known key; {right}"
    return f"{path} must be {wanted(node)}, not {shown(value)}"


def _unknown(location: Location, model: type[BaseModel]) -> str:
    parent, above = (locate(location[:-end], model)[1] for end in (1, 2))
    kind = f"key of {location[-2]!r}" if "discriminator" in above else "known key"
    return f"no {kind}; {suggestion(str(location[-1]), parent['properties'])}"


def tag(node: Schema) -> str:
    """The key that tells the variants of a block apart."""
    return node["discriminator"]["propertyName"]


def _tags(node: Schema, model: type[BaseModel]) -> str:
    """What the key that tells variants apart may be: their names, and for those that take a text, what that is."""
    names, texts = [], []
    for name, reference in sorted(node["discriminator"]["mapping"].items()):
        own = resolved({"$ref": reference}, json_schema(model))["properties"][tag(node)]
        if own.keys() & {"const", "enum"}:
            names.append(shown(name))
        else:
            texts.append(own["description"])
    return listed([*names, *texts], "or")


KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
}
BOUNDS = {"minimum": "of at least", "exclusiveMinimum": "above", "exclusiveMaximum": "below", "maximum": "at most"}


def wanted(node: Schema) -> str:
    """What a schema accepts, in words."""
    if "anyOf" in node:
        return listed([wanted(option) for option in node["anyOf"]], "or")
    if "const" in node or "enum" in node:
        return listed([shown(value) for value in node.get("enum", [node.get("const")])], "or")
    if "examples" in node:
        return f"text such as {shown(node['examples'][0])}, in quotes"
    if node.get("pattern"):
        return f"text of the form {node['pattern']}"
    bounds = [f"{words} {node[bound]}" for bound, words in BOUNDS.items() if bound in node]
    return " ".join(filter(None, [KINDS.get(node.get("type"), "a block of keys"), listed(bounds)]))


def shown(value: Any) -> str:
    """A value as one writes it in YAML."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case str():
            return repr(value)
        case dict():
            return f"{{{', '.join(f'{key}: {shown(item)}' for key, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(shown, value))}]"
    return str(value)


def listed(items: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest known name, or all of them."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {listed(known)}"
