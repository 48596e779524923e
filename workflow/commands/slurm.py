"""What has to be known of SLURM before a run goes through it."""

import getpass
import shutil
import subprocess
from pathlib import Path

PREFIX = "regrok_"  # of job names: slurm-jobname-prefix in profiles/slurm/profile.yaml
NAMED = 5  # jobs at most that a sentence names


def obstacle() -> str | None:
    """Why no run may start: no SLURM, no answer, or jobs that an earlier run, which was killed, has left in the queue.
    None if all is well."""
    if not shutil.which("sbatch"):
        return "PROFILE=slurm needs SLURM's commands (sbatch, squeue) on this machine; start it on a login node."
    call = ["squeue", "--noheader", "--user", getpass.getuser(), "--format", "%A|%j|%Z"]
    answer = subprocess.run(call, capture_output=True, text=True)
    if answer.returncode:
        return f"SLURM does not answer: {answer.stderr.strip()}."
    rows = [line.split("|", 2) for line in answer.stdout.splitlines()]
    jobs = [job for job, name, folder in rows if name.startswith(PREFIX) and Path(folder) == Path.cwd()]
    if not jobs:
        return None
    named = " ".join(jobs[:NAMED]) + (f" and {len(jobs) - NAMED} more" if len(jobs) > NAMED else "")
    return (
        f"jobs of an earlier run in this folder are still in SLURM's queue ({named}): wait for their end, or say "
        f"`scancel {' '.join(jobs)}`, which loses nothing; then the same command again."
    )
