"""One change of one field, at any depth, of any kind that is served: what must be found, and whether it is.

It receives what servers say of themselves under ``/openapi/v3``, and definitions of custom resources; it makes an
object of every kind with every field set (``filling``), changes one place at a time (``changes``) on one side of a
pair (``trying``), and counts what was found. ``python -m tests.drift.mutation --all`` tries every one.
"""
