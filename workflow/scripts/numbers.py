"""Judge the claims and compute the numbers that the paper cites."""

from pathlib import Path

from regrok.analysis import claims, numbers, tables
from regrok.progress import logged


def main(paths: list[str], ledger: Path, reports: list[str], scale: str, targets: tuple[Path, Path]) -> None:
    frames = {Path(path).stem: tables.read(path) for path in paths}
    judged = claims.judge(claims.load(ledger).of(reports), frames)
    for target, content in zip(targets, (numbers.build(frames, scale), judged), strict=True):
        target.write_text(claims.dumps(content))


with logged(snakemake.log[0]):
    main(
        snakemake.input.tables,
        snakemake.input.claims,
        snakemake.params.reports,
        snakemake.params.scale,
        (Path(snakemake.output.numbers), Path(snakemake.output.claims)),
    )
