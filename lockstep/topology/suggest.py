"""Did you mean: the nearest of the words that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST_LISTED = 12


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most likely meant, whatever its case; None when nothing is near."""
    by_lower = {name.lower(): name for name in sorted(known, reverse=True)}
    # difflib compares every pair of letters: a word that is far longer than any name is none of them.
    matches = difflib.get_close_matches(word[:100].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None


def remedy(word: str, known: Iterable[str], *, listed: str = "There are", otherwise: str = "") -> str:
    """A sentence that helps: the nearest word, or else the last resort, or else the list of them."""
    words = sorted(set(known))
    near = nearest(word, words)
    if near is not None:
        return f"Did you mean {near}?"
    if otherwise or not words:
        return otherwise
    names = ", ".join(words[:_MOST_LISTED])
    more = f" and {len(words) - _MOST_LISTED} more" if len(words) > _MOST_LISTED else ""
    return f"{listed}: {names}{more}."
