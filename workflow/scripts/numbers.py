"""Judge the claims and compute the numbers that the paper cites."""

from pathlib import Path

from regrok.analysis import claims, numbers, tables
from regrok.progress import logged


def main(paths: list[str], ledger: str, scale: str, numbers_path: str, claims_path: str) -> None:
    frames = {Path(path).stem: tables.read(path) for path in paths}
    Path(numbers_path).write_text(claims.dumps(numbers.build(frames, scale)))
    Path(claims_path).write_text(claims.dumps(claims.judge(claims.load(ledger), frames)))


with logged(snakemake.log[0]):
    main(
        snakemake.input.tables,
        snakemake.input.claims,
        snakemake.params.scale,
        snakemake.output.numbers,
        snakemake.output.claims,
    )
