"""Tables of probes, made up by formula: a file a probe, with `table(base)` -> frame of all that it measures.

base: the tables of tests/synthetic.py.
"""
