"""Minibatches: which examples, in which order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.cell import Batches
from regrok.training.batches import BatchOrder

SIZES = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


def made(
    n: int, size: int | str, order: str = "shuffled", last: str = "keep", seeds: tuple[int, ...] = (0, 1)
) -> BatchOrder:
    train = np.stack([1000 * seed + np.arange(n) for seed in seeds])
    return BatchOrder(Batches(size=size, order=order, last=last), list(seeds), train)


def batches(order: BatchOrder, steps: range) -> list[np.ndarray]:
    """(S, B) indices of each step."""
    size, found = order.size, []
    for epoch, index in (divmod(step, order.per_epoch) for step in steps):
        found.append(order.order(epoch)[:, index * size : (index + 1) * size])
    return found


@settings(deadline=None)
@given(SIZES, st.integers(0, 3))
def test_an_epoch_visits_each_example_once(sizes, epoch):
    n, size = sizes
    order = made(n, size)
    assert order.per_epoch == -(-n // size)
    seen = batches(order, range(epoch * order.per_epoch, (epoch + 1) * order.per_epoch))
    assert [batch.shape[1] for batch in seen[:-1]] == [size] * (order.per_epoch - 1)
    assert seen[-1].shape[1] == n - size * (order.per_epoch - 1)
    for member, visited in enumerate(np.concatenate(seen, axis=1)):
        assert sorted(visited) == order.train[member].tolist()


@settings(deadline=None)
@given(SIZES)
def test_a_dropped_last_batch(sizes):
    """Each epoch leaves out its own remainder, no example twice, no short batch."""
    n, size = sizes
    order = made(n, size, last="drop")
    assert order.per_epoch == n // size
    for epoch in range(3):
        seen = batches(order, range(epoch * order.per_epoch, (epoch + 1) * order.per_epoch))
        assert {batch.shape[1] for batch in seen} == {size}
        for visited in np.concatenate(seen, axis=1):
            assert len(set(visited)) == len(visited) == size * (n // size)


def test_dropping_takes_the_same_order_as_keeping():
    kept, dropped = batches(made(23, 5), range(5)), batches(made(23, 5, last="drop"), range(4))
    assert all(np.array_equal(a, b) for a, b in zip(kept, dropped, strict=False))


@pytest.mark.parametrize("kind", ["shuffled", "replacement"])
def test_order_depends_on_seed_and_epoch_alone(kind):
    """So a step counter is all that a resumed run needs, and who else is in the stack does not matter."""
    through = batches(made(23, 5, kind, seeds=(4, 2)), range(20))
    for step in (0, 4, 5, 13, 19):
        (resumed,) = batches(made(23, 5, kind, seeds=(2,)), range(step, step + 1))
        assert np.array_equal(resumed[0], through[step][1])
    first, second = through[0] % 1000, through[5] % 1000
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, second)


def test_drawing_with_replacement():
    """Uniform over the training set: 200 epochs of 50 draws from 50, each example 200 times give or take 5 sigma."""
    order = made(50, 7, "replacement", seeds=(3,))
    assert order.per_epoch == 8
    drawn = np.concatenate(batches(order, range(200 * 8)), axis=1)[0]
    counts = np.bincount(drawn - 3000, minlength=50)
    assert counts.sum() == 200 * 50
    assert np.abs(counts - 200).max() < 5 * np.sqrt(200)
    epoch = np.concatenate(batches(order, range(8)), axis=1)[0]
    assert len(set(epoch)) < 50


@pytest.mark.parametrize("size", [9, "full"])
def test_a_batch_of_the_whole_training_set_keeps_its_order(size):
    """No order can matter then but by rounding, and drawing one costs more than a small step."""
    order = made(9, size)
    assert (order.size, order.per_epoch) == (9, 1)
    assert all(np.array_equal(batch, order.train) for batch in batches(order, range(3)))
