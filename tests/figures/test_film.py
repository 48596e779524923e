"""The film: as many frames as steps, the same bytes every time, and a sentence where there is nothing to show."""

import numpy as np
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
