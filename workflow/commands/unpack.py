"""make unpack: merge a file of `make pack` into this store; what is here stays, unless it is only continued."""

import sys
from collections import Counter
from pathlib import Path

from common import parser, refuse
from pack import transfer
from regrok import travel
from regrok.store import ROOT, Store


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--file", default="", help="a file of make pack")
    name = options.parse_args().file
    if not (file := Path(name)).is_file():
        what = f"; '{file}' is a folder" if file.is_dir() else f"; there is no file '{file}'"
        refuse(f"say `make unpack FILE=...` with a file of `make pack`{what if name else ''}.")
    counts, stopped = Counter(), None
    try:
        with open(file, "rb") as archive, transfer(file.stat().st_size, "unpacking") as bar:
            for outcome in travel.unpack(Store(), archive, lambda done: bar.advance(bar.task_ids[0], done)):
                counts[outcome.kind] += 1
                if outcome.why:
                    bar.console.print(f"{outcome.kind}: {outcome.name}: {outcome.why}", soft_wrap=True, highlight=False)
    except travel.Refused as error:
        stopped = f"{file}: {error}; the whole records before that are in."
    except OSError as error:
        stopped = (
            f"{error.filename or ROOT}: {error.strerror or error}; say it again when that is mended, what is in stays."
        )
    except KeyboardInterrupt:
        stopped = "stopped; what is in stays, and the same command goes on from there."
    print(", ".join(f"{counts[kind]} {kind}" for kind in travel.OUTCOMES))
    if stopped:
        refuse(stopped)
    sys.exit(any(counts[kind] for kind in travel.FAILURES))


if __name__ == "__main__":
    main()
