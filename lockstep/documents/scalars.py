"""What a plain scalar means to Kubernetes."""

from __future__ import annotations

import math
import re

from lockstep.values import Json

# goyaml.v2 resolve.go, which sigs.k8s.io/yaml carries: YAML 1.1 booleans, one letter included.
_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# Longer than any 64-bit integer in any base.
_MOST_DIGITS = 70
_STRAY_UNDERSCORE = re.compile(r"(?<![0-9])_|_(?![0-9])")
SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def plain(text: str) -> Json:
    """What a plain scalar means to Kubernetes.

    Raises:
        ValueError: It is a number that JSON does not have.
    """
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if SPECIAL.fullmatch(text):
        raise ValueError("is a number that JSON does not have")
    if text[0] not in "+-.0123456789":
        return text
    # goyaml drops every underscore, but leaves what begins with a point to Go, which wants them between digits.
    if text[0] == "." and _STRAY_UNDERSCORE.search(text):
        return text
    number = _number(text.replace("_", ""))
    return text if number is None else number


def _number(digits: str) -> int | float | None:
    """The number, or None for what goyaml leaves as text."""
    if len(digits) <= _MOST_DIGITS and _INTEGER.fullmatch(digits):
        value = _integer(digits)
        if -(2**63) <= value < 2**63:
            return value
        # Unsigned 64 bits are read too, but Kubernetes has only signed ones: it goes on with a float.
        if 0 <= value < 2**64 and digits[0] != "+":
            return float(value)
    if not _FLOAT.fullmatch(digits):
        return None
    number = float(digits)
    if math.isinf(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _integer(digits: str) -> int:
    sign = -1 if digits.startswith("-") else 1
    bare = digits.lstrip("+-").lower()
    for prefix, base in (("0x", 16), ("0b", 2), ("0o", 8)):
        if bare.startswith(prefix):
            return sign * int(bare[2:], base)
    return sign * int(bare, 8 if bare.startswith("0") and len(bare) > 1 else 10)
