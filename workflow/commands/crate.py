"""make crate: what a scale has come to, as a Workflow Run RO-Crate: one zip with sources, settings, results and how
they hang together.

The records themselves stay in the store (`make pack` moves them); the crate has their ledger, records.json. The same
results give the same bytes.
"""

import json
import mimetypes
import platform
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import yaml
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from common import parser, refuse, request
from regrok import provenance
from regrok.store import write_atomically

PROCESS = "https://w3id.org/ro/wfrun/process/0.5"
WORKFLOW_RUN = "https://w3id.org/ro/wfrun/workflow/0.5"
WORKFLOW = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {PROCESS: "Process Run Crate", WORKFLOW_RUN: "Workflow Run Crate", WORKFLOW: "Workflow RO-Crate"}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
LICENCE = "https://spdx.org/licenses/MIT"
PARAMETER = {"@id": "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"}
SOURCES = (
    *("README.md", "LICENSE", "CITATION.cff", "Makefile", "pyproject.toml", "config.yaml", "claims.yaml"),
    *("envs/*", "profiles/**/*.yaml", "paper/*.typ", "paper/*.bib", "paper/sections/**/*.typ"),
    *("workflow/**/*.py", "workflow/**/*.smk", "workflow/**/*.rst", "workflow/**/*.json"),
)
INPUTS = ("config.yaml", "claims.yaml", "envs/lock.txt")
SOFTWARE = ("snakemake", "torch", "numpy", "numba", "scipy", "pandas", "pyarrow", "matplotlib", "typst")
TYPES = {".parquet": "application/vnd.apache.parquet", ".smk": "text/plain", ".typ": "text/plain", ".tex": "text/x-tex",
         ".yaml": "application/yaml", ".cff": "application/yaml", ".svg": "image/svg+xml"}  # fmt: skip
NAMED = 5  # sources that a sentence names
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every entry of the zip


def sources() -> list[Path]:
    """The files that the workflow consists of, but the Snakefile."""
    return [path for pattern in SOURCES for path in sorted(Path().glob(pattern)) if path.is_file()]


def results(scale: str) -> list[Path]:
    """All that a run of a scale has made, each as its manifest says, the paper first. Refuses where something
    lacks, or was made of what is here no longer."""
    manifests = sorted(provenance.manifests(scale), key=lambda path: (path.parts[0] != "paper", path))
    try:
        files = [path.parent / name for path in manifests for name in provenance.read(path)["files"]]
        for file in files:
            provenance.checked(file)
    except (ValueError, FileNotFoundError) as error:
        refuse(f"{error}.")
    paper = Path("paper") / scale / "regrok.pdf"
    if paper not in files:
        refuse(f"there is no {paper} to put into a crate yet; say `make reproduce` or `make paper` first.")
    if changed := list(provenance.outdated(scale)):
        named = ", ".join(changed[:NAMED]) + (f" and {len(changed) - NAMED} more" if len(changed) > NAMED else "")
        refuse(f"what is built was built before {named} changed; say `make paper` first.")
    return files + manifests


def properties(path: Path) -> dict:
    """Size, checksum and type of a file."""
    kind = TYPES.get(path.suffix) or mimetypes.types_map.get(path.suffix, "text/plain")
    return {
        "name": path.as_posix(),
        "contentSize": str(path.stat().st_size),
        "sha256": provenance.sha256(path),
        "encodingFormat": kind,
    }


def moment(path: Path) -> str:
    """When a file was last written, in UTC."""
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC).isoformat()


def entity(crate: ROCrate, identifier: str, kind: str, **more) -> ContextEntity:
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **more}))


def describe(scale: str, reports: list[str]) -> tuple[ROCrate, list[Path]]:
    """The crate of a scale, and the files that belong in it."""
    crate, own, made = ROCrate(version="1.1"), sources(), results(scale)
    crate.metadata.extra_contexts.append(TERMS)
    citation = yaml.safe_load(Path("CITATION.cff").read_text())
    names = [author["name"] for author in citation["authors"]]
    authors = [entity(crate, f"#author-{n}", "Organization", name=name) for n, name in enumerate(names)]
    licence = entity(crate, LICENCE, "CreativeWork", name="MIT License", url=LICENCE)
    profiles = [
        entity(crate, profile, "CreativeWork", name=name, version=profile.rpartition("/")[2])
        for profile, name in PROFILES.items()
    ]
    crate.metadata["conformsTo"] = [{"@id": "https://w3id.org/ro/crate/1.1"}, {"@id": WORKFLOW}]
    files = {path: crate.add_file(path, path.as_posix(), properties=properties(path)) for path in [*own, *made]}
    language, main = {"lang": "snakemake", "lang_version": version("snakemake")}, Path("Snakefile")
    workflow = crate.add_workflow(main, str(main), main=True, properties=properties(main), **language)
    start, end = (function(map(moment, made)) for function in (min, max))
    root = crate.root_dataset
    root["conformsTo"] = profiles
    crate.name = f"{citation['title']} (scale {scale})"
    crate.description = f"The workflow of regrok, a run of it at scale {scale}, and what came out."
    crate.license, crate.datePublished, root["author"] = licence, end, authors
    workflow["name"], workflow["version"] = "regrok", citation["version"]
    workflow["license"], workflow["creator"] = licence, authors
    workflow["hasPart"] = [files[path] for path in own if path.suffix in (".smk", ".py")]
    workflow["softwareRequirements"] = software(crate)
    given = [files[Path(path)] for path in INPUTS] + [files[Path("results") / scale / "records.json"]]
    settings = parameters(crate, workflow, {"scale": scale, "report": " ".join(reports) or "all"})
    described(crate, workflow, "input", given)
    outcome = [files[path] for path in made if path.name != "records.json"]
    headlines = (f"paper/{scale}/regrok.pdf", f"results/{scale}/claims.json", f"results/{scale}/numbers.json")
    described(crate, workflow, "output", [files[Path(path)] for path in headlines])
    run = crate.add_action(workflow, "#run", object=[*given, *settings], result=outcome)
    run["name"] = f"regrok at scale {scale}"
    run["startTime"], run["endTime"] = start, end
    run["actionStatus"] = "http://schema.org/CompletedActionStatus"
    run["description"] = (
        "What built tables, figures and paper from the records, whose training may be older and of other machines: "
        "records.json names each with its checksums and code. Times are those of the first and last file."
    )
    root["mentions"] = run
    return crate, [main, *own, *made]


def software(crate: ROCrate) -> list[ContextEntity]:
    """What the workflow needs, in the versions that are installed."""
    known = {"python": platform.python_version(), **{name: version(name) for name in SOFTWARE}}
    return [
        entity(crate, f"#{name}-{number}", "SoftwareApplication", name=name, softwareVersion=number, url=url(name))
        for name, number in known.items()
    ]


def url(name: str) -> str:
    return "https://www.python.org" if name == "python" else f"https://pypi.org/project/{name}/"


def parameter(crate: ROCrate, name: str, kind: str) -> ContextEntity:
    properties = {"name": name, "additionalType": kind, "conformsTo": PARAMETER}
    return entity(crate, f"#parameter-{name}", "FormalParameter", **properties)


def parameters(crate: ROCrate, workflow: ContextEntity, values: dict[str, str]) -> list[ContextEntity]:
    """The settings of the run, each with the workflow's parameter that it is a value of."""
    found = []
    for name, value in values.items():
        formal = parameter(crate, name, "Text")
        workflow.append_to("input", formal)
        found.append(entity(crate, f"#{name}", "PropertyValue", name=name, value=value, exampleOfWork=formal))
    return found


def described(crate: ROCrate, workflow: ContextEntity, side: str, files: Iterable) -> None:
    """Make files the values of parameters of the workflow, on its side "input" or "output"."""
    for file in files:
        formal = parameter(crate, Path(file.id).name, "File")
        workflow.append_to(side, formal)
        file["exampleOfWork"] = formal


def write(target: Path, crate: ROCrate, files: list[Path]) -> None:
    """The zip: its metadata and the files, in order, without their times."""
    texts = {"ro-crate-metadata.json": json.dumps(crate.metadata.generate(), indent=1, sort_keys=True).encode()}

    def fill(to) -> None:
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in [*texts, *sorted(path.as_posix() for path in files)]:
                content = texts.get(name) or Path(name).read_bytes()
                archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)

    write_atomically(target, fill)


def main() -> None:
    asked = request(parser(__doc__).parse_args())
    crate, files = describe(asked.scale, asked.reports)
    target = Path("results") / asked.scale / "crate.zip"
    write(target, crate, files)
    print(f"{target}: {len(files)} files, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
