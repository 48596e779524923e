"""make report: one HTML file with every figure, table and job of a scale."""

import subprocess
import sys
from pathlib import Path

from common import parser, refuse, request


def main() -> None:
    asked = request(parser(__doc__).parse_args())
    folder, pdf = Path("results") / asked.scale, Path("paper") / asked.scale / "regrok.pdf"
    if not pdf.exists():
        refuse(f"there is no {pdf} to report on yet; say `make reproduce` or `make paper` first.")
    trained = all((folder / "runs" / f"{job.cell.id}.json").exists() for job in asked.jobs)
    settings = {"scale": asked.scale, "report": " ".join(asked.reports), "train": int(trained)}
    values = [f"{key}={value}" for key, value in settings.items() if value != ""]
    call = [sys.executable, "-m", "snakemake", "--nolock", "--report", str(folder / "report.html"), "--config", *values]
    done = subprocess.run([*call, "partial=1", "retrain=1"], text=True, capture_output=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        refuse("the report was not written; `make paper` builds what it lacks.")
    left_out = "" if trained else ", without the training jobs, which are not all of this folder"
    print(f"{folder / 'report.html'}{left_out}")


if __name__ == "__main__":
    main()
