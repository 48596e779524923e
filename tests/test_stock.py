"""What is at hand of what a scale needs: complete, stale, missing."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tiny import files, job

from regrok import stock
from regrok.stock import changes, fingerprint, missing_sentence, older_sentence, stale_sentence, take
from regrok.store import Store

TASK = job(seeds=1, event=1000)
TODAY = stock.code(TASK)
OLDER = {**TODAY, "regrok.training.stack": "0123456789abcdef"}
OLDEST = {**TODAY, "torch": "1.0"}
GONE = {**{name: value for name, value in TODAY.items() if name != "numpy"}, "regrok.training.old": "0"}


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def hold(store: Store, step: int, code: dict = TODAY, seed: int = 0, task=TASK, t4=(None, None), cpu=3600.0) -> None:
    header = {
        "seed": seed,
        "last_step": step,
        "code": code,
        "t4": t4,
        "diverged": False,
        "dense": [list(stretch) for stretch in task.follow.dense],
        "seconds": {"cpu": cpu},
    }
    arrays = {"value": np.array([step, seed])}
    store.save(store.path(task.cell, seed, code, task.follow), header, {"step": np.array([0])}, arrays, np.zeros(0))


def only(store: Store, task=TASK) -> stock.Need:
    (need,) = take([task], store)
    return need


def test_code_names_what_determines_a_trajectory():
    assert {"torch", "numpy", "regrok.training.stack", "regrok.models.mlp", "regrok.tasks.modular"} <= TODAY.keys()
    assert not {"regrok.store", "regrok.stock", "regrok.events", "regrok.cell"} & TODAY.keys()


def test_nothing_at_hand(store):
    need = only(store)
    assert (need.record, need.other, need.at_hand) == (None, None, None)
    assert (need.complete, need.stale, need.steps_to_go) == (False, False, 1000)
    assert fingerprint([need]) == []


def test_complete(store):
    hold(store, 1000)
    need = only(store)
    assert (need.complete, need.stale, need.steps_to_go) == (True, False, 0)
    assert need.at_hand is need.record
    assert missing_sentence([need]) is stale_sentence([need]) is None


def test_complete_before_the_budget(store):
    hold(store, 600, t4=(350, 400))
    assert only(store).complete
    assert only(store).steps_to_go == 0


def test_begun(store):
    hold(store, 300)
    need = only(store)
    assert (need.complete, need.stale, need.steps_to_go, need.at_hand.step) == (False, False, 700, 300)


def test_older_code_only(store):
    hold(store, 1000, OLDER)
    need = only(store)
    assert need.record is None
    assert need.at_hand is need.other
    assert (need.complete, need.stale, need.steps_to_go) == (False, True, 1000)
    assert missing_sentence([need]) is None  # tables can be built from it


def test_todays_code_behind_older(store):
    hold(store, 1000, OLDER)
    hold(store, 300)
    need = only(store)
    assert (need.record.step, need.other.step) == (300, 1000)
    assert (need.complete, need.stale, need.steps_to_go, need.at_hand.step) == (False, True, 700, 1000)


def test_todays_code_ahead_of_older(store):
    hold(store, 200, OLDER)
    hold(store, 300)
    need = only(store)
    assert (need.complete, need.stale, need.at_hand.step) == (False, False, 300)


def test_todays_code_done_beside_older(store):
    """Older code that went further makes nothing stale."""
    hold(store, 5000, OLDER)
    hold(store, 1000)
    need = only(store)
    assert (need.complete, need.stale, need.at_hand.step) == (True, False, 1000)


def test_a_complete_older_record_is_better_than_half_a_new_one(store):
    """The older member generalised at 400 and stopped; today's is on its way."""
    hold(store, 600, OLDER, t4=(350, 400))
    hold(store, 800)
    need = only(store)
    assert need.at_hand.step == 600
    assert missing_sentence([need]) is None


def test_the_furthest_of_older_codes(store):
    hold(store, 400, OLDER)
    hold(store, 700, OLDEST)
    assert only(store).other.step == 700


def test_adopted_records_are_todays(store):
    hold(store, 1000, OLDEST)
    store.adopt(OLDEST, OLDER, {})
    assert only(store).stale
    store.adopt(OLDER, TODAY, {})
    need = only(store)
    assert (need.complete, need.stale, need.other) == (True, False, None)


def test_members_and_jobs_in_order(store):
    tasks = [job(seeds=2, event=1000), job(seeds=3, budget=500, overrides={"model.hidden": 9})]
    hold(store, 1000, seed=1)
    needs = take(tasks, store)
    assert [(need.job, need.seed) for need in needs] == [
        *((tasks[0], seed) for seed in range(2)),
        *((tasks[1], seed) for seed in range(3)),
    ]
    assert [need.complete for need in needs] == [False, True, False, False, False]


def test_records_measured_too_sparsely_do_not_count(store):
    hold(store, 1000)
    dense = job(seeds=1, event=1000, dense=((10, 100),))
    assert only(store, dense).record is None
    hold(store, 1000, task=dense)
    assert only(store, dense).complete


def test_taking_stock_changes_nothing(store):
    hold(store, 1000, OLDER)
    hold(store, 300)
    before = files(store.root)
    needs = take([TASK], store)
    stale_sentence(needs), missing_sentence(needs), fingerprint(needs)
    assert files(store.root) == before


def test_what_changed(store):
    """Modules by file, libraries by name, the most frequent first; also what came and what went."""
    task = job(seeds=3, event=1000)
    hold(store, 1000, OLDER, seed=0)
    hold(store, 1000, {**OLDER, "torch": "1.0"}, seed=1)
    hold(store, 1000, GONE, seed=2)
    named = changes(take([task], store))
    assert named[0] == "regrok/training/stack.py changed"
    assert set(named[1:]) == {
        "torch has another version",
        "numpy has another version",
        "regrok/training/old.py changed",
    }


def test_stale_sentence(store):
    task = job(seeds=3, event=1000)
    hold(store, 1000, OLDER, seed=0, cpu=3600.0)
    hold(store, 1000, OLDER, seed=1, cpu=1800.0)
    hold(store, 1000, OLDER, seed=2, cpu=10**6)
    hold(store, 1000, TODAY, seed=2)
    sentence = stale_sentence(take([task], store))
    assert sentence.startswith("2 records are stale (1.5 core-hours), because regrok/training/stack.py changed:")
    assert "RETRAIN=1" in sentence
    assert "make adopt" in sentence


def test_missing_sentence(store):
    """A member that is too short is missing too; five cells are named, the rest counted."""
    tasks = [job(seeds=2, event=1000, overrides={"model.hidden": hidden}) for hidden in range(5, 12)]
    hold(store, 1000, task=tasks[0], seed=0)
    hold(store, 999, task=tasks[0], seed=1)
    hold(store, 1000, task=tasks[1], seed=0)
    hold(store, 600, task=tasks[1], seed=1, t4=(350, 400))
    sentence = missing_sentence(take(tasks, store))
    assert sentence.startswith("11 of 14 records are missing or too short, in 6 cells: ")
    assert tasks[0].cell.id in sentence
    assert tasks[1].cell.id not in sentence
    assert "and 1 more" in sentence
    assert "PARTIAL=1" in sentence


def test_fingerprints_follow_the_records_at_hand(store):
    task = job(seeds=2, event=1000)
    seen = [fingerprint(take([task], store))]
    for hold_more in (
        lambda: hold(store, 1000, OLDER),
        lambda: hold(store, 1000, seed=1),
        lambda: hold(store, 1001),
        lambda: hold(store, 1002),
    ):
        hold_more()
        seen.append(fingerprint(take([task], store)))
    assert [len(prints) for prints in seen] == [0, 1, 2, 2, 2]
    assert len({tuple(prints) for prints in seen}) == 5
    hold(store, 500, OLDEST)
    assert fingerprint(take([task], store)) == seen[-1]


def test_older_sentence(store):
    """Of what tables are built from, stale or not: one that generalised early is complete at fewer steps."""
    assert older_sentence(take([TASK], store)) is None
    hold(store, 1000)
    assert older_sentence(take([TASK], store)) is None
    both = job(seeds=2, event=1000)
    hold(store, 400, code=OLDER, seed=1, t4=(150.0, 200.0))
    hold(store, 600, seed=1)
    (_, mixed) = needs = take([both], store)
    assert not mixed.stale
    assert older_sentence(needs) == "1 of the records at hand were made by older code."


def test_all_damage_is_named_at_once():
    damaged = {Path(f"store/{n}/header.json"): f"store/{n}/header.json is damaged; mend it." for n in range(8)}
    assert stock.damage_sentence({}) is None
    assert stock.damage_sentence(dict(islice(damaged.items(), 1))) == "store/0/header.json is damaged; mend it."
    assert stock.damage_sentence(dict(islice(damaged.items(), 2))) == (
        "store/0/header.json is damaged; mend it. Damaged too: store/1/header.json."
    )
    assert stock.damage_sentence(damaged).endswith("store/5/header.json, 2 more.")
