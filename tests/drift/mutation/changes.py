"""What is done to a place: the two values that are put there, and whether they say the same."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from lockstep.values import Json
from tests.drift.mutation.filling import Place

GONE = object()
"""There is nothing at the place."""

Pair: TypeAlias = tuple[Json, Json]

_TEXTS = ("text",)
_SCALARS = ("text", "number", "flag", "quantity", "number or name")
_LISTS = ("map", "set", "atomic")
_MAPPINGS = ("record", "mapping")
# Longer than anything that is shown, or shown to DeepDiff, as it is.
_LONG = 5000
# Keys as people write them, and as they may.
_NEW_KEYS = ("zzz", "a.b/c~d", "열쇠", "__private")


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what stands at a place: two values, in place of it.

    ``row`` is the row of the table by which the two say the same; without one, the change has to be found. ``lost``
    and ``added`` say that the second or the first is nothing.
    """

    name: str
    before: Json
    after: Json
    row: str = ""


def changes(place: Place) -> Iterator[Change]:
    """Everything that is done to a place."""
    for name, whats, make in _ALL:
        if place.what in whats or (place.what == "any" and _like(place.value) in whats):
            for before, after in make(place):
                yield Change(name, before, after, _row(name, place, before))


def names() -> tuple[str, ...]:
    """The names of all of them."""
    return tuple(dict.fromkeys(name for name, _, _ in _ALL))


def _like(value: Json) -> str:
    """What a value in a place for anything is like."""
    if isinstance(value, dict):
        return "mapping"
    if isinstance(value, list):
        return "atomic"
    return "flag" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "text"


def _changed(place: Place) -> Iterator[Pair]:
    value = place.value
    if place.what == "quantity":
        yield value, f"{int(value[:-1]) + 1}m"
    elif isinstance(value, bool):
        yield value, not value
        yield not value, value
    elif place.path[-1] == "caBundle":
        yield value, base64.b64encode(base64.b64decode(value) + b"x").decode()
    else:
        yield value, value + 7 if isinstance(value, int | float) else f"{value}x"


def _of_another_type(place: Place) -> Iterator[Pair]:
    yield place.value, {"instead": place.value}
    yield place.value, [place.value]


def _as_text(place: Place) -> Iterator[Pair]:
    if isinstance(place.value, bool):
        yield place.value, "true"
    elif isinstance(place.value, int):
        yield place.value, str(place.value)


def _digits(place: Place) -> Iterator[Pair]:
    yield "17", 17


def _written_otherwise(place: Place) -> Iterator[Pair]:
    milli = int(place.value[:-1])
    yield place.value, f"{milli}000u"
    yield "2", "2000m"
    yield "1.5Gi", 1610612736
    yield "1e3", "1k"


def _whole(place: Place) -> Iterator[Pair]:
    if isinstance(place.value, int) and not isinstance(place.value, bool):
        yield place.value, float(place.value)
        yield 1000, 1e3


def _lost(place: Place) -> Iterator[Pair]:
    # Half of all flags are what they are when nobody says anything: those are another change.
    if not isinstance(place.value, bool):
        yield place.value, GONE
        yield GONE, place.value


def _null(place: Place) -> Iterator[Pair]:
    if isinstance(place.path[-1], str):
        yield None, GONE


def _long(place: Place) -> Iterator[Pair]:
    yield "한" * _LONG + "a", "한" * _LONG + "b"
    yield "\u00e9", "e\u0301"


def _with_a_new_key(place: Place) -> Iterator[Pair]:
    # Each place gets some of the keys: all of them stand at some place of every depth.
    turn = zlib.crc32(repr(place.path).encode())
    for key in (_NEW_KEYS[0], _NEW_KEYS[1 + turn % 3]):
        yield place.value, {**place.value, key: "new"}


def _with_a_new_entry(place: Place) -> Iterator[Pair]:
    entry = {"name": "zzz"} if place.value and isinstance(place.value[0], dict) else "zzz"
    yield place.value, [*place.value, entry]
    yield [entry, *place.value], place.value


def _in_another_order(place: Place) -> Iterator[Pair]:
    if len(place.value) > 1:
        yield place.value, place.value[::-1]


_ALL: tuple[tuple[str, tuple[str, ...], Callable[[Place], Iterator[Pair]]], ...] = (
    ("changed", _SCALARS, _changed),
    ("of another type", _SCALARS, _of_another_type),
    ("a number or a flag as text", ("number", "flag"), _as_text),
    ("digits as text", ("number or name", "quantity"), _digits),
    ("a quantity written otherwise", ("quantity",), _written_otherwise),
    ("a whole number with a point", ("number",), _whole),
    ("lost or added", (*_SCALARS, *_MAPPINGS, *_LISTS), _lost),
    ("null", (*_SCALARS, *_MAPPINGS, *_LISTS), _null),
    ("a long or an odd text", _TEXTS, _long),
    ("with a new key", _MAPPINGS, _with_a_new_key),
    ("with a new entry", _LISTS, _with_a_new_entry),
    ("in another order", _LISTS, _in_another_order),
)


def _row(name: str, place: Place, before: Json) -> str:
    """The row by which a change says nothing."""
    if name == "in another order" and place.what in ("map", "set"):
        return "L02"
    if name == "null":
        return "" if place.null else "N17"
    return {
        "a quantity written otherwise": "N09",
        "a whole number with a point": "N07",
        "digits as text": "N08" if place.what == "number or name" else "N09",
    }.get(name, "")
