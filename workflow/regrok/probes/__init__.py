"""Floor 5. Measurements on what training has left: histories, signals, snapshots. A changed probe retrains nothing.

A probe is a file here that declares SETTINGS (name -> default), COLUMNS (of its table, after cell and seed) and, where
it reads them, NEEDS ("snapshots", "signals"), all literals, and has a function `measure(member, **settings)`.
"""
