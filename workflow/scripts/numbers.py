"""Judge the claims and compute the numbers that the paper cites."""

from pathlib import Path

from regrok import provenance
from regrok.analysis import claims, numbers, tables
from regrok.progress import logged


def main(
    paths: list[str], ledger: str, records: str, reports: list[str], scale: str, code: str, targets: tuple[Path, Path]
) -> None:
    frames = {Path(path).stem: tables.read(provenance.checked(path)) for path in paths}
    judged = claims.judge(claims.load(ledger).of(reports), frames)
    for target, content in zip(targets, (numbers.build(frames, scale), judged), strict=True):
        target.write_text(claims.dumps(content))
        provenance.write([target], [*paths, ledger], code, provenance.ALL, records)


with logged(snakemake.log[0]):
    main(
        snakemake.input.tables,
        snakemake.input.claims,
        snakemake.input.records,
        snakemake.params.reports,
        snakemake.params.scale,
        snakemake.params.code,
        (Path(snakemake.output.numbers), Path(snakemake.output.claims)),
    )
