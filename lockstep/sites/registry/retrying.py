"""When a registry says "not now": how long to wait, and when to leave it to a later run. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from lockstep.sites.http import dates

# RFC 9110: 408, 429, 502, 503, 504; 500 because registries say it when their storage stumbles.
AGAIN = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same question may be answered."""
THROTTLED = frozenset({429, 503})
"""Statuses that may say how long to wait."""

_LONGEST_SECONDS = 86_400.0
# Docker Hub counts pulls over six hours and often says nothing else: docs.docker.com, "Usage and limits".
_HUB_SECONDS = 900.0
_WINDOW = re.compile(r"([0-9]{1,9})(?:;w=([0-9]{1,9}))?")


def wait_of(header: Callable[[str], str], now: datetime) -> float | None:
    """How many seconds an answer asks us to wait, at most a day; None when it does not say.

    Args:
        header: Gives a header of the answer, ``""`` when there is none.
        now: The time, where the answer does not say what it is at the registry.
    """
    said = _retry_after(header("Retry-After"), dates.moment(header("Date")) or now)
    if said is None and remaining(header) == 0:
        said = _HUB_SECONDS
    return None if said is None else min(max(said, 0.0), _LONGEST_SECONDS)


def _retry_after(text: str, now: datetime) -> float | None:
    """``Retry-After``, in seconds or as a date by the registry's own clock (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", text):
        return float(text)
    moment = dates.moment(text)
    return None if moment is None else (moment - now).total_seconds()


def remaining(header: Callable[[str], str]) -> int | None:
    """How many pulls are left, as Docker Hub tells with each answer (``ratelimit-remaining: 76;w=21600``)."""
    found = _WINDOW.fullmatch(header("RateLimit-Remaining").strip())
    return int(found[1]) if found else None
