"""What report 000 states, as literals.

"Reproductibilité des résultats de Power et al. (2022) avec une architecture MLP simplifiée", L. A. Mbassi Ewolo, 2025.

Each constant names its section, table or figure. Nothing here is ours, and nothing is repaired.
"""

from math import nan

DATA_FRACTION = {
    0.2: {"steps": nan, "speedup": nan},
    0.3: {"steps": 95_420.0, "speedup": 1.0},
    0.4: {"steps": 12_350.0, "speedup": 7.7},
    0.5: {"steps": 2_950.0, "speedup": 32.3},
    0.6: {"steps": 1_024.0, "speedup": 93.2},
}
"""Table 2 (section 3.1.3): training fraction -> steps to grokking and speed-up over 0.3; nan is "Pas de grokking"."""

CRITICAL_FRACTION = 0.25
"""Section 3.1.3: below it no grokking was seen."""

UNSUCCESSFUL_STEPS = 500_000
"""Section 3.1.3: steps without grokking below the critical fraction."""

ARCHITECTURES = {
    (32, 1): {"parameters": 9_500, "grokking": "no"},
    (64, 1): {"parameters": 25_000, "grokking": "sometimes"},
    (128, 1): {"parameters": 65_000, "grokking": "yes"},
    (64, 2): {"parameters": 29_000, "grokking": "yes"},
    (32, 3): {"parameters": 14_000, "grokking": "yes"},
}
"""Table 3 (section 3.2.2): (hidden width, hidden layers) -> parameters (printed as 9.5K ...) and whether it groks."""

PARAMETERS = 65_000
"""Section 2.1: of the MLP with two hidden layers of 128. Table 3 gives the same count to a single layer of 128."""

HYPERPARAMETERS = {
    "optimizer": "AdamW and Adam",
    "learning_rate": 1e-3,
    "weight_decay": 1.0,
    "batch_size": 512,
    "warmup": 10,
    "fraction": 0.5,
    "epochs": 100_000,
}
"""Table 1 (section 2.2.2)."""

GROKKING_STEP = 2_950
"""Figure 1 and section 3.1.1: division, fraction 0.5, AdamW with weight decay 1."""

TRANSITION_WIDTH = 100
"""Section 3.1.1: validation accuracy goes from 1 % to 100 % in fewer steps ("a few hundred" in section 1.1.1)."""

NO_DECAY = {"steps": 1_000_000, "train_acc": 1.0, "val_acc": 0.012}
"""Section 3.1.1, Figure 2: division, fraction 0.5, Adam without weight decay."""

TRANSFORMER = {"fewer_parameters": 50.0, "faster_training": 10.0, "less_compute": 10.0}
"""Section 3.2.1 and abstract: the MLP against the Transformer of Power et al."""

TRANSFORMER_SIZE = "several millions"
"""Section 2.1: parameters of that Transformer ("plusieurs millions")."""
