"""What Pydantic found wrong with a document, said in plain words to the person who wrote it.

No value is repeated: it could be a secret that was written where a reference belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic

from lockstep.documents import Path
from lockstep.topology import fields, kinds, suggest
from lockstep.topology.forms import FieldError
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is wrong at one path of a document, and what to do."""

    path: Path
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """What is known about one thing that Pydantic refused."""

    model: type[kinds.Model]
    path: Path
    value: Json
    """What stands at the path; None where nothing does."""
    details: Mapping[str, Any]
    """Pydantic's ``ctx``."""


_Words = tuple[str, str]


def complaints(model: type[kinds.Model], value: Json, error: pydantic.ValidationError) -> Iterator[Complaint]:
    """What is wrong with a document that a model refused, each place once."""
    said: set[Path] = set()
    for detail in error.errors(include_url=False):
        path = _path(value, detail["loc"], missing=detail["type"] == "missing")
        if path in said or (detail["type"] == "too_short" and _at(value, path)):
            # A union complains once for each of its members, and a list of wrong items that it has no right one.
            continue
        said.add(path)
        context = _Context(model=model, path=path, value=_at(value, path), details=detail.get("ctx", {}))
        words = _WORDS.get(detail["type"], _OTHERWISE)
        message, remedy = words if isinstance(words, tuple) else words(context)
        yield Complaint(path=path, message=message, remedy=remedy)


def _path(value: Json, loc: tuple[str | int, ...], *, missing: bool) -> Path:
    """The path in the document: Pydantic's, without the parts that name a member of a union or a key."""
    path: list[str | int] = []
    for position, part in enumerate(loc):
        present = (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        )
        if present:
            value = value[part]
            path.append(part)
        elif missing and position == len(loc) - 1:
            path.append(part)
    return tuple(path)


def _at(value: Json, path: Path) -> Json:
    for part in path:
        if isinstance(value, dict) and part not in value:
            return None
        value = value[part]
    return value


def shape_of(value: Json) -> str:
    """What a value is, in words."""
    if value is None:
        return "is empty"
    names = {bool: "is true or false", int: "is a number", float: "is a number", str: "is text", list: "is a list"}
    return names.get(type(value), "is a table")


def _expected(context: _Context, what: str, remedy: str) -> _Words:
    return f"{shape_of(context.value)}, where {what} is wanted.", remedy


def _missing(context: _Context) -> _Words:
    return "is missing.", f"Add {context.path[-1]}."


def _unknown(context: _Context) -> _Words:
    field = str(context.path[-1])
    parent = fields.model_at(context.model, context.path[:-1]) or context.model
    near = suggest.nearest(field, fields.named(parent))
    if near is not None:
        return "is no field here.", f"Did you mean {near}?"
    homes = [".".join(map(str, home)) for home in fields.homes(context.model, field) if home]
    if homes:
        return "is no field here.", f"It belongs in {homes[0]}."
    return "is no field here.", suggest.remedy("", fields.named(parent), listed="There are")


def _text(context: _Context) -> _Words:
    if isinstance(context.value, bool | int | float):
        return _expected(context, "text", "Put it in quotes.")
    if context.value is None:
        return _expected(context, "text", "Write something, or leave the field out.")
    return _expected(context, "text", "Write one line of text.")


def _table(context: _Context) -> _Words:
    return _expected(context, "a table", "Write field: value, a line for each.")


def _object(context: _Context) -> _Words:
    model = fields.model_at(context.model, context.path)
    if model is not None and issubclass(model, kinds.SecretRef) and isinstance(context.value, str):
        return (
            "stands here in clear, where a reference to a secret is wanted.",
            "Write {env: NAME}, {file: PATH} or {kubernetesSecret: {name: NAME, key: KEY}}, and change the secret.",
        )
    return _table(context)


def _choice(context: _Context) -> _Words:
    wanted = str(context.details["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
    return "is none of the words that are known here.", suggest.remedy(
        str(context.value), wanted, listed="Write one of"
    )


def _refused(context: _Context) -> _Words:
    error = context.details.get("error")
    return (error.message, error.remedy) if isinstance(error, FieldError) else _OTHERWISE


_OTHERWISE = ("is not what is wanted here.", "See docs/configuration.md for what is.")
_NO_DATE = ("is not a date.", "Write it as year-month-day, such as 2027-03-31.")

_WORDS: Mapping[str, Callable[[_Context], _Words] | _Words] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_type": _text,
    "bool_type": lambda context: _expected(context, "true or false", "Write true or false, without quotes."),
    "int_type": lambda context: _expected(context, "a whole number", "Write a whole number, without quotes."),
    "tuple_type": lambda context: _expected(context, "a list", "Write [one, two], or a line with a dash for each."),
    "dict_type": _table,
    "model_type": _object,
    "literal_error": _choice,
    "enum": _choice,
    "value_error": _refused,
    "string_too_short": ("is empty.", "Write something."),
    "too_short": ("is empty.", "Name at least one."),
    "string_too_long": lambda context: (
        f"is longer than {context.details['max_length']} characters.",
        "Shorten it.",
    ),
    "greater_than_equal": lambda context: ("is too small.", f"Write at least {context.details['ge']}."),
    "less_than_equal": lambda context: ("is too large.", f"Write at most {context.details['le']}."),
    "date_type": _NO_DATE,
    "date_parsing": _NO_DATE,
    "date_from_datetime_parsing": _NO_DATE,
    "date_from_datetime_inexact": _NO_DATE,
}
