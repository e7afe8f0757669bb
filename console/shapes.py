"""JSON that was written down by another version of us, read without trusting its shape. Pure.

What is missing or of another type is empty: an older row can always be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from lockstep.values import Json


def mapping(value: Json) -> Mapping[str, Json]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> Sequence[Json]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def text(value: Json) -> str:
    """Text; an empty one for anything else."""
    return value if isinstance(value, str) else ""


def number(value: Json) -> int | None:
    """A whole number; None for anything else, and for true and false."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def moment(value: Json) -> datetime | None:
    """A moment in ISO 8601 with its offset; None for anything else."""
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return found if found.tzinfo else None
