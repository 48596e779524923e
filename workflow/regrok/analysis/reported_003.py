"""What report 003 states, as literals: slides on "Predicting Grokking Long Before it Happens", P. Tikeng Notsawo Jr.,
2023.

Where the slides give no number, that of the paper (arXiv:2306.13253) stands, and is said to.
"""

POWER_LAW = {"exponent": 7.73, "offset": 1442.63}
"""Modular addition; of the paper. The slides have an exponent above zero."""

EARLY_STEPS = 400
"""Training losses that the spectral energy is computed from."""

HORIZON = 10_000
"""Steps after which the final accuracy is read off."""

VARIANCE_SHARE = 0.98
"""Least share of the variance of the weights that lies in two components."""

FRACTIONS = {"prediction": (0.4, 0.5, 0.7, 0.9), "landscape": (0.30, 0.85)}

EVENTS = {"t2": 1_000, "t4": 1_000_000}
"""Of Power et al., as the first slide puts it: t2 below, t4 about."""

LEARNING_RATE, WEIGHT_DECAY, WARMUP, BETA2 = 1e-4, 1.0, 10, 0.98
"""Section 2.2 of the paper."""
