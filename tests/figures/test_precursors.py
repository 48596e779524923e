"""Panels of signals before grokking, of which some have nothing to show."""

import numpy as np
import pandas as pd

from regrok.analysis import precursor_signals, precursor_windows
from regrok.figures import precursors

STEPS = np.arange(0, 4001, 50)


def test_a_panel_without_a_window_leaves_the_others_as_they_are():
    norms = pd.DataFrame({"step": STEPS, "value": 50 * np.exp(-STEPS / 4000)}).assign(
        cell="a", seed=0, fraction=0.5, weight_decay=1.0, t4=3000.0, followed=4000, signal="weight_norm"
    )
    signals = norms.assign(train_loss=0.01, train_acc=1.0)[list(precursor_signals.COLUMNS)]
    norm, *_, sharpness = precursors.draw(signals, precursor_windows.build(signals)).axes
    assert norm.get_xlim() == (-1.5 * precursor_windows.WINDOW, 200)
    assert [label.get_text() for label in norm.get_xticklabels()] == ["−1000", "0"]
    assert not sharpness.lines
