"""Floor 4. Where a file comes from: a manifest beside each table, each figure, the numbers and the paper.

NAME.manifest.json holds the checksums of the files NAME.* that were made together, of the files they were made from,
the digest of the code that made them, and the records that they come from, by their names in records.json. It holds no
time, host or absolute path: the same records give the same bytes.
"""

import ast
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from . import sources
from .experiment import Design, Job
from .store import Record, digest, seal, write_json

SUFFIX = ".manifest.json"
ALL = "all"


TABLE_CODE = "regrok.analysis.tables"
CODE = {
    "records": ("regrok.analysis.records", TABLE_CODE, "regrok.stock", "regrok.experiment"),
    "numbers": ("regrok.analysis.numbers", "regrok.analysis.claims"),
    "claims": ("regrok.analysis.numbers", "regrok.analysis.claims"),
    "regrok": ("regrok.paper",),
}


class Damaged(ValueError):
    """A file is not what was written, in one sentence."""


def manifest_of(path: Path) -> Path:
    return path.with_suffix(SUFFIX)


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(
    made: Iterable[str | Path],
    used: Iterable[str | Path],
    code: str,
    records: Collection[str] | str = (),
    ledger: str | Path = "",
) -> None:
    """Write the manifest of files that were `made` together, of one stem, from the files `used` by `code` (a digest).

    records: names in `ledger`, which is the scale's records.json, or ALL.
    """
    made = sorted(map(Path, made))
    place = {"in": Path(ledger).as_posix(), "sha256": sha256(Path(ledger))} if records else {}
    content = {
        "files": {path.name: sha256(path) for path in made},
        "from": {path.as_posix(): sha256(path) for path in sorted(map(Path, used))},
        "code": code,
        "records": {**place, "names": records if records == ALL else sorted(records)},
    }
    write_json(manifest_of(made[0]), {**content, "seal": seal(content)})


def read(path: Path) -> dict[str, Any]:
    """The manifest at `path`. Raises Damaged if it is missing or not as it was written."""
    try:
        content = json.loads(path.read_bytes())
        whole = content["seal"] == seal(content)
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise Damaged(f"{path} is missing or damaged; `make paper` builds it again")
    return content


def checked(path: str | Path) -> BytesIO:
    """A file that has a manifest, in memory. Raises Damaged if it is not the one that was written."""
    path = Path(path)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != read(manifest_of(path))["files"].get(path.name):
        raise Damaged(
            f"{path} is damaged: its checksum is not the one in {manifest_of(path)}; `make paper` builds it again"
        )
    return BytesIO(data)


def manifests(scale: str) -> list[Path]:
    """All manifests of a scale."""
    folders = (Path(name) / scale for name in ("results", "figures", "paper"))
    return [path for folder in folders for path in sorted(folder.rglob(f"*{SUFFIX}"))]


def damaged(scale: str) -> Iterator[Path]:
    """The files of a scale that are there, but not as they were written, manifests among them."""
    for path in manifests(scale):
        try:
            files = read(path)["files"]
        except Damaged:
            yield path
            continue
        there = ((path.parent / name, checksum) for name, checksum in files.items())
        yield from (file for file, checksum in there if file.exists() and sha256(file) != checksum)


def damage_sentence(scale: str) -> str | None:
    """What to tell a user whose tables, figures or numbers are damaged; None if all are as they were written."""
    found = [str(path) for path in damaged(scale)]
    if not found:
        return None
    named = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    return f"damaged, and never used: {named}; `make reproduce` or `make paper` builds what is damaged again."


def forget_damaged(scale: str) -> list[Path]:
    """Remove what is damaged with what was made together with it, so that it is built again; what was damaged."""
    found = list(damaged(scale))
    for path in found:
        stem = path.name.removesuffix(SUFFIX) if path.name.endswith(SUFFIX) else path.stem
        for file in path.parent.glob(f"{stem}.*"):
            file.unlink()
    return found


def builders(path: Path) -> tuple[str, ...]:
    """The modules whose digest is "code" in the manifest at `path`; none for timings."""
    name = path.name.removesuffix(SUFFIX)
    if path.parts[0] == "figures":
        return (f"regrok.figures.{name}",)
    if path.parent.name != "tables":
        return CODE[name]
    for package in ("regrok.analysis", "regrok.probes"):
        if f"{package}.{name}" in sources.modules(package):
            return f"{package}.{name}", TABLE_CODE
    return () if name == "throughput" else CODE["records"]


def outdated(scale: str) -> dict[str, list[str]]:
    """What has changed since files of a scale were made of it -> their manifests: a file, or the code of a module."""
    found: dict[str, list[str]] = {}
    for path in manifests(scale):
        content, modules = read(path), builders(path)
        for used, checksum in content["from"].items():
            if not Path(used).exists() or sha256(Path(used)) != checksum:
                found.setdefault(used, []).append(str(path))
        if modules and content["code"] != sources.digest(*modules):
            found.setdefault(f"the code of {modules[0]}", []).append(str(path))
    return found


def ledger(designs: Iterable[Design], records: Iterable[tuple[Job, Record]]) -> dict[str, Any]:
    """The content of records.json: what the tables of a scale are built from, record by record.

    Every record with its last step, the studies that ask for it, its checksums and the digest of the code that made
    it, which "codes" spells out.
    """
    asked: dict[str, list[Design]] = {}
    for design in designs:
        asked.setdefault(design.cell.id, []).append(design)
    rows, codes = {}, {}
    for job, record in records:
        wanted = (design.study for design in asked[job.cell.id] if record.seed < design.seeds)
        codes[digest(record.code)] = record.code
        rows[f"{record.path.parent.name}/{record.path.name}"] = {
            "cell": job.cell.id,
            "last_step": record.step,
            "studies": list(dict.fromkeys(wanted)),
            "code": digest(record.code),
            **{f"{part}_sha256": record.header[f"{part}_sha256"] for part in record.parts},
            "seal": record.header["seal"],
        }
    return {"records": rows, "codes": dict(sorted(codes.items()))}


def listed(path: str | Path) -> dict[str, dict[str, Any]]:
    """Name -> entry of every record in records.json. Raises Damaged."""
    return json.load(checked(path))["records"]


def named(module: str) -> set[str]:
    """Every text in a module's own code."""
    return {
        node.value
        for node in ast.walk(sources.syntax(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def origins(module: str, used: Iterable[str | Path], ledger: str | Path, rows: Collection[str] = ()) -> list[str] | str:
    """Names of the records that a table or figure made by `module` from the tables `used` comes from, or ALL.

    rows: the studies and cells that its rows name.
    """
    above = [read(manifest_of(Path(path)))["records"]["names"] for path in used]
    known = listed(ledger)
    names = set(known) if ALL in above else {name for names in above for name in names}
    names = narrowed(names, known, named(module) | set(rows))
    return ALL if names == set(known) else sorted(names)


def narrowed(names: set[str], known: Mapping[str, Mapping[str, Any]], texts: set[str]) -> set[str]:
    """Those of `names` that matter to what names the studies and cells in `texts`: all, where it names no study.

    known: name -> {"cell": ..., "studies": [...]}. tests/test_provenance.py holds that nothing changes without the
    others, for every table and figure.
    """
    if not any(texts & set(entry["studies"]) for entry in known.values()):
        return names
    return {name for name in names if texts & {known[name]["cell"], *known[name]["studies"]}}
