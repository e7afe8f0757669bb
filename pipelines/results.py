"""Results as they are stored and shown: ``{"name", "type", "value"}``, and as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lockstep.values import Json
from pipelines import documents


def as_json(results: Mapping[str, documents.Value]) -> list[Json]:
    """Results as a status shows them, in their order."""
    return [
        {"name": name, "type": documents.type_of(value), "value": documents.as_json(value)}
        for name, value in results.items()
    ]


def values(stored: Iterable[Json]) -> dict[str, documents.Value]:
    """Stored results by name."""
    return {one["name"]: documents.value_of(one["value"]) for one in stored}
