"""The film: as many frames as steps, the same bytes every time, and a sentence where there is nothing to show."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic import base_tables

from regrok.figures import circle, film


def tables(**case):
    base = base_tables(**case)
    return [base[name] for name in film.FILM_INPUTS]


def test_a_frame_a_step(tmp_path):
    frames, members, designs = tables(seeds=2, scale="laptop")
    for name in ("one.gif", "two.gif"):
        film.write(tmp_path / name, frames, members, designs)
    with Image.open(tmp_path / "one.gif") as image:
        assert image.n_frames == circle.film(frames, members, designs)["step"].nunique()
        assert image.info["loop"] == 0
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "two.gif").read_bytes()


def test_nothing_to_show(tmp_path):
    frames, members, designs = tables(seeds=2, scale="laptop")
    film.write(tmp_path / "none.gif", frames.head(0), members.head(0), designs)
    with Image.open(tmp_path / "none.gif") as image:
        assert image.n_frames == 1


def test_moments_and_rings():
    assert circle.moments(np.arange(0, 3001, 10)) == [0, 10, 40, 170, 720, 3000]
    assert circle.moments(np.array([0])) == [0]
    assert circle.ring(5, 2).tolist() == [0, 3, 1, 4, 2, 0]  # 2 x mod 5: 0, 2, 4, 1, 3


def test_the_most_ordered_of_those_that_generalise():
    frames, members, designs = tables(seeds=2, scale="laptop")
    own = frames.merge(members.loc[members["width"].notna() & members["generalised"], ["cell", "seed"]])
    cell, seed = own[["cell", "seed"]].iloc[0]
    spoilt = frames.copy()
    others = ~((spoilt["cell"] == cell) & (spoilt["seed"] == seed))
    spoilt.loc[others, ["first", "second"]] = np.random.default_rng(0).normal(size=(others.sum(), 2))
    (found,) = {*map(tuple, circle.film(spoilt, members, designs)[["cell", "seed"]].to_numpy())}
    assert found == (cell, seed)


def test_order_of_a_circle():
    angle = 2 * np.pi * 3 * np.arange(11) / 11
    places = pd.DataFrame({"residue": range(11), "first": np.cos(angle), "second": np.sin(angle), "frequency": 3})
    assert circle.order(places) == pytest.approx(1)
    assert circle.order(places.assign(frequency=2)) == pytest.approx(0)
