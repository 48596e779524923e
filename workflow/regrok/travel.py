"""Floor 4. Records travel: a store, or part of one, as one file, and back into another store.

The file is a plain tar (checkpoints are most of it, and compression would save 8 % of it at 30 MB/s): first the
adoptions and timings, then a record after the other, its header first, last SHA256SUMS with the checksums of all
others. Packing and unpacking hold one record in memory. A record is put into a store under its cell's lease, header
last, so that a kill loses nothing; what is there stays, unless what comes is the same trajectory taken further.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from .cell import Cell
from .sources import changed
from .store import (
    HEADER,
    ON_DEMAND,
    PARTS,
    REMEDY,
    Busy,
    Record,
    Store,
    adoption_in,
    digest,
    parts,
    read_parquet,
    seal,
    settle,
    timings_in,
    write_atomically,
)

SUMS = "SHA256SUMS"
LARGEST = 2**30  # bytes of a file of a record
SMALL_LARGEST = 2**24  # bytes of any other
IN_RECORD = re.compile(
    r"[^/]+-[0-9a-f]{8}/s\d{3,}-[0-9a-f]{8}-[0-9a-f]{8}/[a-z_]+(-\d+(-[0-9a-f]{8})?)?\.(json|parquet|npz|npz\.zst)"
)
SMALL = re.compile(r"(adoptions/[0-9a-f]{8}-|throughput/)[0-9a-f]{8}\.json")
OUTCOMES = ("added", "extended", "already there", "conflicting", "damaged", "in use")
FAILURES = OUTCOMES[3:]

Count = Callable[[int], Any]  # told of every file's bytes


class Refused(ValueError):
    """A file that cannot be what `pack` writes, or ends too early, in one sentence."""


@dataclass(frozen=True)
class Outcome:
    """What became of a record. kind: one of OUTCOMES; why: a phrase where it is one of FAILURES, and what an adoption
    that was added means."""

    kind: str
    name: str
    why: str = ""


def pack(store: Store, folders: Iterable[Path], file: BinaryIO, count: Count) -> list[Outcome]:
    """Write the records at `folders`, all adoptions and timings of `store` to `file`; the damaged ones, left out.

    A training job may replace a record meanwhile: each is read as it was at one moment.
    """
    damaged, sums = [], {}
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in small_files(store):
            _add(tar, sums, str(path.relative_to(store.root)), path.read_bytes(), count)
        for folder in folders:
            name = str(folder.relative_to(store.root))
            try:
                for part, data in Record.read(folder).held.items():
                    _add(tar, sums, f"{name}/{part}", data, count)
            except (ValueError, OSError) as error:
                damaged.append(Outcome("damaged", name, str(error)))
        text = "".join(f"{checksum}  {name}\n" for name, checksum in sums.items())
        _add(tar, {}, SUMS, text.encode(), count)
    return damaged


def small_files(store: Store) -> list[Path]:
    """What a store holds beside records: adoptions and timings."""
    found = (path for folder in ("adoptions", "throughput") for path in sorted((store.root / folder).glob("*.json")))
    return [path for path in found if SMALL.fullmatch(str(path.relative_to(store.root)))]


def _add(tar: tarfile.TarFile, sums: dict[str, str], name: str, data: bytes, count: Count) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
    sums[name] = hashlib.sha256(data).hexdigest()
    count(len(data))


def unpack(store: Store, file: BinaryIO, count: Count) -> Iterator[Outcome]:
    """Merge a file of `pack` into `store`, record by record, and say what became of each.

    Raises Refused if the file is none, or holds what `pack` does not write, or ends early; the records before that
    are in then. Raises OSError where the store cannot be written.
    """
    sums, small = {}, {}
    for folder, files in groupby(_members(file, sums, count), lambda member: member[0].rpartition("/")[0]):
        if folder.count("/"):
            yield _received(store, folder, {name.rpartition("/")[2]: data for name, data in files})
        else:
            small.update(files)
    if SUMS not in small:
        raise Refused(f"the file ends early: {SUMS}, the last of what it should hold, is missing")
    listed = _listed(small.pop(SUMS))
    lost = [name for name in listed if name not in sums]
    if lost:
        raise Refused(f"the file lacks {len(lost)} of {len(listed)} files that it lists, {lost[0]} among them")
    for name, data in small.items():
        yield _merge_small(store, name, data, listed.get(name) == sums[name])


def _members(file: BinaryIO, sums: dict[str, str], count: Count) -> Iterator[tuple[str, bytes]]:
    """(name, content) of every file of the archive; their checksums go into `sums`."""
    try:
        with tarfile.open(fileobj=file, mode="r|") as tar:
            for info in tar:
                if mistake := _mistake(info):
                    raise Refused(mistake)
                data = tar.extractfile(info).read()
                if info.name != SUMS:
                    sums[info.name] = hashlib.sha256(data).hexdigest()
                yield info.name, data
                count(len(data))
    except tarfile.ReadError as error:
        if not sums:
            raise Refused("the file is none that `make pack` has written") from error
        raise Refused(f"the file ends early or is damaged after {len(sums)} files ({error})") from error
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise error if isinstance(error, Refused) else Refused(f"the file is damaged ({error})") from error


def _mistake(info: tarfile.TarInfo) -> str | None:
    """Why nothing of this name, kind and size is taken; None if all is well."""
    if not info.isreg() or info.issparse():
        return f"the file holds {info.name!r}, which is no ordinary file"
    if info.name != SUMS and not IN_RECORD.fullmatch(info.name) and not SMALL.fullmatch(info.name):
        return f"the file holds {info.name!r}, which is no place in a store"
    if info.size > (LARGEST if IN_RECORD.fullmatch(info.name) else SMALL_LARGEST):
        return f"the file holds {info.name!r} of {info.size} bytes, which is too large for what it should be"
    return None


def _listed(sums: bytes) -> dict[str, str]:
    """Name -> checksum of SHA256SUMS."""
    lines = (line.partition("  ") for line in sums.decode(errors="replace").splitlines())
    return {name: checksum for checksum, _, name in lines}


def _merge_small(store: Store, name: str, data: bytes, whole: bool) -> Outcome:
    """Take an adoption or timing that is not here. Another of the same name is kept: each is true of its machine."""
    path, effect = store.root / name, ""
    try:
        if name.startswith("adoptions/"):
            adoption = adoption_in(data, path)
            effect = (
                f"records from before {' and '.join(changed(adoption['old'], adoption['new']))} count as made after"
            )
            whole &= path.stem == f"{digest(adoption['old'])}-{digest(adoption['new'])}"
        else:
            timings_in(data, path)
    except ValueError:
        whole = False
    if not whole:
        return Outcome("damaged", name, "its checksum or content is wrong")
    if path.exists():
        return Outcome("already there", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda to: to.write(data))
    return Outcome("added", name, effect)


def _received(store: Store, folder: str, files: dict[str, bytes]) -> Outcome:
    """Check one record of the archive and merge it."""
    try:
        cell, header = identified(store, folder, files)
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        return Outcome("damaged", folder, _first_line(error))
    try:
        with store.lease(cell):
            return Outcome(*merge(store.root / folder, header, files))
    except Busy as error:
        return Outcome("in use", folder, str(error))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def identified(store: Store, folder: str, files: dict[str, bytes]) -> tuple[Cell, dict[str, Any]]:
    """The cell and header of a record that came as `files`: its checksums are right and its key is its place.

    Raises ValueError, KeyError or TypeError if not.
    """
    header = json.loads(files[HEADER]) if HEADER in files else None
    if not isinstance(header, dict) or header.get("seal") != seal(header):
        raise ValueError(f"its {HEADER} is missing or not as it was written")
    cell, step = Cell.model_validate(header["cell"]), int(header["last_step"])
    place = store.path(cell, header["seed"], header["code"], Record(store.root / folder, header).measured)
    if place != store.root / folder or header["cell_id"] != cell.id:
        raise ValueError(f"by its {HEADER} it belongs to {place.relative_to(store.root)}")
    for part, suffix in (PARTS | ON_DEMAND).items():
        if part in ON_DEMAND and part not in header:
            continue
        name = header[part]
        if not re.fullmatch(rf"{part}-{step}(-[0-9a-f]{{8}})?\.{suffix}", name):
            raise ValueError(f"its {HEADER} names {name!r}")
        if name not in files or hashlib.sha256(files[name]).hexdigest() != header[f"{part}_sha256"]:
            raise ValueError(f"{name} is missing or its checksum is not the one in {HEADER}")
    if (last := read_parquet(io.BytesIO(files[header["history"]]))["step"].max(initial=0)) > step:
        raise ValueError(f"its history ends at step {last}, after its checkpoint at {step}")
    return cell, header


def merge(path: Path, header: dict[str, Any], files: dict[str, bytes]) -> tuple[str, str, str]:
    """Bring a checked record to `path`, whose lease is held: kind, name and reason of the outcome."""
    name = f"{path.parent.name}/{path.name}"
    if not (path / HEADER).exists():
        put(path, header, files)
        return "added", name, ""
    try:
        record = Record.read(path)
    except (ValueError, OSError) as error:
        what = str(error).removesuffix(f"; {REMEDY}")
        return "damaged", name, f"the one in this store: {what}; move its folder away and unpack again"
    own, ours = record.header, record.held
    short, long = sorted(
        [(own["last_step"], own, ours), (header["last_step"], header, files)], key=lambda side: side[0]
    )
    for part in {"history", "step_loss", "signals"} & set(parts(header)) & set(parts(own)):
        if not is_prefix(
            *(read_parquet(io.BytesIO(side[side_header[part]])) for _, side_header, side in (short, long))
        ):
            return "conflicting", name, f"the two differ within their first {short[0]} steps; this store's is kept"
    if short[0] == long[0] and own["checkpoint_sha256"] != header["checkpoint_sha256"]:
        return "conflicting", name, f"the two differ at step {short[0]}; this store's is kept"
    if own is long[1] or short[0] == long[0]:
        return "already there", name, ""
    put(path, header, files)
    return "extended", name, ""


def is_prefix(short: dict[str, np.ndarray], long: dict[str, np.ndarray]) -> bool:
    """Whether `long` begins with all that `short` holds, bit for bit. Each: column -> array over rows."""
    return list(short) == list(long) and all(
        short[name].dtype == long[name].dtype and short[name].tobytes() == long[name][: len(short[name])].tobytes()
        for name in short
    )


def put(path: Path, header: dict[str, Any], files: dict[str, bytes]) -> None:
    """Write a record as it came, its header last, and remove the files that it replaces."""
    path.mkdir(parents=True, exist_ok=True)
    names = [header[part] for part in parts(header)]
    for name in (*names, HEADER):
        if name == HEADER:
            settle(path)
        write_atomically(path / name, lambda to, data=files[name]: to.write(data))
    settle(path)
    for file in path.iterdir():
        if file.name not in {HEADER, *names}:
            file.unlink(missing_ok=True)
