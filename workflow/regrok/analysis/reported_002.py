"""What report 002 says of "Simple Grokking", and what the code that it links to (okitouni/simple-grokking) states."""

MODULUS = 53
HIDDEN = 128
WEIGHT_DECAY = {"grokking": 0.03, "comprehension": 5.0}
STEPS = 10_000
FRACTION = 0.6
LEARNING_RATE = 3e-2
TRANSFORMER_MODULUS = 59
