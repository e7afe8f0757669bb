"""Brings an object to its normal form: what is left is what the application and its people decided.

It receives a manifest from git or from a site, and what git says of the same object; it hands on its normal form
(``tree``) and the bytes by which two are equal. It refuses to hide a field that git sets, and to lose one that
it does not know: what has no rule is compared as it is written. The rules are functions, one each; the table of
all rows that were weighed, with those that were not taken, is ``catalogue``.
"""

from drift.normalise.form import Filled, Normal, as_written, complete, conformed, filled, normalise, slim
from drift.normalise.schemas import NO_SCHEMAS, Schemas, collect
from drift.normalise.tree import ORDER, Bag, Keyed, Node, encode, plain, unused
from drift.normalise.versions import home, served_by

__all__ = [
    "NO_SCHEMAS",
    "ORDER",
    "Bag",
    "Filled",
    "Keyed",
    "Node",
    "Normal",
    "Schemas",
    "as_written",
    "collect",
    "complete",
    "conformed",
    "encode",
    "filled",
    "home",
    "normalise",
    "plain",
    "served_by",
    "slim",
    "unused",
]
