"""The store: records are whole or not there, and nothing but a newer state of itself replaces one."""

import errno
import fcntl
import io
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from checkout import Project, fill, mounted
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import CODE, OLDER, contents, differences, done_to, files, tiny

from regrok import store as module
from regrok.events import Follow
from regrok.store import (
    PARTS,
    Busy,
    Overtaken,
    Record,
    Store,
    digest,
    event_rule,
    find,
    seal,
    timings_in,
    write_atomically,
    write_json,
    write_parquet,
)

CELL = tiny()
HISTORY = {"step": np.array([0, 50, 100]), "val_acc": np.array([0.1, np.nan, np.float32(1 / 3)], dtype=np.float32)}
CHECKPOINT = {"decayed.value": np.arange(16, dtype=np.float32), "undecayed.value": np.zeros(0, dtype=np.float32)}
LOSSES = np.array([2.5, np.inf], dtype=np.float32)


def header(step: int = 100, seed: int = 0, code: dict = CODE, **more) -> dict:
    return {
        "seed": seed,
        "last_step": step,
        "code": code,
        "t4": [None, None],
        "diverged": False,
        "dense": [],
        **more,
    }


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def save(store: Store, step: int = 100, seed: int = 0, code: dict = CODE, dense: tuple = (), **more) -> Record:
    path = store.path(CELL, seed, code, Follow(0, 0, dense))
    arrays = {name: array + step for name, array in CHECKPOINT.items()}
    whole = header(step, seed, code, dense=[list(stretch) for stretch in dense], **more)
    store.save(path, whole, HISTORY, arrays, LOSSES)
    return next(record for record in store.records(CELL) if record.path == path)


def made(**more) -> Record:
    """A record that is nowhere."""
    return Record(None, header(**more) | {"event_rule": event_rule()})


def test_a_training_job_saves_without_pandas(tmp_path):
    """Its import takes as long as the rest of a toy run."""
    script = (
        "import sys, numpy as np; from pathlib import Path; from regrok.store import write_parquet; "
        "write_parquet(Path(sys.argv[1]), {'step': np.arange(3)}); print('pandas' in sys.modules)"
    )
    call = [sys.executable, "-c", script, str(tmp_path / "history.parquet")]
    assert subprocess.run(call, capture_output=True, text=True, check=True).stdout == "False\n"


def test_short_jobs_that_read_a_table_end_well(tmp_path):
    """Threads of pyarrow's that outlive the last statement would abort one in three of them."""
    write_parquet(
        tmp_path / "history.parquet", {str(column): np.random.default_rng(0).random(3000) for column in range(7)}
    )
    script = (
        "import sys; from io import BytesIO; from pathlib import Path; from regrok.store import read_parquet; "
        "read_parquet(BytesIO(Path(sys.argv[1]).read_bytes()))"
    )
    call = [sys.executable, "-c", script, str(tmp_path / "history.parquet")]
    jobs = [subprocess.Popen(call) for _ in range(24)]
    assert [job.wait() for job in jobs] == [0] * 24


def test_a_record_comes_back_bit_for_bit(store):
    record = save(store, step=0)
    assert (record.seed, record.step, record.code) == (0, 0, CODE)
    assert not differences(record.history(), HISTORY)
    assert not differences(record.checkpoint(), CHECKPOINT)
    assert not differences({"loss": record.step_losses()}, {"loss": LOSSES})
    assert not record.t4.reached
    assert list(store.all()) == store.records(CELL) == [record]


def test_an_empty_store(store):
    assert store.records(CELL) == store.adoptions() == list(store.all()) == []
    assert not store.root.exists()


def test_a_newer_state_replaces_the_older_and_its_files(store):
    path = save(store, 100).path
    record = save(store, 200)
    assert record.path == path
    assert set(files(path)) == {"header.json", *(record.header[part] for part in PARTS)}
    assert record.checkpoint()["decayed.value"][0] == 200


def test_what_a_killed_writer_has_left_goes_once_it_is_old(store):
    """What is new may be another writer's, who is about to name it."""
    path = save(store, 100).path
    for name, age in (
        (".checkpoint-200-0.npz.4711", 7200),
        ("history-200-0.parquet", 7200),
        ("history-200-1.parquet", 0),
    ):
        (path / name).write_bytes(b"left by a process that was killed")
        os.utime(path / name, (time.time() - age,) * 2)
    record = save(store, 200)
    assert set(files(path)) == {"header.json", "history-200-1.parquet", *(record.header[part] for part in PARTS)}


def test_a_record_has_a_place_of_its_own(store):
    """By cell, seed, code and evaluation grid; how far to follow is no part of it."""
    base = store.path(CELL, 0, CODE, Follow(1000, 0))
    assert (
        base
        == store.path(CELL, 0, CODE, Follow(0, 5000))
        == store.path(CELL, 0, dict(reversed(CODE.items())), Follow(1, 1))
    )
    others = [
        store.path(tiny({"model.hidden": 9}), 0, CODE, Follow(1000, 0)),
        store.path(CELL, 1, CODE, Follow(1000, 0)),
        store.path(CELL, 0, OLDER, Follow(1000, 0)),
        store.path(CELL, 0, CODE, Follow(1000, 0, ((10, 100),))),
    ]
    assert len({base, *others}) == 5
    assert {path.parent.parent for path in (base, *others)} == {store.root}


class Full(io.FileIO):
    """A file on a disk that has room for the first bytes of anything only."""

    def write(self, data) -> int:
        if self.tell() + len(data) > 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


STEPS = ("checkpoint", "history", "step_loss", "header")


@pytest.mark.parametrize("failing", range(4))
@pytest.mark.parametrize("how", ["disk full", "sync fails", "rename fails", "interrupted"])
def test_a_crash_while_saving_leaves_the_previous_record(store, monkeypatch, how, failing):
    """In the middle of any of the four files, by whatever means."""
    record = save(store, 100)
    before, old = contents(record), files(record.path)
    calls = iter(range(100))

    def fails_once(good, bad):
        return lambda *args: (bad if next(calls) == failing else good)(*args)

    def stop(*args):
        raise KeyboardInterrupt if how == "interrupted" else OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        if how == "disk full":
            patched.setattr(module, "open", fails_once(open, Full), raising=False)
        elif how == "sync fails":
            patched.setattr(os, "fsync", fails_once(os.fsync, stop))
        else:
            patched.setattr(os, "replace", fails_once(os.replace, stop))
        with pytest.raises((OSError, KeyboardInterrupt)):
            save(store, 200)
    assert next(calls) == failing + 1
    (same,) = store.records(CELL)
    assert same == record
    assert not differences(contents(same), before)
    left = files(record.path)
    assert old.items() <= left.items()
    assert not [name for name in left if name.startswith(".")]
    assert save(store, 200).checkpoint()["decayed.value"][0] == 200
    assert len(files(record.path)) == 4


def test_a_small_disk_leaves_the_previous_record(tmp_path):
    """Really full, a page later each time, so that each of the files is the one that does not fit."""
    failed = set()
    with mounted(Project(tmp_path), "mkdir disk && mount -t tmpfs -o size=400k tmpfs disk") as inside:
        store = Store(inside.root / "disk")
        before = contents(save(store, 100))
        for pages in range(20):
            filler = fill(store.root)
            os.truncate(filler, filler.stat().st_size - 4096 * pages)
            try:
                save(store, 200, note="x" * 5000)
                break
            except OSError as error:
                failed.add((error.errno, Path(error.filename).name.partition("-")[0]))
            (record,) = store.records(CELL)
            assert not differences(contents(record), before)
            assert len(files(record.path)) == 4
            filler.unlink()
        assert failed == {(errno.ENOSPC, part) for part in ("checkpoint", "history", "step_loss", "header.json")}
        (record,) = store.records(CELL)
        assert record.checkpoint()["decayed.value"][0] == 200


WRITER = """
import sys
from contextlib import suppress
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_store
from regrok.store import Overtaken, Store
store = Store(Path(sys.argv[2]))
for step in range(int(sys.argv[3]), 400, 2):
    with suppress(Overtaken):
        test_store.save(store, step)
"""


def test_two_writers_whom_no_lease_keeps_apart(store):
    """As on two nodes of a file system without locks: a reader finds the record of either, whole, at a second look."""
    call = [sys.executable, "-c", WRITER, str(Path(__file__).parent), str(store.root)]
    writers = [subprocess.Popen([*call, str(first)], stderr=subprocess.PIPE) for first in (100, 101)]
    seen, missed = set(), set()
    while any(writer.poll() is None for writer in writers):
        for record in store.records(CELL):
            try:
                assert record.checkpoint()["decayed.value"][0] == record.step
                seen.add(record.step)
            except ValueError as error:  # replaced since its header was read
                missed.add(str(error).partition("; ")[0].rpartition(" ")[2])
                seen.add(int(Record.read(record.path).checkpoint()["decayed.value"][0]))
    assert [writer.communicate()[1] for writer in writers] == [b"", b""]
    (record,) = store.records(CELL)
    assert Record.read(record.path).checkpoint()["decayed.value"][0] == record.step
    assert missed <= {"missing"}
    assert len(seen) > 5


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_locks_nobody_out(store, monkeypatch, capsys, number):
    def refuse(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with store.lease(CELL), store.lease(CELL):
        assert "has no locks: do not run two commands at once" in capsys.readouterr().err
        assert store.leased(CELL.id) is None


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-30], lambda data: data.replace(b"today", b"toady"), lambda _: b"[]"]
)
def test_a_damaged_adoption_is_named(store, spoil):
    store.adopt(OLDER, CODE, {"records": 3})
    (path,) = store.root.glob("adoptions/*.json")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=f"{path.name} is damaged; move it out of the store"):
        store.equivalent(CODE)


@pytest.mark.parametrize(
    "rows",
    [
        '"nonsense"',
        '{"cell": "a"}',
        "[1]",
        '[{"cell": "a", "repetition": 0}]',
        '[{"cell": "a", "repetition": 0, "steps_per_second": "fast"}]',
        '[{"cell": "a", "repetition": 0, "steps_per_second": NaN}]',
        '[{"cell": "a", "repetition": 0, "steps_per_second": 0}]',
        '[{"cell": "a", "repet',
    ],
)
def test_damaged_timings_are_named(rows):
    with pytest.raises(ValueError, match=r"^throughput/a.json is damaged; move it out of the store and the cells are"):
        timings_in(rows.encode(), Path("throughput/a.json"))
    assert timings_in(b"[]", Path()) == []
    whole = [{"cell": "a", "repetition": 0, "steps_per_second": 2.5}]
    assert timings_in(json.dumps(whole).encode(), Path()) == whole
    sealed = json.dumps({"rows": whole, "seal": seal({"rows": whole})})
    assert timings_in(sealed.encode(), Path()) == whole
    with pytest.raises(ValueError, match="is damaged"):
        timings_in(sealed.replace("2.5", "2.7").encode(), Path())


def test_an_adoption_from_before_they_were_sealed(store):
    (store.root / "adoptions").mkdir(parents=True)
    write_json(store.root / "adoptions/a.json", {"old": OLDER, "new": CODE})
    assert store.equivalent(CODE) == {digest(OLDER), digest(CODE)}


@pytest.mark.parametrize("part", PARTS)
def test_reading_verifies_every_file(store, part):
    record = save(store)
    assert Record.read(record.path) == record
    (record.path / record.header[part]).unlink()
    with pytest.raises(ValueError, match=f"{part}.* is missing; move its folder out of the store"):
        Record.read(record.path, kept=[])


def test_what_is_read_stays_as_it_was(store):
    """Whatever replaces the record."""
    old = save(store, 100)
    assert set(Record.read(old.path, ["history"]).held) == {"header.json", old.header["history"]}
    whole = Record.read(old.path)
    expected = contents(old)
    save(store, 200)
    assert not differences(contents(whole), expected)
    with pytest.raises(ValueError, match="is missing"):
        contents(old)


def test_what_is_replaced_while_it_is_read_is_read_again(store, monkeypatch):
    save(store, 100)
    opened = Record.open

    def replaced(record, part):
        if part == "checkpoint" and record.step < 300:
            save(store, record.step + 100)
        return opened(record, part)

    monkeypatch.setattr(Record, "open", replaced)
    record = Record.read(store.records(CELL)[0].path)
    assert (record.step, record.checkpoint()["decayed.value"][0]) == (300, 300)


def test_an_interruption_after_the_header_leaves_the_new_record(store, monkeypatch):
    save(store, 100)
    replace = os.replace

    def interrupted(source, target):
        replace(source, target)
        if target.name == "header.json":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            save(store, 200)
    (record,) = store.records(CELL)
    assert Record.read(record.path).step == 200


def test_the_header_comes_last_and_old_files_go_after_it(store, monkeypatch):
    """At every rename and removal the record that a reader finds is whole."""
    save(store, 100)
    seen = []

    def watched(function):
        def wrapper(*args, **kwargs):
            for _ in range(2):
                (record,) = store.records(CELL)
                contents(record)
                seen.append(record.step)
                if len(seen) % 2:
                    function(*args, **kwargs)

        return wrapper

    monkeypatch.setattr(os, "replace", watched(os.replace))
    monkeypatch.setattr("pathlib.Path.unlink", watched(module.Path.unlink))
    save(store, 200)
    assert seen == [100] * 7 + [200] * 7


def test_names_are_on_disk_before_a_header_has_them_and_old_files_go(store, monkeypatch):
    """Or a power failure might leave a header without its files."""
    save(store, 100)
    with done_to(monkeypatch) as done:
        save(store, 200)
    kinds = [kind for kind, _ in done]
    assert kinds == ["renamed"] * 3 + ["settled", "renamed", "settled"] + ["removed"] * 3
    assert done[4] == ("renamed", "header.json")


def test_a_file_system_that_settles_no_folders(store, monkeypatch):
    fsync = os.fsync

    def refuse(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    assert save(store, 100).step == 100


def test_writing_atomically(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": [1, None]})
    assert json.loads(path.read_text()) == {"a": [1, None]}
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, lambda file: file.write(b"half") and 1 / 0)
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": [1, None]}
    assert list(tmp_path.iterdir()) == [path]


def test_only_durable_writes_wait_for_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    write_json(tmp_path / "a", 1, durable=False)
    assert not synced
    write_json(tmp_path / "a", 1)
    assert len(synced) == 1


@pytest.mark.parametrize("part", ["history", "checkpoint", "step_loss"])
@settings(max_examples=25, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unnoticed(tmp_path_factory, part, place, bit):
    record = save(Store(tmp_path_factory.mktemp("store")))
    path = record.path / record.header[part]
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"{path.name} is damaged"):
        contents(record)


@pytest.mark.parametrize("part", ["history", "checkpoint", "step_loss"])
def test_a_truncated_file_is_damaged(store, part):
    record = save(store)
    path = record.path / record.header[part]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=f"{path.name} is damaged"):
        contents(record)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:-3],
        lambda data: data[: len(data) // 2],
        lambda data: b"\xff" + data,
        lambda data: data.replace(b'"last_step": 100', b'"last_step": 900'),
        lambda data: data.replace(b'"diverged": false', b'"diverged": true'),
    ],
)
def test_a_damaged_header_is_named_and_not_taken_for_no_record(store, spoil):
    """It would be trained again, over the record."""
    path = save(store).path / "header.json"
    data = path.read_bytes()
    path.write_bytes(spoil(data))
    assert path.read_bytes() != data
    with pytest.raises(ValueError, match=r"header\.json is damaged"):
        store.records(CELL)
    with pytest.raises(ValueError, match=r"header\.json is damaged"):
        save(store)


@pytest.mark.parametrize("part", ["history", "checkpoint", "step_loss"])
def test_a_missing_file_is_named_before_anybody_reads_it(store, part):
    record = save(store)
    path = record.path / record.header[part]
    path.unlink()
    damaged = {}
    assert store.records(CELL, damaged) == []
    (sentence,) = damaged.values()
    assert sentence == f"{path} is missing; move its folder out of the store and the member is trained again."
    with pytest.raises(ValueError, match=f"{path.name} is missing"):
        store.records(CELL)


def test_a_record_is_never_replaced_by_a_shorter_one(store):
    record = save(store, step=100)
    with pytest.raises(Overtaken, match="must not replace"):
        save(store, step=60)
    assert store.records(CELL) == [record]


def test_t4_is_read_again_when_the_event_rule_has_changed(store):
    path = store.path(CELL, 0, CODE, Follow(0, 0))
    steps = np.array([0, 50, 100, 150, 200])
    history = {"step": steps, "val_acc": np.array([0, 0, 1, 1, 1], dtype=np.float32)}
    store.save(path, header(200, 0, CODE, t4=[100.0, 150.0]), history, CHECKPOINT, LOSSES)
    (record,) = store.records(CELL)
    assert (record.t4.after, record.t4.at) == (100, 150)  # as written
    older = Record(record.path, record.header | {"event_rule": "another"})
    assert (older.t4.after, older.t4.at) == (50, 100)


def test_a_seal_survives_writing_and_reading():
    header = {"b": [1, 2.5e-7, None, 0.1], "a": {"é": -0.0, "z": True, "y": (1, 2)}}
    sealed = {**header, "seal": seal(header)}
    assert seal(json.loads(json.dumps(sealed))) == seal(sealed) == seal(header)
    assert seal({**header, "b": [1, 2.5e-7, None, 0.2]}) != seal(header)


def test_one_holder_of_a_lease(store):
    other = tiny({"model.hidden": 9})
    with store.lease(CELL):
        assert store.leased(CELL.id)
        holder = rf"another process \({os.getpid()} on .+\) is training {CELL.id}"
        with pytest.raises(Busy, match=holder), store.lease(CELL):
            pass
        assert not store.leased(other.id)
        with store.lease(other):
            pass
    assert not store.leased(CELL.id)
    with store.lease(CELL):
        pass


def test_asking_for_a_lease_keeps_nobody_out(store, monkeypatch):
    """Who comes while a reader asks waits for the instant that this takes."""
    with store.lease(CELL):
        pass
    asking = open(store.root / CELL.id / ".lease", "rb")  # noqa: SIM115
    fcntl.flock(asking, fcntl.LOCK_SH)
    assert not store.leased(CELL.id)  # nor does one reader mislead another
    monkeypatch.setattr(module.time, "sleep", lambda seconds: asking.close())
    with store.lease(CELL):
        assert store.leased(CELL.id)


def test_a_lease_is_no_record(store):
    with store.lease(CELL):
        assert store.records(CELL) == []


EARLY, LATE = 400.0, 4000.0


@pytest.mark.parametrize(
    ("follow", "step", "t4", "diverged", "complete"),
    [
        (Follow(1000, 0), 1000, None, False, True),
        (Follow(1000, 0), 999, None, False, False),
        (Follow(0, 1000), 1000, None, False, True),
        (Follow(1000, 0), 600, EARLY, False, True),  # 400 + 200
        (Follow(1000, 0), 599, EARLY, False, False),
        (Follow(1000, 800), 600, EARLY, False, False),
        (Follow(1000, 800), 800, EARLY, False, True),
        (Follow(10_000, 0), 4400, LATE, False, True),  # 4 000 + 10 %
        (Follow(4300, 0), 4300, LATE, False, True),
        (Follow(10**6, 10**6), 50, None, True, True),
    ],
)
def test_complete(follow, step, t4, diverged, complete):
    t4 = [None, None] if t4 is None else [t4 - 50, t4]
    assert made(step=step, t4=t4, diverged=diverged).complete(follow) is complete


@pytest.mark.parametrize(
    ("own", "asked", "serves"),
    [
        ([], (), True),
        ([], ((10, 100),), False),
        ([[10, 100]], (), True),
        ([[10, 100]], ((10, 100),), True),
        ([[10, 100]], ((20, 100),), True),
        ([[10, 100]], ((10, 90),), True),
        ([[10, 100]], ((5, 100),), False),
        ([[10, 100]], ((15, 100),), False),
        ([[10, 100]], ((10, 110),), False),
        ([[10, 100], [50, 5000]], ((10, 100), (100, 1000)), True),
        ([[10, 100], [50, 5000]], ((10, 200),), False),
    ],
)
def test_whose_evaluations_serve_whom(own, asked, serves):
    assert made(dense=own).measured_as(Follow(0, 0, asked)) is serves


def test_finding_the_furthest_that_fits():
    records = [
        made(step=100),
        made(step=300),
        made(step=200, dense=[[10, 100]]),
        made(step=900, seed=1),
    ]
    assert find(records, 0, Follow(0, 0)) is records[1]
    assert find(records, 0, Follow(0, 0, ((10, 100),))) is records[2]
    assert find(records, 1, Follow(0, 0)) is records[3]
    assert find(records, 1, Follow(0, 0, ((10, 100),))) is None
    assert find([], 0, Follow(0, 0)) is None


def test_adoption_is_one_way_and_goes_through(store):
    first, second, third, other = ({"engine": str(n)} for n in range(4))
    store.adopt(first, second, {"records": 3})
    store.adopt(second, third, {"records": 2})
    assert store.equivalent(third) == {digest(first), digest(second), digest(third)}
    assert store.equivalent(second) == {digest(first), digest(second)}
    assert store.equivalent(first) == {digest(first)}
    assert store.equivalent(other) == {digest(other)}
    found = [{key: value for key, value in adoption.items() if key != "seal"} for adoption in store.adoptions()]
    assert {"old": first, "new": second, "records": 3} in found
    assert made(code=first).is_of(store.equivalent(third))
    assert not made(code=third).is_of(store.equivalent(first))


def test_adopting_back_and_forth_ends(store):
    store.adopt(OLDER, CODE, {})
    store.adopt(CODE, OLDER, {})
    assert store.equivalent(CODE) == store.equivalent(OLDER) == {digest(CODE), digest(OLDER)}


def test_adoptions_are_no_records(store):
    store.adopt(OLDER, CODE, {})
    record = save(store)
    assert list(store.all()) == [record]


def test_digest_is_canonical():
    assert digest({"a": 1, "b": (2, 3)}) == digest({"b": [2, 3], "a": 1}) == "efbd0040"
    assert digest({"a": 1}) != digest({"a": 2})


def test_histories_are_plain_parquet(store):
    """A reader of another language finds the columns, compressed."""
    record = save(store)
    file = pa.parquet.ParquetFile(record.path / record.header["history"])
    assert file.schema_arrow.names == ["step", "val_acc"]
    assert file.metadata.row_group(0).column(1).compression == "ZSTD"
