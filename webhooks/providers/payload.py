"""Reading a body that somebody else wrote: nothing in it is believed to be there, or to be of its type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

import orjson

from lockstep import errors
from lockstep.values import Json

# A name in a payload is shown, compared and logged; longer ones, and those with control characters, are no
# names. GitHub allows 255 bytes to a ref; URLs are longer.
_LONGEST = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Forges that post a form put the whole document into this one field.
_FORM = b"payload="


def read(body: bytes) -> dict[str, Json]:
    """The object that a body holds: JSON, or a form with the JSON in ``payload``.

    Raises:
        InputError: It holds none.
    """
    text = _from_form(body) if body.startswith(_FORM) else body
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise errors.InputError(
            f"The body is not JSON: {error}.", remedy="Look at the body, and at what the sender is set to send."
        ) from error
    if not isinstance(value, dict):
        raise errors.InputError("The body is JSON, but not an object.", remedy="Look at what the sender sends.")
    return value


def _from_form(body: bytes) -> bytes:
    try:
        fields = dict(parse_qsl(body.decode("ascii"), max_num_fields=16, errors="strict"))
    except ValueError as error:  # also what UnicodeDecodeError is
        raise errors.InputError(
            f"The body is not a form: {error}.", remedy="Let the sender post application/json."
        ) from error
    return fields.get("payload", "").encode()


def at(value: Json, *path: str) -> Json:
    """What is at a path of keys; None when anything on the way is missing or no object."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: Json, *path: str) -> str:
    """The text at a path; empty when there is none, or none that could be a name."""
    found = at(value, *path)
    if not isinstance(found, str) or len(found) > _LONGEST or _CONTROL.search(found):
        return ""
    return found


def flag(value: Json, *path: str) -> bool | None:
    """The truth value at a path; None when there is none."""
    found = at(value, *path)
    return found if isinstance(found, bool) else None


def objects(value: Json, *path: str) -> list[dict[str, Json]]:
    """The objects of the list at a path; what is no object is left out."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def distinct(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text once, in order, empty ones left out."""
    return tuple(dict.fromkeys(text for text in texts if text))
