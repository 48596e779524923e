"""Manifests name what a file came from, truly, and nothing that is damaged is used."""

import io
import json
from contextlib import suppress
from functools import cache
from importlib import import_module
from types import SimpleNamespace

import pandas as pd
import pytest
from synthetic import base_tables
from tiny import CODE, OLDER, job

import regrok
from regrok import provenance, sources
from regrok.analysis import scaling_laws, tables
from regrok.experiment import Design
from regrok.figures import style
from regrok.provenance import ALL, Damaged
from regrok.store import Record


def declaring(package: str) -> list[str]:
    """The modules of a package that declare INPUTS."""
    found = []
    for module in sources.modules(f"regrok.{package}"):
        with suppress(LookupError):
            sources.declared(module, "INPUTS")
            found.append(module)
    return found


TABLES, FIGURES = declaring("analysis"), declaring("figures")


@pytest.fixture(scope="module", autouse=True)
def quick_fits():
    """The same points give the same fit; once is enough here, and no bootstrap."""
    with pytest.MonkeyPatch.context() as patch:
        known, fit = {}, scaling_laws.fit

        def remember(law, *data):
            key = law, *(column.tobytes() for column in data)
            return known[key] if key in known else known.setdefault(key, fit(law, *data))

        patch.setattr(scaling_laws, "fit", remember)
        yield


@cache
def base() -> dict[str, pd.DataFrame]:
    """Base tables of two seeds, with short histories."""
    found = base_tables(seeds=1, scale="laptop")
    return found | {"histories": found["histories"].iloc[::5].reset_index(drop=True)}


@cache
def known() -> dict[str, dict]:
    """The records of these tables, as records.json has them."""
    designs, entries = base()["designs"], {}
    for cell, seed in zip(base()["members"]["cell"], base()["members"]["seed"], strict=True):
        asking = designs[(designs["cell"] == cell) & (designs["seeds"] > seed)]
        entries[f"{cell} {seed}"] = {"cell": cell, "studies": list(asking["study"].unique())}
    return entries


class Built:
    """Tables built from the given records alone."""

    def __init__(self, names: set[str] | None = None):
        self.tables = dict(base())
        for name in ("members", "histories") if names is not None else ():
            frame = self.tables[name]
            keys = frame["cell"] + " " + frame["seed"].astype(str)
            self.tables[name] = frame[keys.isin(names)].reset_index(drop=True)

    def table(self, name: str) -> pd.DataFrame:
        if name not in self.tables:
            self.tables[name] = self.make(f"regrok.analysis.{name}")
        return self.tables[name]

    def make(self, module: str):
        """The table or figure of a module."""
        module = import_module(module)
        return (module.build if hasattr(module, "build") else module.draw)(*map(self.table, module.INPUTS))


WHOLE = cache(Built)


def rows(module: str) -> set[str]:
    """What scripts/table.py takes from a table's rows."""
    frame = WHOLE().table(module.rpartition(".")[2]) if module in TABLES else ()
    return {name for column in {"study", "cell", "reference"} & set(frame) for name in frame[column]}


@cache
def named(module: str) -> frozenset[str]:
    """The records that the manifest of a table or figure names."""
    names = set().union(*(of(table) for table in sources.declared(module, "INPUTS")))
    return frozenset(provenance.narrowed(names, known(), provenance.named(module) | rows(module)))


def of(table: str) -> frozenset[str]:
    if table in base():
        return frozenset(known() if table in ("members", "histories", "provenance") else ())
    return named(f"regrok.analysis.{table}")


@pytest.mark.parametrize("module", [module for module in TABLES if not module.endswith(".scaling")])
def test_no_record_that_a_table_does_not_name_matters_to_it(module):
    pd.testing.assert_frame_equal(Built(set(named(module))).make(module), WHOLE().table(module.rpartition(".")[2]))


def svg(figure) -> bytes:
    file = io.BytesIO()
    style.styled(figure.savefig)(file, format="svg", metadata={"Date": None})
    return file.getvalue()


@pytest.mark.parametrize("module", [module for module in FIGURES if not module.endswith(".scaling")])
def test_no_record_that_a_figure_does_not_name_matters_to_it(module):
    assert svg(Built(set(named(module))).make(module)) == svg(WHOLE().make(module))


def test_what_a_manifest_can_tell_apart():
    """Of most tables and figures it names a part of the records; `scaling` takes long to fit, and reads one study."""
    narrow = [module for module in (*TABLES, *FIGURES) if 0 < len(named(module)) < len(known()) / 2]
    assert {module.rpartition(".")[2] for module in narrow} >= {"no_decay", "summands", "transition", "optimizer_best"}
    assert len(narrow) > 0.7 * len(TABLES + FIGURES)
    assert named("regrok.analysis.scaling") == named("regrok.figures.grokking_curves")
    assert len(named("regrok.analysis.steps_to_grokking")) == len(known())


def test_records_and_their_studies():
    task = job(seeds=2)
    record = SimpleNamespace(
        header=dict.fromkeys(("history_sha256", "step_loss_sha256", "checkpoint_sha256", "seal"), "ab")
    )

    def made(seed, code):
        path = SimpleNamespace(parent=SimpleNamespace(name=task.cell.id), name=f"s{seed:03d}")
        return task, Record(path, record.header | {"seed": seed, "last_step": 100 * seed, "code": code})

    designs = [
        Design(study, "000", task.cell, (), seeds, 100, "budget", False) for study, seeds in (("a", 1), ("b", 2))
    ]
    ledger = provenance.ledger(designs, [made(0, CODE), made(1, OLDER)])
    first, second = ledger["records"].values()
    assert list(ledger["records"]) == [f"{task.cell.id}/s000", f"{task.cell.id}/s001"]
    assert (first["studies"], second["studies"]) == (["a", "b"], ["b"])
    assert (first["last_step"], second["last_step"]) == (0, 100)
    assert [ledger["codes"][entry["code"]] for entry in (first, second)] == [CODE, OLDER]


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A scale's folder with records.json, a table made from it, and a figure made from the table."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "smoke" / "tables"
    folder.mkdir(parents=True)
    ledger, table = folder.parent / "records.json", folder / "members.parquet"
    ledger.write_text(
        json.dumps(
            {
                "records": {
                    "c/s000": {"cell": "c", "studies": ["no_decay"]},
                    "other/s000": {"cell": "other", "studies": []},
                }
            }
        )
    )
    ledger, table = ledger.relative_to(tmp_path), table.relative_to(tmp_path)
    provenance.write([ledger], [], "0", ALL, ledger)
    written = tables.write(pd.DataFrame({"t4": [1.0]}), table, {"t4": ("steps", "t4")}, "Members")
    provenance.write(written, [], "0", ALL, ledger)
    return SimpleNamespace(ledger=ledger, table=table, manifest=provenance.manifest_of(table))


def test_a_manifest(made):
    content = provenance.read(made.manifest)
    assert set(content["files"]) == {"members.parquet", "members.csv", "members.tex"}
    assert content["files"]["members.csv"] == provenance.sha256(made.table.with_suffix(".csv"))
    assert content["records"] == {
        "in": "results/smoke/records.json",
        "sha256": provenance.sha256(made.ledger),
        "names": "all",
    }
    before = made.manifest.read_bytes()
    provenance.write(reversed([made.table.with_name(name) for name in content["files"]]), [], "0", ALL, made.ledger)
    assert made.manifest.read_bytes() == before


def test_origins_of_a_table_and_of_what_names_a_study(made):
    assert provenance.origins("regrok.figures.no_decay", [made.table], made.ledger) == ["c/s000"]
    assert provenance.origins("regrok.figures.style", [made.table], made.ledger) == ALL


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def truncate(path, at):
    path.write_bytes(path.read_bytes()[:at])


@pytest.mark.parametrize("damage", [flip, truncate])
@pytest.mark.parametrize("name", ["members.parquet", "members.csv", "members.manifest.json", "../records.json"])
@pytest.mark.parametrize("at", [0, 3, -2])
def test_damage_is_named_and_what_was_made_together_is_forgotten(made, name, at, damage):
    assert not provenance.damage_sentence("smoke")
    victim = (made.table.parent / name).resolve().relative_to(made.table.parents[3].resolve())
    damage(victim, at)
    assert str(victim) in provenance.damage_sentence("smoke")
    assert provenance.forget_damaged("smoke") == [victim]
    assert not list(victim.parent.glob(f"{victim.name.split('.')[0]}.*"))
    assert not provenance.damage_sentence("smoke")
    assert made.table.exists() != (victim.parent == made.table.parent)


@pytest.mark.parametrize("damage", [flip, truncate])
def test_a_damaged_table_is_not_read(made, damage):
    assert regrok.load("members", "smoke")["t4"].tolist() == [1.0]
    damage(made.table, 200)
    with pytest.raises(Damaged, match=r"members\.parquet is damaged.*`make paper`"):
        regrok.load("members", "smoke")


def test_a_table_without_its_manifest_is_not_read(made):
    made.manifest.unlink()
    with pytest.raises(Damaged, match=r"members\.manifest\.json is missing"):
        regrok.load("members", "smoke")
