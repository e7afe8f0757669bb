"""Readiness checks: whether the other site would start, asked in fifty ways.

A check is one small module with its id: it receives facts that somebody gathered and hands on what is to be said
of them. It asks nobody, and what was not gathered it calls unknown, never good. ``catalogue`` lists every check,
also those that nobody has built yet; ``table`` says which module answers which.
"""
