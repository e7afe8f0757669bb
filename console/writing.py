"""Moments, lengths of time, sizes and long names, as people read them in their language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from babel import Locale
from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal

from lockstep import values
from lockstep.values import Json

_LENGTHS = {"en": ("d", "h", "m", "s"), "ko": ("일", "시간", "분", "초")}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


# What a cause may tell, in the order in which it is told (``pipelines.run.Request``, the causes of findings).
_CAUSES = ("by", "author", "kind", "ref", "revision", "commit", "run", "rerunOf", "reason")


def age(moment: datetime, now: datetime, locale: Locale) -> str:
    """How long ago: ``3 minutes ago``, ``3분 전``. What is less than a second away is now."""
    delta = moment - now
    if abs(delta) < timedelta(seconds=1):
        delta = timedelta(seconds=-1)
    return format_timedelta(delta, add_direction=True, threshold=1.5, granularity="second", locale=locale)


def moment(at: datetime, locale: Locale) -> str:
    """The moment in UTC, to the second."""
    return format_datetime(at.astimezone(UTC), "yyyy-MM-dd HH:mm:ss", locale=locale) + " UTC"


def length(seconds: float, language: str) -> str:
    """How long something takes: ``1h 02m``, ``2m 05s``, ``4s``, ``0.3s``; ``1시간 02분`` in Korean."""
    day, hour, minute, second = _LENGTHS[language]
    if 0 < seconds < 1:
        return f"{max(seconds, 0.1):.1f}{second}"
    days, rest = divmod(max(int(seconds), 0), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}{day} {hours:02}{hour}"
    if hours:
        return f"{hours}{hour} {minutes:02}{minute}"
    return f"{minutes}{minute} {left:02}{second}" if minutes else f"{left}{second}"


def span(length: timedelta, language: str) -> str:
    """A length of time that somebody chose, in the largest unit that says it whole: ``7d``, ``3h``, ``90m``."""
    seconds = max(int(length.total_seconds()), 0)
    for unit, name in zip((86400, 3600, 60), _LENGTHS[language], strict=False):
        if seconds and seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}{_LENGTHS[language][3]}"


def size(count: int) -> str:
    """Bytes as people say them: ``1.4 MiB``."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{count} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def number(count: int, locale: Locale) -> str:
    """A number with its separators."""
    return format_decimal(count, locale=locale)


def short(name: str) -> str:
    """A commit or digest by its beginning; any other name as it is."""
    if values.is_oid(name):
        return name[:10]
    if values.is_digest(name):
        algorithm, _, encoded = name.partition(":")
        return f"{algorithm}:{encoded[:12]}"
    return name


def cause(found: Mapping[str, Json]) -> str:
    """Who or what began something, from what was written down about it."""
    texts = dict.fromkeys(short(found[key]) for key in _CAUSES if isinstance(found.get(key), str) and found[key])
    return " · ".join(texts) or "–"


def moved(event: Mapping[str, Json]) -> str:
    """What an event of a delivery is about: a ref, a tag or a digest."""
    return short(str(event.get("ref") or event.get("tag") or event.get("digest") or ""))


def short_image(reference: str) -> str:
    """An image by its name and the beginning of its digest."""
    name, at, digest = reference.partition("@")
    return f"{name}{at}{short(digest)}"
