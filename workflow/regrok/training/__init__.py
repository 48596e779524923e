"""Floor 4. A stack of members trained together: streams, batches, optimisers, checkpoints, records."""
