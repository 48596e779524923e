"""What has to be known of SLURM before a run goes through it."""

import getpass
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from regrok.wording import listed

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol")
PATIENCE_SECONDS = 60  # with a controller that is restarted or busy
NAMED = 5  # jobs at most that a sentence names
POLL_SECONDS = 200  # more than the plugin leaves between two questions (180 in 2.8.0)


def settings(profile: str) -> dict[str, Any]:
    """What a folder in profiles/ says."""
    return yaml.safe_load((Path("profiles") / profile / "profile.yaml").read_text()) or {}


def obstacle(name: str) -> str | None:
    """Why no run may start: no SLURM, no answer, one that forgets jobs before it is asked how they ended, or jobs that
    an earlier run, which was killed, has left in the queue. None if all is well."""
    lacking = [name for name in COMMANDS if not shutil.which(name)]
    if lacking:
        return f"PROFILE=slurm needs {listed(lacking)} on this machine; start it on a login node of SLURM."
    profile = settings(name)
    return forgetful(profile) or leftover(profile)


def forgetful(profile: dict[str, Any]) -> str | None:
    """What to say of a SLURM that forgets jobs so soon that squeue does not tell how they ended."""
    answer = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True)
    age = re.search(r"^MinJobAge\s*=\s*(\d+)", answer.stdout, re.MULTILINE)
    if profile.get("slurm-status-command") != "squeue" or not age or not 0 < int(age[1]) <= POLL_SECONDS:
        return None
    return (
        f"this SLURM forgets jobs {age[1]} s after their end (MinJobAge), and is asked up to {POLL_SECONDS} s later: "
        "they would be waited for for ever. Where `sacct` works, set slurm-status-command: sacct in the profile."
    )


def leftover(profile: dict[str, Any]) -> str | None:
    """What to say of jobs of an earlier run in this folder."""
    call = ["squeue", "--noheader", "--user", getpass.getuser(), "--format", "%A|%j|%Z"]
    try:
        answer = subprocess.run(call, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        return f"SLURM does not answer: squeue was silent for {PATIENCE_SECONDS} s."
    if answer.returncode:
        return f"SLURM does not answer: {answer.stderr.strip()}."
    rows = [line.split("|", 2) for line in answer.stdout.splitlines()]
    prefix = profile.get("slurm-jobname-prefix", "")
    jobs = [job for job, name, folder in rows if name.startswith(f"{prefix}_") and Path(folder) == Path.cwd()]
    if not jobs:
        return None
    named = " ".join(jobs[:NAMED]) + (f" and {len(jobs) - NAMED} more" if len(jobs) > NAMED else "")
    return (
        f"jobs of an earlier run in this folder are still in SLURM's queue ({named}): wait for their end, or say "
        f"`scancel {' '.join(jobs)}`, which loses nothing; then the same command again."
    )
