"""Quantities as Kubernetes writes them: ``1000m`` becomes ``1``, ``0.5`` becomes ``500m``, ``1024Mi`` becomes ``1Gi``.

A quantity keeps the family of its suffix (decimal, binary, exponent) and is written with the largest suffix that
leaves a whole number. Anything finer than a billionth is rounded up.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?")
_FINEST = Decimal("1e-9")

EXPLAINED = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def canonical(given: str | float) -> str:
    """How the server writes a quantity.

    Raises:
        ValueError: It is none.
    """
    _, suffix, exponent = _parts(given)
    return _binary(value(given)) if suffix in _BINARY else _decimal(value(given), exponents=bool(exponent))


def value(given: str | float) -> Decimal:
    """What a quantity amounts to.

    Raises:
        ValueError: It is none.
    """
    number, suffix, exponent = _parts(given)
    if suffix in _BINARY:
        return number * Decimal(1024) ** _BINARY[suffix]
    return number.scaleb(int(exponent) if exponent else _DECIMAL[suffix])


def _parts(given: str | float) -> tuple[Decimal, str, str]:
    """Number, suffix and exponent, as they are written."""
    found = _FORM.fullmatch(str(given))
    if not found:
        raise ValueError(EXPLAINED)
    number, suffix, exponent = found.groups(default="")
    return Decimal(number), suffix, exponent


def _binary(amount: Decimal) -> str:
    if abs(amount) < 1024 and amount != amount.to_integral_value():
        return _decimal(amount, exponents=False)
    whole = amount.to_integral_value(ROUND_UP)
    for suffix, power in reversed(_BINARY.items()):
        if whole and whole % 1024**power == 0:
            return f"{int(whole / 1024**power)}{suffix}"
    return str(int(whole))


def _decimal(amount: Decimal, *, exponents: bool) -> str:
    fine = amount.quantize(_FINEST, ROUND_UP) if abs(amount) < Decimal("1e18") else amount
    if not fine:
        return "0"
    for suffix, power in reversed(_DECIMAL.items()):
        shown = fine.scaleb(-power)
        if shown == shown.to_integral_value():
            return f"{int(shown)}{_exponent(power) if exponents else suffix}"
    raise AssertionError(amount)


def _exponent(power: int) -> str:
    return f"e{power}" if power else ""
