"""What tables there are, as the text of results/README.md.

`python -m regrok.analysis.catalogue` prints it; a test holds the committed file equal.
"""

import sys
from contextlib import suppress
from importlib import import_module

from .. import sources
from . import probed, records, tables

BASE_TITLES = {
    "cells": "A row a cell: everything that determines its trajectories, seeds aside.",
    "designs": "A row a study and cell: what the study asks for.",
    "members": "A row a member: how far it was followed and when what happened.",
    "throughput": "A row a timing of a cell: how fast its members train.",
    "histories": "A row an evaluation of a member.",
    "provenance": "A row a machine and library versions that records come from.",
}
PREAMBLE = """# results/

| path | what |
|---|---|
| `store/` | the records: one folder a cell and member, with history (Parquet), checkpoint (npz), header (JSON). Shared by all scales, append-only; keep it. |
| `SCALE/runs/` | a cell's manifest: which records it used |
| `SCALE/tables/` | the tables below: Parquet, and for derived ones CSV and LaTeX (booktabs) twins |
| `SCALE/numbers.json` | every number that the paper cites |
| `SCALE/claims.json` | every claim's verdict, reason, measured and reported value |
| `SCALE/records.json` | the records that the tables are built from: last step, studies, checksums, code |
| `*.manifest.json` | beside a table, a figure, the numbers, the paper: its checksums, what it was made from, and by which records |
| `SCALE/crate.zip` | `make crate`: sources, settings, results and how they hang together, as a Workflow Run RO-Crate |
| `SCALE/logs/`, `SCALE/benchmarks/` | a log and a resource table a job |

In a notebook: `import regrok; regrok.load("members")`. Units and meanings are also in the Parquet files' field metadata.
This page is generated (`make schema`).
"""  # noqa: E501


def derived() -> list[str]:
    """The names of all derived tables: modules of this package that declare INPUTS."""
    found = []
    for module in sources.modules(__package__):
        with suppress(LookupError):
            sources.declared(module, "INPUTS")
            found.append(module.rpartition(".")[2])
    return found


def readme() -> str:
    """The text of results/README.md."""
    parts = [PREAMBLE, "## Base tables\n"]
    parts += [section(name, title, records.COLUMNS[name]) for name, title in BASE_TITLES.items()]
    parts.append("## What probes measure\n")
    for name in probed.probes():
        parts.append(section(name, sources.docstring(f"{sources.PACKAGE}.probes.{name}"), probed.columns(name)))
    parts.append("## Derived tables\n")
    for name in derived():
        module = f"{__package__}.{name}"
        parts.append(section(name, sources.docstring(module), import_module(module).COLUMNS))
    return "\n".join(parts)


def section(name: str, title: str, columns: tables.Columns) -> str:
    return f"### {name}\n\n{title}\n\n{tables.describe(columns)}"


if __name__ == "__main__":
    sys.stdout.write(readme())
