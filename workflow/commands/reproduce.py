"""make reproduce, make paper: run the workflow, show how far it is, say what came out."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to save, Ctrl-C simply ends the command

import slurm
from common import Request, bring_back, lock, parser, refuse, request, signals, trouble
from display import Display
from regrok import provenance, stock
from regrok.analysis import claims
from regrok.config import ConfigError
from regrok.progress import DISK_FULL
from regrok.store import REMEDY, ROOT, Store
from regrok.wording import suggestion

GRACE_SECONDS = 30.0  # for jobs that Snakemake does not wait for
CAUSES = 3  # that a sentence may name


def command(asked: Request, settings: dict[str, int | str], where: list[str]) -> list[str]:
    """The call of Snakemake, with `where` to run. The costliest third of the cells goes first, so that no core idles
    at the end.

    Without Snakemake's lock, which a kill -9 would leave behind, and without the hook that takes ours: `lock` holds it.
    """
    scale = asked.scale
    by_cost = sorted(asked.jobs, key=lambda job: -job.seeds * job.follow.budget * job.cell.flops_per_step)
    first = [f"results/{scale}/runs/{job.cell.id}.json" for job in by_cost[: len(by_cost) // 3]]
    values = {"scale": scale, "report": " ".join(asked.reports), **settings}
    return [
        *(sys.executable, "-m", "snakemake", "--nolock", "--no-hooks", *where),
        *("--config", *(f"{key}={value}" for key, value in values.items() if value != "")),
        *(["--prioritize", *first] if settings["train"] and first else []),
    ]


def here(cores: int, device: str) -> list[str]:
    """Options of Snakemake that run everything on this machine, one training job a core or a GPU."""
    return ["--cores", str(cores), *(["--resources", "gpu=1"] if device == "cuda" else [])]


def sees_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def elsewhere(profile: str) -> list[str]:
    """Options of Snakemake that train where a profile says."""
    if not (Path("profiles") / profile / "profile.yaml").exists():
        known = sorted(path.parent.name for path in Path("profiles").glob("*/profile.yaml"))
        refuse(f"PROFILE: profiles/ has no folder '{profile}' with a profile.yaml; {suggestion(profile, known)}")
    return ["--workflow-profile", f"profiles/{profile}"]


def run(
    asked: Request,
    call: list[str],
    log: Path,
    held: int,
    trains: bool,
    received: list[int],
    end: signal.Signals,
) -> int:
    """Run Snakemake with its output in `log`, showing progress, until it ends or a signal is received; its exit code.

    It gets a session of its own, so that Ctrl-C and SIGTERM reach it and all its jobs once, as the signal `end` that
    it takes best; and the file descriptor `held` of the lock, which so outlives a kill -9 of this process.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w") as output:
        process = subprocess.Popen(
            call, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=[held]
        )
    with suppress(OSError):
        os.write(held, f" with Snakemake, process {process.pid}".encode())  # which may outlive this one
    try:
        with Display(asked, trains) as display:
            while process.poll() is None and not received:
                display.update()
                pause = time.monotonic() + display.pause
                while process.poll() is None and not received and time.monotonic() < pause:
                    time.sleep(0.1)
    finally:
        if received:
            say("Stopping; what is trained is kept.")
        stop(process, end)
    return process.returncode


def stop(process: subprocess.Popen, end: signal.Signals) -> None:
    """Have Snakemake and its jobs save and end, also jobs of a Snakemake that was killed; wait until all are gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, end)
        process.wait()
        until = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < until:
            os.killpg(process.pid, 0)
            time.sleep(0.1)


def say(sentence: str, to: TextIO = sys.stderr) -> None:
    """Tell the user, who may have closed the terminal, or sent what is said to a disk that is full."""
    try:
        print(sentence, file=to, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), to.fileno())  # or Python's last attempt would be the exit code


def forget_manifests(asked: Request, needs: list[stock.Need]) -> None:
    """Have Snakemake look again at the cells whose records it names are no longer there or no longer enough."""
    for cell in {need.job.cell.id for need in needs if not need.complete}:
        (Path("results") / asked.scale / "runs" / f"{cell}.json").unlink(missing_ok=True)


def known(folders: list[Path]) -> Iterator[Path]:
    """The files whose times Snakemake compares."""
    yield from (Path("config.yaml"), Path("claims.yaml"), *Path("workflow/scripts").iterdir())
    for folder in (*folders, Path("paper")):
        yield from folder.rglob("*")


def end_of(text: str, lines: int = 25) -> str:
    """The last lines of a log."""
    return "\n".join(text.splitlines()[-lines:])


def causes(text: str, places: list[Path]) -> list[str]:
    """What the jobs that failed say in the log of a run, or Snakemake does of a full disk, a clause each."""
    full = (
        rf"^The disk is full: (.+) could not|\[Errno (?:{'|'.join(map(str, DISK_FULL))})\] [^:\n]*(?:: ?'([^'\n]+)')?"
    )
    if found := re.search(full, text, re.MULTILINE):
        path = found[1] or found[2]
        return [f"the disk is full: {os.path.relpath(path)} cannot be written" if path else trouble(places) or found[0]]
    said = re.findall(r"^(?:\w+Error: )?(.+) \(traceback in \S+\)$", text, re.MULTILINE)
    return list(dict.fromkeys(sentence.rstrip(".") for sentence in said)) or list(filter(None, [trouble(places)]))


def left(asked: Request, mended: bool = True) -> str:
    """What a run that has not come to its end leaves, as a sentence. mended: whether nothing is to be done first."""
    damaged: dict[Path, str] = {}
    try:
        count = sum(not need.complete for need in stock.take(asked.jobs, Store(), damaged))
    except (ValueError, OSError) as error:
        return str(error)
    if sentence := stock.damage_sentence(damaged):
        return sentence
    unfinished = f"{count} members are not finished" if count else "every member has a record"
    first = "" if mended else "once that is mended "
    return f"{unfinished}, what is trained is kept, and {first}the same command goes on from there."


def failure(asked: Request, log: Path, places: list[Path], code: int) -> str:
    """Why a run has ended before its end, in one sentence; if that is not known, the end of the log comes before it.

    code: of Snakemake's end, below zero if it was a signal.
    """
    text = log.read_text(errors="replace")
    killed = [f"Snakemake was killed ({signal.Signals(-code).name})"] if code < 0 else []
    found = killed or causes(text, places)
    if not found:
        say(end_of(text))
    more = [f"{len(found) - CAUSES} more causes"] if len(found) > CAUSES else []
    why = "; ".join([*found[:CAUSES], *more])
    rest = left(asked, mended=REMEDY.rstrip(".") not in why)
    return f"stopped before the end{why and ': '}{why}. The whole log is {log}; {rest}"


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
    options.add_argument("--cores", type=int, default=os.cpu_count(), help="on this machine")
    options.add_argument("--profile", default="", help="a folder in profiles/ that says where else to train")
    options.add_argument("--device", default="cpu", help="cpu or cuda")
    options = options.parse_args()
    if options.device not in ("cpu", "cuda"):
        refuse(f"DEVICE must be cpu or cuda, not '{options.device}'.")
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
    if options.paper and (sentence := stock.older_sentence(before)):
        say(f"Note: {sentence}", sys.stdout)
    if options.paper and not settings["partial"] and (sentence := stock.missing_sentence(before)):
        refuse(sentence)
    scale = asked.scale
    folders = [Path(name) / scale for name in ("results", "figures", "paper")]
    places = [*folders, Path(".snakemake"), *([] if options.paper else [ROOT])]
    log = Path("results") / scale / "logs" / "snakemake.log"
    cluster = options.profile not in ("", "default")
    where = elsewhere(options.profile) if cluster else here(options.cores, options.device)
    if options.device == "cuda" and not cluster and not options.paper and not sees_gpu():
        refuse("DEVICE=cuda: PyTorch sees no GPU on this machine; leave out DEVICE=cuda, or say PROFILE=slurm too.")
    end = signal.SIGINT if cluster else signal.SIGTERM  # of SIGTERM it would wait for its cluster jobs
    with lock() as held, signals() as received:
        if cluster and (sentence := slurm.obstacle(options.profile)):
            refuse(sentence)
        if clause := trouble(places):
            refuse(f"{clause}; nothing has been started.")
        if ahead := bring_back(known(folders)):
            behind = f"behind the times of {ahead} files, which are dated back too"
            say(f"Note: the clock has been set back, {behind}.", sys.stdout)
        forget_manifests(asked, before)
        for path in provenance.forget_damaged(asked.scale):
            say(f"{path} is damaged: it is built again.", sys.stdout)
        code = run(asked, command(asked, settings, where), log, held, not options.paper, received, end)
        if received:
            say(f"regrok: stopped; {left(asked)}")
            sys.exit(128 + received[0])
    if code:
        refuse(failure(asked, log, places, code))
    say(summary(asked, before, started), sys.stdout)


if __name__ == "__main__":
    main()
