"""Gathers what the readiness checks are given: thin collectors, each of which fails alone.

It receives a pair and what it needs from outside; it hands on facts. A collector that fails leaves ``Unread`` with
the reason, never an error and never an empty answer. It decides nothing.
"""
