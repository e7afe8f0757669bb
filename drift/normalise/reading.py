"""Parts of an object whose types nobody has checked: a wrong type reads as nothing, and is left for comparison."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep.values import Json

_ABSENT: tuple[Json, ...] = (None,)
_ABSENT_TEXT: tuple[Json, ...] = (None, "", [])


def mapping(value: Json, *path: str) -> dict[str, Json]:
    """The mapping at a path; an empty one, not attached to anything, when there is none."""
    for key in path:
        if not isinstance(value, dict):
            return {}
        value = value.get(key)
    return value if isinstance(value, dict) else {}


def entries(value: Json, *path: str) -> Iterator[dict[str, Json]]:
    """The mappings in the list at a path; nothing when there is no list."""
    found = at(value, *path)
    if isinstance(found, list):
        yield from (entry for entry in found if isinstance(entry, dict))


def at(value: Json, *path: str) -> Json:
    """The value at a path; None when there is none."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: Json, *path: str) -> str:
    """The text at a path; an empty one when there is none."""
    for key in path:
        if not isinstance(value, dict):
            return ""
        value = value.get(key)
    return value if isinstance(value, str) else ""


def fill(target: dict[str, Json], **defaults: Json) -> None:
    """Set what is absent, as the API server does: null, and empty text or an empty list where those are set."""
    for key, value in defaults.items():
        if target.get(key) in (_ABSENT_TEXT if isinstance(value, str | list) else _ABSENT):
            target[key] = value


def without_nulls(value: Json) -> Json:
    """Without the keys that hold null: they say what an absent one says, before anything is filled in (N17)."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value
