"""The values that the server fills in where the built-in kinds leave something open.

A pattern is a dictionary beside the object: a value stands where nothing is set, a dictionary goes one deeper (and
makes what it goes into), ``name?`` goes deeper only where something is there, ``name[]`` goes into every item, and
what is callable makes the value from the object around it.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.support.kubernetes_double import defaults
from tests.support.kubernetes_double.types import Object, Pattern


def filled(given: Object, group: str, kind: str) -> Object:
    """The object with what is open filled in."""
    made = copy.deepcopy(given)
    _fill(made, defaults.KINDS.get((group, kind), {}))
    return made


def _fill(value: Object, pattern: Pattern) -> None:
    for name, wanted in pattern.items():
        if name.endswith("[]"):
            for item in value.get(name[:-2]) or ():
                _fill(item, wanted)
        elif name.endswith("?"):
            if value.get(name[:-1]) is not None:
                _fill(value[name[:-1]], wanted)
        elif callable(wanted):
            _set(value, name, wanted(value))
        elif isinstance(wanted, dict) and wanted:
            _set(value, name, {})
            _fill(value[name], wanted)
        else:
            _set(value, name, copy.deepcopy(wanted))


def _set(value: Object, name: str, wanted: Any) -> None:
    """Set what is open; of a dictionary, what is open in it."""
    given = value.get(name)
    if isinstance(given, dict) and isinstance(wanted, dict):
        value[name] = {**wanted, **{key: one for key, one in given.items() if one is not None}}
    elif given in (None, "") and wanted is not None:
        value[name] = wanted
