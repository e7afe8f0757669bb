"""The digest under a report: over everything it says, in one canonical form, so that anybody can compute it again."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from lockstep import documents, values
from lockstep.values import Json

KEY = "sha256"
"""Where a report has its digest; the digest is of the report without it."""
FACTS = "factsSha256"
"""Where a report has the digest of what it says of the pair: the same for the same facts, whenever they are seen."""
# What it says of the pair, and not when, by whom and how often it was said.
_SECTIONS = ("verdict", "statement", "scope", "direction", "commits", "objectives", "results", "expected", "declared")
# A moment belongs to a look at something, and not to what is seen.
_LOOKS = frozenset({"at", "since", "behindSeconds"})


def sealed(report: Mapping[str, Json]) -> dict[str, Json]:
    """The report with its digest."""
    return {**report, KEY: digest(report)}


def digest(report: Mapping[str, Json]) -> str:
    """The SHA-256 of a report's canonical JSON without the digest, in hexadecimal."""
    body = {name: value for name, value in report.items() if name != KEY}
    return values.sha256(documents.canonical(body)).partition(":")[2]


def holds(report: Mapping[str, Json]) -> bool:
    """Whether a report says what it said when it was sealed."""
    said = report.get(KEY)
    return isinstance(said, str) and hmac.compare_digest(said.encode(), digest(report).encode())


def facts(report: Mapping[str, Json]) -> str:
    """The SHA-256 of everything that a report says of the pair, in hexadecimal."""
    told = {name: _timeless(report.get(name)) for name in _SECTIONS}
    return values.sha256(documents.canonical(told)).partition(":")[2]


def _timeless(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items() if name not in _LOOKS}
    return [_timeless(item) for item in value] if isinstance(value, list) else value
