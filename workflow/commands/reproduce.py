"""make reproduce, make paper: run the workflow, show how far it is, say what came out."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from common import Request, lock, parser, refuse, request
from display import Display
from regrok import stock
from regrok.analysis import claims
from regrok.config import ConfigError


def command(asked: Request, settings: dict[str, int | str], cores: int) -> list[str]:
    """The call of Snakemake. The costliest third of the cells goes first, so that no core idles at the end.

    Without Snakemake's lock, which a kill -9 would leave behind: `lock` does its work.
    """
    scale = asked.scale
    by_cost = sorted(asked.jobs, key=lambda job: -job.seeds * job.follow.budget * job.cell.flops_per_step)
    first = [f"results/{scale}/runs/{job.cell.id}.json" for job in by_cost[: len(by_cost) // 3]]
    values = {"scale": scale, "report": " ".join(asked.reports), **settings}
    return [
        *(sys.executable, "-m", "snakemake", "--nolock", "--cores", str(cores)),
        *("--config", *(f"{key}={value}" for key, value in values.items() if value != "")),
        *(["--resources", "gpu=1"] if settings["device"] == "cuda" else []),  # one job a GPU
        *(["--prioritize", *first] if settings["train"] and first else []),
    ]


def run(asked: Request, call: list[str], log: Path, held: int, trains: bool) -> int:
    """Run Snakemake with its output in `log`, showing progress; its exit code.

    It gets a session of its own, so that Ctrl-C and SIGTERM reach it and all its jobs once, as the signal that it
    takes best; and the file descriptor `held` of the lock, which so outlives a kill -9 of this process.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w") as output:
        process = subprocess.Popen(
            call, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=[held]
        )
    try:
        with Display(asked, trains) as display:
            while process.poll() is None:
                display.update()
                time.sleep(display.pause)
    except (KeyboardInterrupt, SystemExit):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("Stopping; what is trained is kept.", file=sys.stderr)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    return process.returncode


def forget_manifests(asked: Request, needs: list[stock.Need]) -> None:
    """Have Snakemake look again at the cells whose records it names are no longer there or no longer enough."""
    for cell in {need.job.cell.id for need in needs if not need.complete}:
        (Path("results") / asked.scale / "runs" / f"{cell}.json").unlink(missing_ok=True)


def end_of(log: Path, lines: int = 25) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def seconds(needs: list[stock.Need]) -> Counter:
    """CPU seconds by purpose that the records of `needs` have taken."""
    total = Counter()
    for need in needs:
        total.update(need.record.header["seconds"] if need.record else {})
    return total


def shares(before: list[stock.Need], after: list[stock.Need], cpu: float) -> str:
    """What the `cpu` seconds of a run went into."""
    spent = seconds(after)
    spent.subtract(seconds(before))
    evaluation = spent["evaluation_cpu"] / cpu
    training = (spent["cpu"] - spent["evaluation_cpu"] - spent["overhead_cpu"]) / cpu
    return f"{training:.0%} training, {evaluation:.0%} evaluation, {1 - training - evaluation:.0%} all else"


def summary(asked: Request, before: list[stock.Need], started: float) -> str:
    """What came out: cells trained and reused, verdicts, time, the paper's path."""
    needs, folder = asked.needs, Path("results") / asked.scale
    trained = {new.job.cell.id for old, new in zip(before, needs, strict=True) if new.complete and not old.complete}
    already = {need.job.cell.id for need in needs if need.at_hand} - trained
    claims = json.loads((folder / "claims.json").read_text())["claims"].values()
    verdicts = Counter(claim["verdict"] for claim in claims)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall, cpu = time.monotonic() - started, children.ru_utime + children.ru_stime
    at_hand = sum(bool(need.at_hand) for need in needs)
    return "\n".join(
        [
            f"cells    {len(trained)} trained, {len(already)} reused; {at_hand} of {len(needs)} members at hand",
            "claims   " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())),
            f"time     {wall / 60:.1f} min wall, {cpu / 60:.1f} min CPU: {shares(before, needs, cpu)}",
            f"paper    paper/{asked.scale}/regrok.pdf",
        ]
    )


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--paper", action="store_true", help="from the records at hand, without training")
    options.add_argument("--partial", default="", help="1: although records are missing")
    options.add_argument("--retrain", default="", help="1: train again what older code has trained")
    options.add_argument("--cores", type=int, default=os.cpu_count())
    options.add_argument("--device", default="cpu", help="cpu or cuda")
    options = options.parse_args()
    if options.device not in ("cpu", "cuda"):
        refuse(f"DEVICE must be cpu or cuda, not '{options.device}'.")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    asked, started = request(options), time.monotonic()
    try:
        claims.load("claims.yaml", asked.config.studies)
    except ConfigError as error:
        refuse(str(error))
    settings = {
        "train": int(not options.paper),
        "partial": int(options.partial not in ("", "0")),
        "retrain": int(options.retrain not in ("", "0")),
        "device": options.device,
    }
    before = asked.needs
    if not options.paper and not settings["retrain"] and (sentence := stock.stale_sentence(before)):
        refuse(sentence)
    if options.paper and (older := sum(need.stale for need in before)):
        print(f"Note: {older} of the records at hand were made by older code.")
    if options.paper and not settings["partial"] and (sentence := stock.missing_sentence(before)):
        refuse(sentence)
    log = Path("results") / asked.scale / "logs" / "snakemake.log"
    with lock() as held:
        forget_manifests(asked, before)
        code = run(asked, command(asked, settings, options.cores), log, held, trains=not options.paper)
    if code:
        print(end_of(log), file=sys.stderr)
        left = sum(not need.complete for need in asked.needs)
        refuse(
            f"stopped before the end (the whole log is {log}); {left} members are not finished, "
            "what is trained is kept, and the same command goes on from there."
        )
    print(summary(asked, before, started))


if __name__ == "__main__":
    main()
