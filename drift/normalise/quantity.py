"""Quantities of Kubernetes, such as ``500m`` and ``1.5Gi``, as numbers with one way to write each.

The grammar is that of ``k8s.io/apimachinery/pkg/api/resource.Quantity``: a decimal number with a binary suffix
(Ki to Ei), a decimal one (n to E) or an exponent. Two texts are one quantity when their numbers are equal, so
``1Gi`` is ``1073741824`` here although the API server keeps the family of the suffix.
"""

from __future__ import annotations

import functools
import re
from decimal import ROUND_CEILING, Context, Decimal

from lockstep.values import Json

_TEXT = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([KMGTPE]i|[numkMGTPE]|)|[eE]([+-]?[0-9]{1,2}))")
# Longer numbers than a Quantity can hold are nobody's resources: they are compared as text.
_LONGEST = 40
_BINARY = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SCALES = {suffix: Decimal(10) ** power for suffix, power in _DECIMAL.items()}
_SCALES = {**_BINARY, **_DECIMAL_SCALES}
# resource.Quantity keeps nine decimals and rounds the rest up ("No fraction digits smaller than nano").
_NANO = Decimal("1e-9")
_MILLI = Decimal("1e-3")
_EXACT = Context(prec=200, Emax=999_999, Emin=-999_999)


def number(value: Json) -> Decimal | None:
    """The number that a quantity means; None when the value is no quantity."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    match = _TEXT.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    digits, suffix, exponent = match.groups()
    scale = _EXACT.power(Decimal(10), int(exponent)) if exponent else _SCALES[suffix or ""]
    return _round_up(_EXACT.multiply(Decimal(digits), scale), _NANO)


def canonical(value: Json, *, milli: bool = False) -> Json:
    """The one text for a quantity; what is no quantity is handed back as it is.

    Args:
        value: Text or a number, as it stands in a manifest.
        milli: Round up to thousandths, as the API server does for the resources of containers.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    text = str(value)
    written = _canonical(text, milli) if len(text) <= _LONGEST else None
    return value if written is None else written


# A cluster has few different quantities, and each of them thousands of times.
@functools.lru_cache(maxsize=4096)
def _canonical(text: str, milli: bool) -> str | None:
    found = number(text)
    if found is None:
        return None
    return _write(_round_up(found, _MILLI) if milli else found)


def _round_up(value: Decimal, step: Decimal) -> Decimal:
    """Away from zero, as Quantity does."""
    rounded = value.copy_abs().quantize(step, rounding=ROUND_CEILING, context=_EXACT)
    return -rounded if value < 0 else rounded


def _write(value: Decimal) -> str:
    """The shorter of the two families' texts, each with its largest suffix that leaves a whole number."""
    if not value:
        return "0"
    decimal = _whole(value, _DECIMAL_SCALES) or f"{value:f}"
    binary = _whole(value, _BINARY) or decimal
    return min(decimal, binary, key=len)


def _whole(value: Decimal, scales: dict[str, Decimal]) -> str:
    for suffix, scale in reversed(scales.items()):
        if not _EXACT.remainder(value, scale):
            return f"{_EXACT.divide(value, scale):f}".partition(".")[0] + suffix
    return ""
