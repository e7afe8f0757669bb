"""Lengths of time as Go writes and reads them, because that is what Tekton's fields hold: ``1h30m``, ``90s``."""

from __future__ import annotations

import re
from datetime import timedelta

# Go, package time, ParseDuration: a signed sequence of decimal numbers, each with a unit; a bare 0 needs none.
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(rf"[-+]?(?:{_PART.pattern})+")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
# Go counts nanoseconds in 64 bits.
_MOST_SECONDS = 2**63 / 1e9


def parse(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: It is not one, or longer than Go can hold.
    """
    if text.lstrip("+-") == "0":
        return timedelta()
    if not _WHOLE.fullmatch(text):
        raise ValueError("is not a duration; write numbers with h, m or s, such as 1h30m or 90s")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds > _MOST_SECONDS:
        raise ValueError("is longer than any duration can be")
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def write(value: timedelta) -> str:
    """Write a duration as Go does: ``4s``, ``1m0s``, ``1h0m0s``, ``1.5s``, ``250ms``, ``0s``."""
    microseconds = value // timedelta(microseconds=1)
    sign, microseconds = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    if microseconds == 0:
        return "0s"
    if microseconds < 1_000:
        return f"{sign}{microseconds}µs"
    if microseconds < 1_000_000:
        return f"{sign}{_decimal(microseconds, 1_000)}ms"
    minutes, rest = divmod(microseconds, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_decimal(rest, 1_000_000)}s"


def _decimal(value: int, unit: int) -> str:
    whole, part = divmod(value, unit)
    return f"{whole}.{part:0{len(str(unit)) - 1}d}".rstrip("0").rstrip(".") if part else str(whole)
