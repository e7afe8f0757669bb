"""Dates as HTTP writes them (RFC 9110, 5.6.7), by the clock of whoever answers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def moment(text: str) -> datetime | None:
    """The moment that a header names; None when it names none."""
    try:
        told = parsedate_to_datetime(text.strip())
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
