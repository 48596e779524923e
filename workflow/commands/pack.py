"""make pack: the store, or the records of some studies, as one file to take to another machine."""

import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from common import Request, parser, refuse, request
from regrok import travel
from regrok.experiment import designs
from regrok.store import HEADER, ROOT, Store, write_atomically
from regrok.wording import suggestion


def transfer(total: int, what: str) -> Progress:
    """A progress bar over `total` bytes, where there is a terminal."""
    console = Console()
    columns = TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    bar.add_task(what, total=total)
    return bar


def cells(asked: Request, scale: str | None, studies: list[str]) -> set[str]:
    """Ids of the cells that the studies ask for, at one scale or at any."""
    for study in studies:
        if study not in asked.config.studies:
            refuse(f"STUDY: config.yaml has no study '{study}'; {suggestion(study, asked.config.studies)}")
    found = designs(asked.config, scale, asked.reports)
    return {design.cell.id for design in found if not studies or design.study in studies}


def folders(store: Store, chosen: set[str] | None) -> list[Path]:
    """The folders of all records of the chosen cells; of every cell if None."""
    found = (path.parent for path in sorted(store.root.glob(f"*/*/{HEADER}")))
    return [folder for folder in found if chosen is None or folder.parent.name in chosen]


def size(folder: Path) -> int:
    """Bytes of a record; fewer if it is being replaced."""
    total = 0
    with suppress(OSError):
        for path in folder.iterdir():
            total += path.stat().st_size
    return total


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--study", default="", help="studies by name, separated by blanks; all if empty")
    options.add_argument("--file", default="", help="where to; in results/ if empty")
    options.set_defaults(scale="")
    options = options.parse_args()
    chosen = [options.scale, options.report, options.study]
    name = "-".join(["regrok-store", *" ".join(filter(None, chosen)).split()])
    file = Path(options.file or f"results/{name}.tar")
    scale, studies = options.scale or None, options.study.split()
    options.scale = options.scale or "laptop"
    asked, store = request(options), Store()
    records = folders(store, cells(asked, scale, studies) if any(chosen) else None)
    if not records:
        refuse(f"{ROOT} holds no record of what was asked for.")
    damaged = []
    try:
        with transfer(sum(map(size, records)), "packing") as bar:

            def write(to) -> None:
                damaged.extend(travel.pack(store, records, to, lambda done: bar.advance(bar.task_ids[0], done)))

            write_atomically(file, write)
    except OSError as error:
        refuse(f"{file} could not be written: {error.strerror or error}.")
    except KeyboardInterrupt:
        refuse(f"stopped; {file} has not been written.")
    for outcome in damaged:
        print(f"damaged, left out: {outcome.name}: {outcome.why}")
    print(f"{len(records) - len(damaged)} records, {file.stat().st_size / 1e6:.1f} MB: {file}")
    sys.exit(bool(damaged))


if __name__ == "__main__":
    main()
