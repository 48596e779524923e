"""What report 001 states, as literals.

"An In-depth Exploration and Replication of the Grokking Phenomenon in Deep Learning", H. Zhong, 2024.

Each constant names its section, appendix or figure. Nothing here is ours, and nothing is repaired.
"""

HYPERPARAMETERS = {
    "optimizer": "AdamW",
    "learning_rate": 5e-4,
    "weight_decay": 1.0,
    "beta1": 0.9,
    "beta2": 0.98,
    "batch_size": 256,
    "decay_rate": 0.8,
    "decay_steps": 5_000,
    "dropout": 0.0,
}
"""Section 2, appendices A and B; the learning rate is multiplied by `decay_rate` every `decay_steps` steps."""

MODELS = {
    "transformer": {"layers": 2, "width": 128, "heads": 4},
    "residual_mlp": {"layers": 2, "width": 128},
    "lstm": {"layers": 2, "width": 128, "hidden": 512},
}
"""Appendices A and B. The MLP is given "4 attention heads" as well; it has no attention."""

LARGE_MODULUS = {"modulus": 97, "fraction": 0.5}
"""Figure 1 (section 2.1)."""

MODULUS = 41
"""Section 2.2: of all figures but the first."""

FRACTION = 0.7
"""Figures 5, 6 and 7 (sections 4 and 5)."""

DROPOUT = (0.0, 0.1, 0.3)
"""Section 4.2, Figure 6."""

TERMS = (2, 3, 4)
"""Section 5, Figure 7: K; K = 2 is that of the earlier sections."""

ORDER = ("transformer", "residual_mlp", "lstm")
"""Section 3: the order in which the architectures grok, from the earliest."""
