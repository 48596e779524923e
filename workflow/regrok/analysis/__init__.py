"""Floor 5. Tables in, tables out: pure functions, no torch, no files.

A derived table is a file with literal INPUTS, REPORTS and COLUMNS and a function `build`; the other files hold the
statistics that they share.
"""
