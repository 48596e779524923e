"""Records that were never trained, and archives that nobody should take, for tests of pack and unpack."""

import io
import tarfile

import numpy as np
from tiny import CODE, tiny

from regrok.events import Follow
from regrok.store import HEADER, Record, Store, read_header

CELL, FOLLOW = tiny(), Follow(0, 0)


def save(store: Store, step: int = 100, seed: int = 0, cell=CELL, code=CODE, slope: float = 1.0, **more) -> Record:
    """A record whose history and losses grow with `slope` a step."""
    header = {
        "cell": cell.model_dump(),
        "cell_id": cell.id,
        "seed": seed,
        "last_step": step,
        "code": code,
        "t4": [None, None],
        "diverged": False,
        "dense": [],
        **more,
    }
    steps = np.arange(0, step + 1, 50)
    history = {"step": steps, "val_acc": (slope * steps).astype(np.float32)}
    losses = (slope * np.arange(step)).astype(np.float32)
    path = store.path(cell, seed, code, FOLLOW)
    store.save(path, header, history, {"value": np.full(9, slope * step, np.float32)}, losses)
    return Record(path, read_header(path / HEADER))


def hostile(name: str, size: int | None = None, **more) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        info = tarfile.TarInfo(name)
        for key, value in more.items():
            setattr(info, key, value)
        tar.addfile(info)
    if size is None:
        return archive.getvalue()
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(10_240)


PLACE = f"{CELL.id}/s000-01234567-01234567"
HOSTILE = {
    "absolute": hostile(f"/{PLACE}/header.json"),
    "above": hostile("../header.json"),
    "above in the middle": hostile(f"{CELL.id}/../s000-01234567-01234567/header.json"),
    "elsewhere": hostile(".bashrc"),
    "link": hostile(f"{PLACE}/header.json", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": hostile(f"{PLACE}/header.json", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "device": hostile(f"{PLACE}/header.json", type=tarfile.CHRTYPE),
    "pipe": hostile(f"{PLACE}/header.json", type=tarfile.FIFOTYPE),
    "folder": hostile(PLACE, type=tarfile.DIRTYPE),
    "huge": hostile(f"{PLACE}/checkpoint-1.npz", size=2**43),
    "huge list": hostile("SHA256SUMS", size=2**30),
}
