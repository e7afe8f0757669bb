"""Durations, rates, sizes and shares of the configuration.

Each is written as people write it and kept as a plain value; a wrong one is refused with the form that is
wanted.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from lockstep.topology.forms import FieldError

_DURATION_PATTERN = r"(?:([0-9]{1,10})w)?(?:([0-9]{1,10})d)?(?:([0-9]{1,10})h)?(?:([0-9]{1,10})m)?(?:([0-9]{1,10})s)?"
_MOST_SECONDS = 36525 * 86400
_DURATION = re.compile(_DURATION_PATTERN)
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([KMG]?)bit")
_RATE_UNIT = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_SIZE = re.compile(r"([0-9]{1,12})(|B|KiB|MiB|GiB)")
_SIZE_UNIT = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SHARE = re.compile(r"[0-9]{1,9}%?")


def parse_duration(text: object) -> timedelta:
    """Read a duration such as ``10m``, ``1h30m``, ``7d``; a ``timedelta`` passes through.

    Raises:
        FieldError: It is none.
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match or not text:
        raise FieldError("is not a duration.", "Write whole numbers with w, d, h, m or s, such as 10m, 1h30m or 7d.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    whole = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    if whole > _MOST_SECONDS:
        raise FieldError("is longer than a century.", "Write a shorter one.")
    return timedelta(seconds=whole)


def format_duration(value: timedelta) -> str:
    """Write a duration the way ``parse_duration`` reads it, largest units first; ``0s`` for nothing."""
    left = int(value.total_seconds())
    parts = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _interval(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise FieldError("is no time at all.", "Write at least 1s.")
    return value


def _rate(text: object) -> str:
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if not isinstance(text, str) or not match or float(match[1]) <= 0:
        raise FieldError("is not a rate.", "Write it in bits for each second, such as 20Mbit or 1Gbit.")
    return text


def bits_per_second(rate: str) -> float:
    """A validated rate such as ``20Mbit`` in bits for each second."""
    match = _RATE.fullmatch(rate)
    assert match is not None, rate  # noqa: S101 - a Rate was validated when the configuration was read
    return float(match[1]) * _RATE_UNIT[match[2]]


def _size(value: object) -> int:
    """Bytes of a size; a number is taken as bytes."""
    match = _SIZE.fullmatch(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    number = int(match[1]) * _SIZE_UNIT[match[2]] if match else 0
    if not number:
        raise FieldError("is not a size.", "Write it as 512KiB, 25MiB or 1GiB.")
    return number


def _bound(value: object) -> str:
    """A number or a percentage of any size, as text."""
    text = "" if isinstance(value, bool) else str(value)
    if not _SHARE.fullmatch(text):
        raise FieldError("is neither a number nor a percentage.", "Write a whole number such as 2, or 50%.")
    return text


def _share(value: object) -> str:
    text = _bound(value)
    if text.endswith("%") and int(text[:-1]) > 100:
        raise FieldError("is more than the whole.", "Write at most 100%.")
    return text


def share_of(share: str, whole: int) -> int:
    """A share of a whole, rounded up: ``share_of("50%", 3) == 2``; a number is itself."""
    if share.endswith("%"):
        return -(-whole * int(share[:-1]) // 100)
    return int(share)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^(?!$){_DURATION_PATTERN}$"}),
]
"""A length of time: ``10m``, ``1h30m``, ``7d``."""
Interval = Annotated[Duration, AfterValidator(_interval)]
"""A length of time between two looks, at least a second: ``5m``."""
Rate = Annotated[str, BeforeValidator(_rate), WithJsonSchema({"type": "string", "pattern": f"^{_RATE.pattern}$"})]
"""Bits for each second: ``20Mbit``."""
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{_SIZE.pattern}$", "minimum": 1}),
]
"""Bytes: ``25MiB``."""
Share = Annotated[
    str,
    BeforeValidator(_share),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^([0-9]{1,9}|[0-9]{1,2}%|100%)$", "minimum": 0}),
]
"""A whole number or a percentage of at most 100%: ``2``, ``50%``."""
Bound = Annotated[
    str,
    BeforeValidator(_bound),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{_SHARE.pattern}$", "minimum": 0}),
]
"""A whole number or a percentage: ``2``, ``150%``."""
