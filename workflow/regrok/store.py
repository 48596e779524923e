"""Floor 3. The append-only store of records, shared by all scales.

A record is what a member leaves: `<root>/<cell>/<seed>-<code>-<grid>/` with a history (Parquet), a checkpoint (npz)
and header.json, which names the other two and is replaced last: a record is as old or as new as its header, whole
either way. Its key is (cell, seed, digest of the code that made it, evaluation grid). Nothing here is ever deleted
but the files that a newer header has replaced, and what a writer that was killed has left.
"""

import errno
import fcntl
import hashlib
import json
import math
import os
import socket
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import sources
from .cell import Cell
from .events import Event, Follow, evaluation_steps, generalisation, last_step

ROOT = Path("results/store")
HEADER = "header.json"
PARTS = {"history": "parquet", "step_loss": "parquet", "checkpoint": "npz"}
ON_DEMAND = {"signals": "parquet", "snapshots": "npz.zst"}  # in the records of the studies that ask for them
LEFT_SECONDS = 3600.0  # longer than any writer takes between a file and the header that names it
NO_FOLDERS = {errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP}  # what one answers that flushes no folders
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # what a file system without locks answers
REMEDY = "move its folder out of the store and the member is trained again."
ATTEMPTS = 20  # at a record that is replaced while it is read
PROBE_SECONDS = 0.1  # ample for a reader that asks whether a lease is held, which holds it for an instant


class Busy(RuntimeError):
    """Another process trains this cell."""


class Overtaken(ValueError):
    """Another process, whom no lease keeps apart, has followed the member further."""


def digest(value: Any) -> str:
    """8 hex digits of the canonical JSON of `value`."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:8]


def write_atomically(path: Path, write: Callable[[BinaryIO], Any], durable: bool = True) -> None:
    """Have `write` fill a temporary file, flush it to disk (if `durable`) and rename it to `path`.

    Raises OSError, naming `path`, if it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")  # hosts that share the folder may share a pid
    try:
        with open(temporary, "wb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise


def settle(folder: Path) -> None:
    """Flush the names in a folder to disk: what a header names must be there before it, and what it replaces after."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDERS:
            raise
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any, durable: bool = True) -> None:
    write_atomically(path, lambda file: file.write((json.dumps(value, indent=1) + "\n").encode()), durable)


def write_parquet(path: Path, columns: dict[str, np.ndarray]) -> None:
    """Write `columns` to `path`, atomically. Taken from their buffers, as pa.array imports pandas (2 s)."""
    arrays = [
        pa.Array.from_buffers(pa.from_numpy_dtype(column.dtype), len(column), [None, pa.py_buffer(column.copy())])
        for column in columns.values()
    ]
    table = pa.table(arrays, names=list(columns))
    write_atomically(path, lambda file: pq.write_table(table, file, compression="zstd"))


def read_parquet(file: BinaryIO) -> dict[str, np.ndarray]:
    """The columns of a table in an open file, read in this thread: those of pyarrow that still hold the file when a
    short process ends abort it. Raises pa.ArrowInvalid if it is no Parquet file."""
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        table = parquet.read(use_threads=False)
    return {name: table[name].to_numpy() for name in table.column_names}


def seal(header: dict[str, Any]) -> str:
    """64 hex digits of the canonical JSON of a header without its seal."""
    rest = {key: value for key, value in header.items() if key != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_header(path: Path) -> dict[str, Any]:
    """The header at `path`. Raises ValueError if it is not as it was written, OSError if it cannot be read."""
    return header_in(path.read_bytes(), path)


def header_in(data: bytes, path: Path) -> dict[str, Any]:
    """The header that a file at `path` holds. Raises ValueError if it is not as it was written."""
    try:
        header = json.loads(data)
        whole = header["seal"] == seal(header)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise ValueError(f"{path} is damaged; {REMEDY}")
    return header


def read_adoption(path: Path) -> dict[str, Any]:
    """The adoption at `path`. Raises ValueError if it is not as it was written, OSError if it cannot be read."""
    return adoption_in(path.read_bytes(), path)


def adoption_in(data: bytes, path: Path) -> dict[str, Any]:
    """The adoption that a file at `path` holds. Raises ValueError if it is not as it was written; older ones have no
    seal."""
    try:
        adoption = json.loads(data)
        whole = adoption.get("seal", seal(adoption)) == seal(adoption)
        whole &= all(isinstance(adoption[side], dict) for side in ("old", "new"))
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise ValueError(f"{path} is damaged; move it out of the store, and `make adopt` compares the records again.")
    return adoption


def timings_in(data: bytes, path: Path) -> list[dict[str, Any]]:
    """The rows {cell, repetition, steps_per_second} that a file of timings at `path` holds. Raises ValueError if it is
    not as it was written; older ones are the rows alone, without a seal."""
    try:
        timings = json.loads(data)
        rows = timings["rows"] if (sealed := isinstance(timings, dict)) else timings
        whole = (
            (not sealed or timings["seal"] == seal(timings))
            and isinstance(rows, list)
            and all(
                row.keys() == {"cell", "repetition", "steps_per_second"}
                and isinstance(row["cell"], str)
                and isinstance(row["repetition"], int)
                and 0 < row["steps_per_second"] < math.inf
                for row in rows
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise ValueError(f"{path} is damaged; move it out of the store and the cells are timed again.")
    return rows


@cache
def event_rule() -> str:
    """The digest of what says when an event has happened."""
    return sources.digest("regrok.events")


@dataclass(frozen=True)
class Record:
    """A member's record at the time its header was read. held: name -> content of those of its files in memory."""

    path: Path
    header: dict[str, Any]
    held: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(cls, path: Path, kept: Collection[str] = (*PARTS, *ON_DEMAND)) -> "Record":
        """The record at `path`, all of it verified, its header and the parts `kept` in memory: a job that goes on with
        the member may replace them at any time.

        Raises ValueError if one of its files is missing or damaged, OSError if one cannot be read.
        """

        def verified(record: Record) -> Record:
            held = dict(record.held)
            for part in record.parts:
                data = record.open(part).getvalue()
                held |= {record.header[part]: data} if part in kept else {}
            return cls(path, record.header, held)

        return settled(path, verified)

    @property
    def seed(self) -> int:
        return self.header["seed"]

    @property
    def step(self) -> int:
        """Step of the checkpoint and of the last row of the history."""
        return self.header["last_step"]

    @property
    def code(self) -> dict[str, str]:
        """Module or package -> digest or version of what made the record."""
        return self.header["code"]

    @property
    def machines(self) -> list[dict[str, Any]]:
        """The kinds of machine that trained it one after the other, with library versions, each "until" a step.

        Older records name the last machine alone.
        """
        if "machines" in self.header:
            return self.header["machines"]
        versions = {name: self.code[name] for name in sources.LIBRARIES if name in self.code}
        return [{"until": self.step, **versions, **self.header["machine"]}]

    def is_of(self, codes: set[str]) -> bool:
        """Whether one of `codes` (digests, see `Store.equivalent`) made it."""
        return digest(self.code) in codes

    @cached_property
    def t4(self) -> Event:
        """t4 by today's event rule, whatever the rule was when the record was written."""
        if self.header["event_rule"] != event_rule():
            history = self.history()
            common = np.isin(history["step"], evaluation_steps(self.step))
            return generalisation(history["step"][common], history["val_acc"][common])
        return Event(*(np.nan if value is None else float(value) for value in self.header["t4"]))

    @property
    def parts(self) -> list[str]:
        """The files that it consists of beside its header."""
        return parts(self.header)

    @property
    def measured(self) -> Follow:
        """What was measured, of no length."""
        header = self.header
        stretches = (tuple(map(tuple, header.get(key, ()))) for key in ("dense", "snapshots_at"))
        return Follow(0, 0, *stretches, header.get("signals_until", 0))

    def measured_as(self, follow: Follow) -> bool:
        """Whether it holds the evaluations, snapshots and signals that `follow` asks for."""
        own = self.measured
        return (
            follow.signals <= own.signals
            and within(follow.dense, own.dense)
            and within(follow.snapshots, own.snapshots)
        )

    def complete(self, follow: Follow) -> bool:
        """Whether the member has been followed as far as `follow` asks."""
        return self.header["diverged"] or self.step >= last_step(self.t4, follow)

    def history(self) -> dict[str, np.ndarray]:
        """The time series: column -> array over evaluations. Raises ValueError if the file is damaged."""
        return read_parquet(self.open("history"))

    def step_losses(self) -> np.ndarray:
        """Batch loss before each of the first steps: float32. Raises ValueError if the file is damaged."""
        return read_parquet(self.open("step_loss"))["loss"]

    def checkpoint(self) -> dict[str, np.ndarray]:
        """The arrays that training goes on from. Raises ValueError if the file is damaged."""
        with np.load(self.open("checkpoint")) as arrays:
            return dict(arrays)

    def signals(self) -> dict[str, np.ndarray]:
        """What was recorded of each of the first steps: column -> array, "step" int64 from 1, the others float64.

        Raises ValueError if it has none, or the file is damaged.
        """
        return read_parquet(self.open("signals"))

    def snapshots(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps, int64 (n,), and the weights at them, float32 (n, d), as the rows of the checkpoint's values one after
        the other. Raises ValueError if it has none, or the file is damaged."""
        with (
            pa.CompressedInputStream(self.open("snapshots"), "zstd") as stream,
            np.load(BytesIO(stream.read())) as kept,
        ):
            return kept["step"], kept["weights"]

    def open(self, part: str) -> BytesIO:
        """One of the record's files, in memory. Raises ValueError if it is not the one that was written."""
        if part not in self.header:
            raise ValueError(f"{self.path} has no {part}: its study asks for none")
        if self.header[part] in self.held:
            return BytesIO(self.held[self.header[part]])
        path = self.path / self.header[part]
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ValueError(f"{path} is missing; {REMEDY}") from None
        checksum = hashlib.sha256(data).hexdigest()
        if checksum != self.header[f"{part}_sha256"]:
            raise ValueError(f"{path} is damaged: its checksum is not the one in {HEADER}; {REMEDY}")
        return BytesIO(data)


def settled(path: Path, look: Callable[[Record], Record]) -> Record:
    """What `look` makes of the record at `path`; where it raises ValueError or OSError over a record that has been
    replaced meanwhile, it looks again."""
    for _ in range(ATTEMPTS):
        header = (path / HEADER).read_bytes()
        try:
            return look(Record(path, header_in(header, path / HEADER), {HEADER: header}))
        except (ValueError, OSError):
            if (path / HEADER).read_bytes() == header:
                raise
    raise ValueError(f"{path} is replaced all the time")


def headed(record: Record) -> Record:
    """A record whose files are all there, though nobody has read them. Raises ValueError if one is missing."""
    for part in record.parts:
        if not (record.path / record.header[part]).exists():
            raise ValueError(f"{record.path / record.header[part]} is missing; {REMEDY}")
    return Record(record.path, record.header)


def locked(file: BinaryIO | TextIO, kind: int = fcntl.LOCK_EX) -> bool | None:
    """Lock a file until it is closed, and say whether that could be, as no other process has; None if nobody can tell.

    A file system without locks locks nobody out: two writers then do a work twice, but a record stays whole.
    """
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        if kind == fcntl.LOCK_EX:
            print(f"The file system of {file.name} has no locks: do not run two commands at once.", file=sys.stderr)
        return None
    return True


def sign(file: TextIO) -> None:
    """Name this process in the file that it has locked. A full disk may take the holder's name, not the lock."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"{os.getpid()} on {socket.gethostname()}".encode())


class Store:
    def __init__(self, root: str | Path = ROOT):
        self.root = Path(root)

    def records(self, cell: Cell, damaged: dict[Path, str] | None = None) -> list[Record]:
        """Every record of a cell, whatever code made it. Raises ValueError if a header is damaged or a file missing: a
        record that is taken for absent would be trained again, and overwritten. Who only looks on gives `damaged`, and
        finds there the headers and what is wrong with them or their records."""
        found = []
        for path in sorted(self.root.glob(f"{cell.id}/*/{HEADER}")):
            try:
                found.append(settled(path.parent, headed))
            except (ValueError, OSError) as error:
                if damaged is None:
                    raise
                damaged[path] = str(error)
        return found

    def all(self) -> Iterator[Record]:
        for path in sorted(self.root.glob(f"*/*/{HEADER}")):
            yield Record(path.parent, read_header(path))

    def adoptions(self, damaged: dict[Path, str] | None = None) -> list[dict[str, Any]]:
        """Audits that found old records bit-identical under newer code (see `adopt`). damaged: as for `records`."""
        found = []
        for path in sorted(self.root.glob("adoptions/*.json")):
            try:
                found.append(read_adoption(path))
            except (ValueError, OSError) as error:
                if damaged is None:
                    raise
                damaged[path] = str(error)
        return found

    def adopt(self, old: dict[str, str], new: dict[str, str], evidence: dict[str, Any]) -> None:
        """State that records made by code `old` count as made by code `new`."""
        folder = self.root / "adoptions"
        folder.mkdir(parents=True, exist_ok=True)
        adoption = {"old": old, "new": new, **evidence}
        write_json(folder / f"{digest(old)}-{digest(new)}.json", {**adoption, "seal": seal(adoption)})

    def equivalent(self, code: dict[str, str], damaged: dict[Path, str] | None = None) -> set[str]:
        """Digests of every code whose records count as made by `code`, its own included. damaged: as for `records`."""
        known, links = {digest(code)}, [(digest(a["old"]), digest(a["new"])) for a in self.adoptions(damaged)]
        while grown := {old for old, new in links if new in known} - known:
            known |= grown
        return known

    def path(self, cell: Cell, seed: int, code: dict[str, str], follow: Follow) -> Path:
        return self.root / cell.id / f"s{seed:03d}-{digest(code)}-{digest(follow.measurement)}"

    @contextmanager
    def lease(self, cell: Cell) -> Iterator[None]:
        """Hold the right to write records of `cell`. Raises Busy if another process holds it; dies with its holder."""
        folder = self.root / cell.id
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / ".lease", "a+") as file:
            if locked(file) is False and (time.sleep(PROBE_SECONDS) or locked(file) is False):
                file.seek(0)
                holder = file.read() or "not known yet"
                raise Busy(f"another process ({holder}) is training {cell.id}; wait for it or stop it")
            sign(file)
            yield

    def leased(self, cell_id: str) -> bool | None:
        """Whether a process holds the lease of a cell now; None where the file system has no locks to tell."""
        try:
            with open(self.root / cell_id / ".lease", "rb") as file:
                free = locked(file, fcntl.LOCK_SH)
        except FileNotFoundError:
            return False
        return None if free is None else not free

    def save(
        self,
        path: Path,
        header: dict[str, Any],
        history: dict[str, np.ndarray],
        checkpoint: dict[str, np.ndarray],
        step_loss: np.ndarray,
        signals: dict[str, np.ndarray] | None = None,
        snapshots: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Write or replace the record at `path` as it stands at header["last_step"].

        history: column -> array (n,); step_loss: float32, batch loss of each of the first steps; signals, snapshots: as
        `Record` gives them, None where none are asked for.
        Its files have names of their own, so that two writers whom no lease keeps apart leave the record of either.
        Raises Overtaken if the record there is of more steps, ValueError if it is damaged.
        """
        path.mkdir(parents=True, exist_ok=True)
        step, token = header["last_step"], os.urandom(4).hex()
        if (there := held(path).get("last_step", 0)) > step:
            raise Overtaken(f"{path} already holds a record of {there} steps, which one of {step} must not replace")
        on_demand = {"signals": signals, "snapshots": snapshots}
        endings = PARTS | {part: ON_DEMAND[part] for part, content in on_demand.items() if content is not None}
        names = {part: f"{part}-{step}-{token}.{ending}" for part, ending in endings.items()}
        try:
            write_atomically(path / names["checkpoint"], lambda file: np.savez(file, **checkpoint))
            write_parquet(path / names["history"], history)
            write_parquet(path / names["step_loss"], {"loss": step_loss})
            if signals is not None:
                write_parquet(path / names["signals"], signals)
            if snapshots is not None:
                write_atomically(path / names["snapshots"], lambda file: write_snapshots(file, *snapshots))
            sums = {f"{part}_sha256": hashlib.sha256((path / n).read_bytes()).hexdigest() for part, n in names.items()}
            complete = {**header, **names, **sums, "event_rule": event_rule()}
            settle(path)
            replaced = held(path)
            write_json(path / HEADER, {**complete, "seal": seal(complete)})
            settle(path)
        except BaseException:
            remove(path, set(names.values()) - {held(path).get(part) for part in names})
            raise
        remove(path, [replaced[part] for part in parts(replaced)])
        sweep(path, names.values())


def parts(header: dict[str, Any]) -> list[str]:
    """The files that a header names."""
    return [part for part in (*PARTS, *ON_DEMAND) if part in header]


def within(asked: Iterable[tuple[int, int]], held: Iterable[tuple[int, int]]) -> bool:
    """Whether all (every, until) stretches in `asked` are covered by one in `held` each."""
    return all(any(every % own == 0 and until <= to for own, to in held) for every, until in asked)


def write_snapshots(file: BinaryIO, step: np.ndarray, weights: np.ndarray) -> None:
    """As one compressed file: step int64 (n,), weights float32 (n, d)."""
    buffer = BytesIO()
    np.savez(buffer, step=step, weights=weights)
    file.write(pa.compress(buffer.getbuffer(), codec="zstd", asbytes=True))


def held(path: Path) -> dict[str, Any]:
    """The header of the record at `path`, empty if there is none. Raises ValueError if it is damaged."""
    return read_header(path / HEADER) if (path / HEADER).exists() else {}


def remove(path: Path, names: Iterable[str]) -> None:
    for name in names:
        (path / name).unlink(missing_ok=True)


def sweep(path: Path, names: Iterable[str]) -> None:
    """Remove what killed writers have left beside the files `names` of a record; what is new may yet get a header."""
    oldest = (path / HEADER).stat().st_mtime - LEFT_SECONDS
    for file in path.iterdir():
        with suppress(FileNotFoundError):  # another writer's, who has renamed it
            if file.name not in {HEADER, *names} and file.stat().st_mtime < oldest:
                file.unlink()


def find(records: list[Record], seed: int, follow: Follow) -> Record | None:
    """The furthest of `records` that is of `seed` and measured as `follow` asks."""
    fitting = [record for record in records if record.seed == seed and record.measured_as(follow)]
    return max(fitting, key=lambda record: record.step, default=None)
