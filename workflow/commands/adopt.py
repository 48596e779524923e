"""make adopt, make audit: retrain a random sample of records and compare them bit for bit.

adopt takes the sample from stale records, and where all of it is identical the others count as made by today's code.
audit takes it from the records that today's code has made.
"""

import os
import sys
from itertools import groupby

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import torch

from common import lock, parser, refuse, request
from regrok import stock
from regrok.audit import difference, sample
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


def compare(records: list[Record], code: dict[str, str], size: int) -> list[str]:
    """Retrain a sample of every kind among `records`; what differs, a line a member."""
    differences, rng = [], np.random.default_rng()
    kinds = [list(group) for _, group in groupby(sorted(records, key=kind), kind)]
    for record in [record for group in kinds for record in sample(group, size, rng)]:
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

    intact = True
    for _, group in groupby(sorted(stale, key=codes), codes):
        group = list(group)
        old, new = group[0].other.code, stock.code(group[0].job)
        print(f"{len(group)} stale records: {', '.join(stock.changes(group))}")
        if compare([need.other for need in group], new, size):
            intact = False
            continue
        Store().adopt(old, new, {"records": len(group), "sample": size})
        print(f"The sample is identical: all {len(group)} count as made by today's code.")
    return intact


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--audit", action="store_true")
    options.add_argument("--sample", type=int, default=SAMPLE, help="members of every kind of cell")
    options = options.parse_args()
    needs = request(options).needs
    torch.set_num_threads(1)
    try:
        with lock():
            if options.audit:
                complete = [need for need in needs if need.complete]
                if not complete:
                    refuse("there is no record to audit; `make reproduce` makes some.")
                code = stock.code(complete[0].job)
                sys.exit(bool(compare([need.record for need in complete], code, options.sample)))
            sys.exit(not adopt(needs, options.sample))
    except Interrupted:
        refuse("stopped; no record has changed.")


if __name__ == "__main__":
    main()
