"""make adopt: retrain a random sample of stale records alone and compare them bit for bit; where all of it is
identical, the others count as made by today's code."""

import sys
from itertools import groupby

from regrok.process import one_thread

one_thread()

import numpy as np
import torch

from common import lock, parser, refuse, request
from regrok import stock
from regrok.audit import cost_sentence, difference, sample
from regrok.cell import Cell
from regrok.store import Record, Store, digest
from regrok.training.train import Interrupted

SAMPLE = 1  # a kind of cell
KINDS = ("optimizer.name", "optimizer.decays", "schedule.shape", "batches.order", "batches.last", "loss.precision",
         "split.pairs")  # fmt: skip


def kind(record: Record) -> tuple:
    """What decides which branches of the code a record's member runs through."""
    factors = Cell.model_validate(record.header["cell"]).factors
    return tuple(factors[name] for name in KINDS)


def drawn(records: list[Record], size: int, rng: np.random.Generator) -> list[Record]:
    """A sample of every kind among `records`."""
    kinds = [list(group) for _, group in groupby(sorted(records, key=kind), kind)]
    return [record for group in kinds for record in sample(group, size, rng)]


def compare(records: list[Record], code: dict[str, str]) -> list[str]:
    """Retrain `records`; what differs, a line a member."""
    differences = []
    for record in records:
        found = difference(record, code)
        name = f"{record.header['cell_id']} seed {record.seed} ({record.step} steps)"
        print(f"{name}: {f'differs in {found}' if found else 'identical'}", flush=True)
        differences += [name] if found else []
    return differences


def adopt(needs: list[stock.Need], size: int) -> bool:
    """Adopt stale records, a group for each pair of old and new code; whether nothing differed."""
    stale = [need for need in needs if need.stale]
    if not stale:
        print("No record is stale.")

    def codes(need: stock.Need) -> tuple[str, str]:
        return digest(need.other.code), digest(stock.code(need.job))

    groups, rng = [list(group) for _, group in groupby(sorted(stale, key=codes), codes)], np.random.default_rng()
    samples = [drawn([need.other for need in group], size, rng) for group in groups]
    if stale:
        retrained = [record for records in samples for record in records]
        print(f"Retraining {len(retrained)} members of {len(stale)}.", cost_sentence(retrained), flush=True)
    intact = True
    for group, records in zip(groups, samples, strict=True):
        old, new = group[0].other.code, stock.code(group[0].job)
        print(f"{len(group)} stale records: {', '.join(stock.changes(group))}")
        if compare(records, new):
            intact = False
            continue
        Store().adopt(old, new, {"records": len(group), "sample": size})
        print(f"The sample is identical: all {len(group)} count as made by today's code.")
    return intact


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--sample", type=int, default=SAMPLE, help="members of every kind of cell")
    options = options.parse_args()
    needs = request(options).needs
    torch.set_num_threads(1)
    try:
        with lock():
            sys.exit(not adopt(needs, options.sample))
    except Interrupted:
        refuse("stopped; no record has changed.")
    except ValueError as error:
        refuse(str(error))


if __name__ == "__main__":
    main()
