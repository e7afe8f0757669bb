"""Which fields of an object an apply would change."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import documents
from lockstep.manifests import edit
from lockstep.topology import forms, selectors
from lockstep.values import Json


def changed(live: Json, wanted: Json, *, exact: bool) -> list[edit.Place]:
    """The places that an apply would change, as deep as they can be told; none when it would change nothing.

    Args:
        live: The object as it is.
        wanted: The object as the manifest has it.
        exact: Whether an apply makes the object exactly the manifest, as in a directory, or sets only what the
            manifest names, as a server does.
    """
    if documents.canonical(live) == documents.canonical(wanted):
        return []
    return list(_changed((), live, wanted, exact))


def overwrites(places: list[edit.Place], pointer: str, *, live: Json, wanted: Json) -> bool:
    """Whether changing these places would change what a JSON Pointer leads to, or a part or the whole of it.

    A pointer that leads nowhere in both objects may name things in a way that is not known here: then any
    change counts.
    """
    try:
        tokens = selectors.parse_pointer(pointer)
    except forms.FieldError:
        return bool(places)
    if not any(True for value in (live, wanted) for _ in edit.matches(value, tokens)):
        return bool(places)
    return any(all(str(part) == token for part, token in zip(place, tokens, strict=False)) for place in places)


def _changed(place: edit.Place, live: Json, wanted: Json, exact: bool) -> Iterator[edit.Place]:
    if isinstance(live, dict) and isinstance(wanted, dict):
        for key in sorted(wanted.keys() | live.keys() if exact else wanted.keys()):
            if key in live and key in wanted:
                yield from _changed((*place, key), live[key], wanted[key], exact)
            else:
                yield (*place, key)
    elif isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        for index, (ours, theirs) in enumerate(zip(live, wanted, strict=True)):
            yield from _changed((*place, index), ours, theirs, exact)
    elif not _same(live, wanted):
        yield place


def _same(live: Json, wanted: Json) -> bool:
    """Whether two values are one in JSON, where 1 and 1.0 are, and 1 and true are not."""
    if isinstance(live, str) and isinstance(wanted, str):
        return live == wanted
    return documents.canonical(live) == documents.canonical(wanted)
