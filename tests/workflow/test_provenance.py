"""What was built from records is whole, or built again, and says where it comes from; and travels as a crate."""

import hashlib
import json
import shutil
import zipfile
from contextlib import contextmanager

import pytest
from checkout import ROOT, asked

SMOKE = {"scale": "smoke"}
CELLS, MEMBERS = asked()
PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


@contextmanager
def damaged(path, damage):
    """The file in another state, for a while."""
    before = path.read_bytes()
    damage(path)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_everything_that_is_built_has_a_manifest(reproduced):
    ledger = json.loads((reproduced.root / "results/smoke/records.json").read_text())
    assert len(ledger["records"]) == MEMBERS
    for folder in ("results", "figures", "paper"):
        for path in (reproduced.root / folder / "smoke").rglob("*.*"):
            if path.suffix in (".parquet", ".csv", ".tex", ".svg", ".pdf") or path.name in (
                "claims.json",
                "numbers.json",
            ):
                manifest = json.loads(path.with_suffix(".manifest.json").read_text())
                assert path.name in manifest["files"]
                names = manifest["records"]["names"]
                assert names == "all" or set(names) <= set(ledger["records"])
                for used, checksum in manifest["from"].items():
                    assert hashlib.sha256((reproduced.root / used).read_bytes()).hexdigest() == checksum
                assert str(reproduced.root) not in json.dumps(manifest)


@pytest.mark.parametrize(
    ("name", "damage"), [("results/smoke/tables/members.parquet", flip), ("figures/smoke/no_decay.svg", truncate)]
)
def test_nothing_goes_on_from_what_is_damaged(reproduced, name, damage):
    with damaged(reproduced.root / name, damage):
        result = reproduced.snakemake(**SMOKE)
        crate = reproduced.command("crate", "--scale", "smoke")
    for said in (result, crate):
        assert said.returncode != 0
        assert name in said.stdout
        assert "damaged" in said.stdout
        assert "Traceback" not in said.stdout
    assert reproduced.planned(**SMOKE) == {}


def test_what_is_damaged_is_named_and_built_again(reproduced):
    victims = {
        "results/smoke/tables/architectures.parquet": flip,
        "figures/smoke/no_decay.svg": truncate,
        "results/smoke/claims.json": flip,
    }
    before = {name: (reproduced.root / name).read_bytes() for name in victims}
    for name, damage in victims.items():
        damage(reproduced.root / name)
    result = reproduced.command("reproduce", "--scale", "smoke")
    assert result.returncode == 0, result.stdout
    for name in victims:
        assert f"{name} is damaged: it is built again." in result.stdout
        assert (reproduced.root / name).read_bytes() == before[name]
    assert f"0 trained, {CELLS} reused" in result.stdout
    assert reproduced.planned(**SMOKE) == {}


@pytest.fixture(scope="module")
def crate(reproduced):
    """The crate's bytes, its files and the entities of its metadata by id."""
    for name in ("README.md", "LICENSE", "CITATION.cff"):
        shutil.copy2(ROOT / name, reproduced.root / name)
    result = reproduced.command("crate", "--scale", "smoke")
    assert result.returncode == 0, result.stdout
    path = reproduced.root / "results/smoke/crate.zip"
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(files.pop("ro-crate-metadata.json"))
    assert metadata["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in metadata["@graph"]}
    assert len(entities) == len(metadata["@graph"])
    return path.read_bytes(), files, entities


def references(value):
    """Every id that a value refers to."""
    if isinstance(value, dict) and set(value) == {"@id"}:
        yield value["@id"]
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from references(part)


def ids(value):
    return list(references(value))


def test_the_crate_has_what_its_profiles_ask_for(crate):
    _, _, entities = crate
    root, descriptor = entities["./"], entities["ro-crate-metadata.json"]
    assert descriptor["about"] == {"@id": "./"}
    assert ids(descriptor["conformsTo"]) == ["https://w3id.org/ro/crate/1.1", PROFILES[2]]
    assert set(ids(root["conformsTo"])) == set(PROFILES)
    assert all(entities[profile]["@type"] == "CreativeWork" and entities[profile]["version"] for profile in PROFILES)
    assert {"name", "description", "license", "datePublished", "hasPart"} <= root.keys()
    assert entities[root["license"]["@id"]]["@id"] == "https://spdx.org/licenses/MIT"
    workflow = entities[root["mainEntity"]["@id"]]
    assert workflow["@id"] == "Snakefile"
    assert set(workflow["@type"]) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    language = entities[workflow["programmingLanguage"]["@id"]]
    assert (language["@type"], language["name"]) == ("ComputerLanguage", "Snakemake")
    for name in ids(workflow["softwareRequirements"]):
        assert entities[name]["@type"] == "SoftwareApplication"
        assert entities[name]["softwareVersion"]


def test_the_crate_has_the_run(crate):
    _, _, entities = crate
    run = entities[ids(entities["./"]["mentions"])[0]]
    assert run["@type"] == "CreateAction"
    assert run["instrument"] == {"@id": "Snakefile"}
    assert run["startTime"] <= run["endTime"] == entities["./"]["datePublished"]
    assert {"config.yaml", "claims.yaml", "envs/lock.txt", "results/smoke/records.json"} <= set(ids(run["object"]))
    made = set(ids(run["result"]))
    assert {"paper/smoke/regrok.pdf", "results/smoke/claims.json", "figures/smoke/no_decay.svg"} <= made
    assert {"results/smoke/tables/members.parquet", "results/smoke/tables/members.manifest.json"} <= made
    workflow = entities["Snakefile"]
    for formal in ids(workflow["input"]) + ids(workflow["output"]):
        assert entities[formal]["@type"] == "FormalParameter"
    for name in ids(run["object"]):
        assert entities[entities[name]["exampleOfWork"]["@id"]]["@type"] == "FormalParameter"


def test_every_file_of_the_crate_is_described_as_it_is(crate):
    _, files, entities = crate
    parts = set(ids(entities["./"]["hasPart"]))
    assert parts == set(files)
    for name, data in files.items():
        assert "File" in entities[name]["@type"]
        assert entities[name]["contentSize"] == str(len(data))
        assert entities[name]["sha256"] == hashlib.sha256(data).hexdigest()
        assert entities[name]["encodingFormat"]


def test_every_reference_of_the_crate_resolves(crate):
    """But to the profile that parameters conform to and to pages that describe the language, which are on the web."""
    _, _, entities = crate
    open_ones = {name for entity in entities.values() for name in ids(list(entity.values())) if name not in entities}
    assert all(name.startswith("https://") for name in open_ones)
    assert len(open_ones) <= 4


def test_the_crate_is_the_same_bytes_again_and_says_nothing_of_the_machine(crate, reproduced):
    data, _, entities = crate
    assert reproduced.command("crate", "--scale", "smoke").returncode == 0
    assert (reproduced.root / "results/smoke/crate.zip").read_bytes() == data
    assert str(reproduced.root) not in json.dumps(entities)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("config.yaml", "config.yaml"),
        ("paper/regrok.typ", "paper/regrok.typ"),
        ("workflow/regrok/figures/no_decay.py", "the code of regrok.figures.no_decay"),
    ],
)
def test_a_crate_of_sources_that_have_changed_is_refused(crate, reproduced, name, said):
    def edit(path):
        path.write_bytes(path.read_bytes() + b"EDITED = 1\n" * name.endswith(".py") + b"\n")

    with damaged(reproduced.root / name, edit):
        result = reproduced.command("crate", "--scale", "smoke")
    assert result.returncode != 0
    assert result.stdout == f"regrok: what is built was built before {said} changed; say `make paper` first.\n"


def test_a_crate_needs_a_paper(project):
    shutil.copy2(ROOT / "CITATION.cff", project.root)
    result = project.command("crate", "--scale", "smoke")
    assert result.returncode != 0
    assert "there is no paper/smoke/regrok.pdf" in result.stdout
