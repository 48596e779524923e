"""Floor 6. Pure functions from tables to matplotlib figures, one file a figure: no torch, no files, no fitting."""
