"""Who set a field, and when, as far as the server wrote it down (``metadata.managedFields``). Pure.

The server keeps, for each manager, the fields that it set last and when it last set any of them. So the time is the
latest at which this field can have been set by it. What somebody took away leaves no trace there, and no more does
the order of a list whose entries have owners of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import orjson

from drift.align import Into, Step
from drift.normalise import reading
from lockstep.values import Json

Cause: TypeAlias = Mapping[str, str]
"""``by`` (the manager), ``kind`` (``Apply`` or ``Update``) and ``at``; empty when nobody knows."""

NOBODY: Cause = MappingProxyType({})


def of_field(manifest: Json, steps: Sequence[Step]) -> Cause:
    """Who set a field of a live object; of several who say so, the one who spoke last.

    Args:
        manifest: The object, with its ``managedFields``.
        steps: The field.
    """
    names = _names(steps)
    owned = [(entry, _owned(entry.get("fieldsV1"), names)) for entry in _entries(manifest)]
    # Whoever owns entries of a list need not have put them in this order; whoever owns it as one has.
    is_order = any(step.into is Into.ORDER for step in steps)
    return _newest([entry for entry, parts in owned if parts is not None and not (is_order and parts)])


def of_object(manifest: Json) -> Cause:
    """Who made a live object: who spoke first, at the moment when the server says it was created."""
    entries = sorted(_entries(manifest), key=lambda entry: reading.text(entry, "time"))
    made = reading.text(manifest, "metadata", "creationTimestamp")
    if not entries:
        return {"at": made} if made else NOBODY
    return {**_said(entries[0]), **({"at": made} if made else {})}


def _entries(manifest: Json) -> list[dict[str, Json]]:
    found = reading.at(manifest, "metadata", "managedFields")
    entries = found if isinstance(found, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and not entry.get("subresource")]


def _names(steps: Sequence[Step]) -> list[tuple[str, Into]]:
    """The steps down to where a server's knowledge ends: at a text, and at the order of a list."""
    found: list[tuple[str, Into]] = []
    for step in steps:
        if step.into in (Into.TEXT, Into.ORDER):
            break
        found.append((step.name, step.into))
    return found


def _owned(fields: Json, names: Sequence[tuple[str, Into]]) -> dict[str, Json] | None:
    """What a set of fields (FieldsV1 of meta/v1) has of a field: its parts, nothing where it has it as one whole.

    None when it does not have it.
    """
    for name, into in names:
        if not isinstance(fields, dict):
            return None
        if not fields:
            # A whole that the server does not look into: an atomic list or mapping.
            return fields
        fields = fields.get(f"f:{name}") if into is Into.KEY else _entry(fields, name)
    return fields if isinstance(fields, dict) else None


def _entry(fields: Mapping[str, Json], label: str) -> Json | None:
    """The entry of a list that is called so: by the values of its keys, or by its own."""
    for key, inner in fields.items():
        for spelled in _spelled(key):
            if spelled == label:
                return inner
    return None


def _spelled(key: str) -> Iterator[str]:
    sort, _, text = key.partition(":")
    if sort not in ("k", "v"):
        return
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    if isinstance(value, dict):
        yield "/".join(str(part) for part in value.values())
        yield from (str(part) for name, part in value.items() if name == "name")
    else:
        yield str(value)


def _newest(entries: Sequence[dict[str, Json]]) -> Cause:
    newest = max(entries, key=lambda entry: reading.text(entry, "time"), default=None)
    return _said(newest) if newest is not None else NOBODY


def _said(entry: Mapping[str, Json]) -> Cause:
    found = {
        "by": reading.text(entry, "manager"),
        "kind": reading.text(entry, "operation"),
        "at": reading.text(entry, "time"),
    }
    return {name: text for name, text in found.items() if text}
