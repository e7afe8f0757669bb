"""Changing values without touching the originals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from lockstep.topology.selectors import ANY, Tokens
from lockstep.values import Json

Place: TypeAlias = tuple[str | int, ...]
"""Keys and positions from the top of an object."""


def replaced(value: Json, place: Place, new: Json) -> Json:
    """The value with something else at a place; mappings on the way are made where there are none.

    What is not on the way is shared with the original, which is not changed.
    """
    if not place:
        return new
    first, rest = place[0], place[1:]
    if isinstance(value, list) and isinstance(first, int):
        return [*value[:first], replaced(value[first], rest, new), *value[first + 1 :]]
    mapping = value if isinstance(value, dict) else {}
    return {**mapping, first: replaced(mapping.get(first), rest, new)}


def at(value: Json, place: Place) -> Json:
    """What stands at a place; None when nothing does."""
    for part in place:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def matches(value: Json, tokens: Tokens) -> Iterator[tuple[Place, Json]]:
    """Every place that a pointer with ``*`` names, with what stands there."""
    return _below((), value, tokens)


def _below(place: Place, value: Json, tokens: Sequence[str]) -> Iterator[tuple[Place, Json]]:
    if not tokens:
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if tokens[0] in (ANY, key):
                yield from _below((*place, key), item, tokens[1:])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if tokens[0] in (ANY, str(index)):
                yield from _below((*place, index), item, tokens[1:])
