"""A SLURM that only notes what it is asked, for tests of what that is."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

SBATCH = """#!{python}
import json, sys
from pathlib import Path
with open("{folder}/submitted", "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
print(len(Path("{folder}/submitted").read_text().splitlines()))
"""
SQUEUE = """#!/bin/sh
case "$*" in *--user*) cat "{folder}/queue"; exit ;; esac
i=0; while read -r line; do i=$((i+1)); echo "$i|FAILED"; done < "{folder}/submitted"
"""
SCONTROL = """#!/bin/sh
echo "MinJobAge               = $(cat "{folder}/age") sec"
"""
NOTHING = "#!/bin/sh\n"
COMMANDS = {"sbatch": SBATCH, "squeue": SQUEUE, "scontrol": SCONTROL}
COMMANDS |= dict.fromkeys(("scancel", "sinfo", "sacct", "sacctmgr"), NOTHING)


@dataclass
class Pretended:
    """Its commands are in `folder`. Every job fails at once."""

    folder: Path

    def __post_init__(self):
        self.folder.mkdir()
        for name, text in COMMANDS.items():
            path = self.folder / name
            path.write_text(text.replace("{folder}", str(self.folder)).replace("{python}", sys.executable))
            path.chmod(0o755)
        (self.folder / "submitted").touch()
        self.answer()

    def answer(self, queue: str = "", age: int = 300) -> None:
        """What squeue lists, and after how many seconds SLURM forgets jobs that have ended."""
        (self.folder / "queue").write_text(queue)
        (self.folder / "age").write_text(str(age))

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which its commands are found."""
        return {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def submitted(self) -> list[dict[str, str]]:
        """What sbatch was given, job by job: option -> value."""
        calls = [json.loads(line) for line in (self.folder / "submitted").read_text().splitlines()]
        return [options(call) for call in calls]


def options(call: list[str]) -> dict[str, str]:
    """Option -> value, of "--option=value" and "-o value"."""
    found = {}
    for word, following in zip(call, [*call[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if name.startswith("-"):
            found[name] = value or following
    return found
