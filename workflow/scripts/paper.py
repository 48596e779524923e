"""Typeset the paper."""

from pathlib import Path

from regrok import provenance
from regrok.paper import build
from regrok.progress import logged


def printed(tables: list[str]) -> list[Path]:
    """The twins of tables that the paper reads."""
    twins = (Path(path).with_suffix(".csv") for path in tables)
    return [path for path in twins if path.name in provenance.read(provenance.manifest_of(path))["files"]]


def main(texts: list[str], results: list[str | Path], records: str, scale: str, code: str, target: str) -> None:
    for path in results:
        provenance.checked(path)
    for warning in build("paper", ".", scale, target):
        print(warning)
    provenance.write([target], [*texts, *results], code, provenance.ALL, records)


with logged(snakemake.log[0]):
    given = snakemake.input
    main(
        [*given.text, *given.sections, given.references],
        [given.numbers, given.claims, *given.figures, *printed(given.tables)],
        given.records,
        snakemake.params.scale,
        snakemake.params.code,
        snakemake.output[0],
    )
