"""The digest under a report: over everything it says, in one canonical form, so that anybody can compute it again."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from lockstep import documents, values
from lockstep.values import Json

KEY = "sha256"
"""Where a report has its digest; the digest is of the report without it."""


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
