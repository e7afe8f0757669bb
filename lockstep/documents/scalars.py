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
    digits = text.replace("_", "")
    if text[0] not in "+-.0123456789" or not digits:
        return text
    return _number(digits, text)


def _number(digits: str, text: str) -> Json:
    if _INTEGER.fullmatch(digits):
        value = _integer(digits)
        # Beyond 64 bits Go falls back to a float.
        return value if -(2**63) <= value < 2**64 else float(value)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError("is too large a number")
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return text


def _integer(digits: str) -> int:
    sign = -1 if digits.startswith("-") else 1
    bare = digits.lstrip("+-").lower()
    for prefix, base in (("0x", 16), ("0b", 2), ("0o", 8)):
        if bare.startswith(prefix):
            return sign * int(bare[2:], base)
    return sign * int(bare, 8 if bare.startswith("0") and len(bare) > 1 else 10)
