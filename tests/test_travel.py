"""Records travel: what arrives is what left, and nothing that is here is lost by it."""

import hashlib
import io
import json
import os
import tarfile
import threading
from itertools import islice

import pytest
from tiny import CODE, OLDER, contents, differences, done_to, files, tiny
from travelling import CELL, FOLLOW, HOSTILE, save

from regrok import travel
from regrok.store import HEADER, Record, Store, digest, read_header
from regrok.travel import Outcome, Refused

OTHER = tiny({"model.hidden": 9})


def packed(store: Store, cells: str = "*") -> bytes:
    archive = io.BytesIO()
    folders = [path.parent for path in sorted(store.root.glob(f"{cells}/*/{HEADER}"))]
    assert travel.pack(store, folders, archive, lambda done: None) == []
    return archive.getvalue()


def unpacked(store: Store, archive: bytes) -> list[Outcome]:
    return list(travel.unpack(store, io.BytesIO(archive), lambda done: None))


def kinds(store: Store, archive: bytes) -> list[str]:
    return [outcome.kind for outcome in unpacked(store, archive)]


def repacked(archive: bytes, change) -> bytes:
    """The archive with change(name, content) -> (name, content), or None for left out, applied to every file."""
    changed = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=changed, mode="w") as new:
        for info in old:
            if kept := change(info.name, old.extractfile(info).read()):
                info = tarfile.TarInfo(kept[0])
                info.size = len(kept[1])
                new.addfile(info, io.BytesIO(kept[1]))
    return changed.getvalue()


def summed(archive: bytes) -> bytes:
    """The archive with right checksums in its list."""
    sums = {}

    def add(name, data):
        if name == travel.SUMS:
            data = "".join(f"{checksum}  {name}\n" for name, checksum in sums.items()).encode()
        sums[name] = hashlib.sha256(data).hexdigest()
        return name, data

    return repacked(archive, add)


def flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


@pytest.fixture
def here(tmp_path) -> Store:
    return Store(tmp_path / "here")


@pytest.fixture
def there(tmp_path) -> Store:
    """Three records of two cells, an adoption, a timing."""
    store = Store(tmp_path / "there")
    for cell, seed in ((CELL, 0), (CELL, 1), (OTHER, 0)):
        save(store, seed=seed, cell=cell)
    store.adopt(OLDER, CODE, {"records": 1})
    (store.root / "throughput").mkdir()
    (store.root / "throughput" / "01234567.json").write_text("[]\n")
    return store


def test_a_store_arrives_as_it_was(there, here):
    assert kinds(here, packed(there)) == ["added"] * 5
    assert files(here.root) == files(there.root)
    assert packed(here) == packed(there)


def test_unpacking_again_changes_nothing(there, here):
    archive = packed(there)
    unpacked(here, archive)
    times = {path: path.stat().st_mtime_ns for path in here.root.rglob("*.*") if path.name != ".lease"}
    assert kinds(here, archive) == ["already there"] * 5
    assert times == {path: path.stat().st_mtime_ns for path in times}


def test_the_checksums_are_those_of_sha256sum(there, tmp_path):
    with tarfile.open(fileobj=io.BytesIO(packed(there))) as tar:
        names = tar.getnames()
        text = tar.extractfile("SHA256SUMS").read().decode()
    assert names[-1] == "SHA256SUMS"
    assert [line.split("  ")[1] for line in text.splitlines()] == names[:-1]
    assert read_header(there.records(CELL)[0].path / HEADER)["checkpoint_sha256"] in text


def test_what_goes_on_further_is_extended(there, here):
    """Bit for bit the same as if it had been trained here."""
    save(here, 100)
    whole = save(there, 200)
    assert sorted(kinds(here, packed(there))) == ["added"] * 4 + ["extended"]
    arrived = Record(whole.path, read_header(here.path(CELL, 0, CODE, FOLLOW) / HEADER))
    assert arrived.header == whole.header
    assert files(here.path(CELL, 0, CODE, FOLLOW)) == files(whole.path)


def test_what_is_further_here_stays(there, here):
    ours = save(here, 200)
    before = files(ours.path)
    assert sorted(kinds(here, packed(there))) == ["added"] * 4 + ["already there"]
    assert files(ours.path) == before


def test_the_same_training_on_two_days_is_no_conflict(there, here):
    ours = save(here, seconds={"cpu": 2.0})
    unpacked(here, packed(there))
    assert read_header(ours.path / HEADER)["seconds"] == {"cpu": 2.0}


@pytest.mark.parametrize("step", [50, 100, 200])
def test_another_trajectory_of_the_same_key_is_kept_and_reported(there, here, step):
    ours = save(here, step, slope=2.0)
    before = files(ours.path)
    outcomes = unpacked(here, packed(there))
    assert sorted(outcome.kind for outcome in outcomes) == ["added"] * 4 + ["conflicting"]
    (conflict,) = (outcome for outcome in outcomes if outcome.kind == "conflicting")
    assert conflict.name == f"{CELL.id}/{ours.path.name}"
    assert f"first {min(step, 100)} steps" in conflict.why
    assert files(ours.path) == before


def test_records_of_another_code_are_apart(there, here):
    save(here, slope=2.0, code=OLDER)
    assert kinds(here, packed(there)) == ["added"] * 5
    assert len(here.records(CELL)) == 3


@pytest.mark.parametrize("suffix", ["header.json", ".npz", ".parquet"])
def test_a_damaged_record_is_named_and_the_others_go_in(there, here, suffix):
    victim = there.records(CELL)[1].path.name

    def damage(name, data):
        return name, flipped(data) if victim in name and name.endswith(suffix) else data

    outcomes = unpacked(here, repacked(packed(there), damage))
    assert [outcome.name for outcome in outcomes if outcome.kind == "damaged"] == [f"{CELL.id}/{victim}"]
    assert [outcome.kind for outcome in outcomes].count("added") == 4
    assert len(here.records(CELL)) == 1


def test_a_damaged_adoption_or_timing_is_named(there, here):
    def damage(name, data):
        return name, data.replace(b"yes", b"Yes").replace(b"[]\n", b"{}\n") if "header" not in name else data

    assert kinds(here, repacked(packed(there), damage)) == ["added"] * 3 + ["damaged"] * 2
    assert here.adoptions() == []


@pytest.mark.parametrize(
    ("adoption", "moved"),
    [
        ({"old": ["x"]}, True),
        ({"new": None}, True),
        ({"seal": "bad"}, True),
        ({"old": {"engine": "another"}}, False),
    ],
)
def test_an_adoption_is_taken_only_if_every_command_can_read_it(there, here, adoption, moved):
    """And if it stands where it belongs. All checksums are right."""

    def forge(name, data):
        if not name.startswith("adoptions/"):
            return name, data
        content = {"old": OLDER, "new": CODE, **adoption}
        place = f"adoptions/{digest(content['old'])}-{digest(content['new'])}.json"
        return place if moved else name, json.dumps(content).encode()

    assert kinds(here, summed(repacked(packed(there), forge))) == ["added"] * 3 + ["damaged", "added"]
    assert here.equivalent(CODE) == {digest(CODE)}


@pytest.mark.parametrize("timing", ['"nonsense"', '[{"cell": 7}]'])
def test_what_is_no_timing_is_not_taken(there, here, timing):
    def forge(name, data):
        return name, timing.encode() if name.startswith("throughput/") else data

    assert kinds(here, summed(repacked(packed(there), forge))) == ["added"] * 4 + ["damaged"]
    assert not list(here.root.glob("throughput/*"))


def test_what_an_adoption_means_is_said(there, here):
    outcomes = {outcome.name: outcome.why for outcome in unpacked(here, packed(there)) if outcome.why}
    (name,) = (path.stem for path in there.root.glob("adoptions/*"))
    assert outcomes == {f"adoptions/{name}.json": "records from before engine has another version count as made after"}
    assert not [outcome for outcome in unpacked(here, packed(there)) if outcome.why]


def test_a_record_in_the_place_of_another_is_refused(there, here):
    """Its own checksums are right; its key is not that of the folder."""

    archive = repacked(packed(there), lambda name, data: (name.replace("/s001-", "/s007-"), data))
    outcomes = travel.unpack(here, io.BytesIO(archive), lambda done: None)
    (outcome,) = (found for found in islice(outcomes, 3) if found.kind == "damaged")
    assert f"it belongs to {CELL.id}/s001-" in outcome.why
    with pytest.raises(Refused, match="lacks 4 of"):
        next(outcomes)
    assert {record.seed for record in here.all()} == {0}


def test_damage_here_is_named_and_nothing_overwritten(there, here):
    ours = save(here)
    path = ours.path / ours.header["checkpoint"]
    path.write_bytes(flipped(path.read_bytes()))
    before = files(ours.path)
    (outcome,) = (found for found in unpacked(here, packed(there)) if found.kind == "damaged")
    assert path.name in outcome.why
    assert outcome.why.count("move its folder") == 1
    assert outcome.why.endswith("header.json; move its folder away and unpack again")
    assert files(ours.path) == before


def test_a_truncated_file_leaves_what_was_whole(there, here, tmp_path):
    """Cut anywhere: one sentence, whole records only, and the whole file finishes the work."""
    archive = packed(there)
    end, counts = archive.index(travel.SUMS.encode()), set()
    for part in range(0, 101, 5):
        store = Store(tmp_path / f"cut{part}")
        with pytest.raises(Refused, match=r"ends early|none that"):
            unpacked(store, archive[: end * part // 100])
        for record in store.all():
            assert files(record.path) == files(there.root / record.path.relative_to(store.root))
        counts.add(len(list(store.all())))
        assert len(kinds(store, archive)) == 5
        assert files(store.root) == files(there.root)
    assert counts == {0, 1, 2, 3}


def test_names_are_on_disk_before_a_header_has_them_and_old_files_go(there, here, monkeypatch):
    save(here, 50)
    archive = packed(there, CELL.id)
    with done_to(monkeypatch) as done:
        unpacked(here, archive)
    kinds = [kind for kind, _ in done[:9]]
    assert kinds == ["renamed"] * 3 + ["settled", "renamed", "settled"] + ["removed"] * 3
    assert done[4] == ("renamed", HEADER)


class Killed(BaseException):
    pass


def test_a_kill_in_the_middle_loses_nothing(there, here, monkeypatch):
    """Before any of the four files of a record that goes on is renamed."""
    ours = save(here, 50)
    before, archive, replace = contents(ours), packed(there, CELL.id), os.replace
    for survived in range(4):
        calls = iter(range(4))

        def killed(*args, calls=calls, survived=survived):
            if next(calls) == survived:
                raise Killed
            replace(*args)

        monkeypatch.setattr(os, "replace", killed)
        with pytest.raises(Killed):
            unpacked(here, archive)
        monkeypatch.setattr(os, "replace", replace)
        (found,) = here.records(CELL)
        assert found.step == 50
        assert not differences(contents(found), before)
    assert kinds(here, archive) == ["extended", "added", "added", "added"]
    assert files(ours.path) == files(there.path(CELL, 0, CODE, FOLLOW))


def test_a_cell_that_is_trained_is_left_alone(there, here):
    with here.lease(CELL):
        outcomes = unpacked(here, packed(there))
    assert sorted(outcome.kind for outcome in outcomes) == ["added"] * 3 + ["in use"] * 2
    assert here.records(CELL) == []


def test_packing_while_training_goes_on(there):
    """A writer replaces a record all the time; whatever is packed is one of its states, whole."""
    stop = threading.Event()

    def train():
        step = 100
        while not stop.is_set():
            step += 50
            save(there, step)

    writer = threading.Thread(target=train)
    writer.start()
    try:
        for round in range(10):
            store = Store(there.root.with_name(f"arrived{round}"))
            assert kinds(store, packed(there)) == ["added"] * 5
    finally:
        stop.set()
        writer.join()


def test_packing_leaves_out_what_is_damaged(there, here):
    record = there.records(CELL)[0]
    path = record.path / record.header["history"]
    path.write_bytes(flipped(path.read_bytes()))
    archive = io.BytesIO()
    folders = [record.path for record in there.all()]
    (damaged,) = travel.pack(there, folders, archive, lambda done: None)
    assert damaged.name == f"{CELL.id}/{record.path.name}"
    assert path.name in damaged.why
    assert kinds(here, archive.getvalue()) == ["added"] * 4


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_in_one_sentence(here, case):
    with pytest.raises(Refused, match="the file holds") as refusal:
        unpacked(here, HOSTILE[case])
    assert "\n" not in str(refusal.value)
    assert not here.root.exists()


@pytest.mark.parametrize("data", [b"", b"hello", bytes(10_240), b"\x1f\x8b" + bytes(600)])
def test_what_is_no_pack(here, data):
    with pytest.raises(Refused, match=r"none that|ends early"):
        unpacked(here, data)
