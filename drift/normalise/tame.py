"""Objects that JSON libraries give up on, made fit to be compared without losing a difference."""

from __future__ import annotations

import hashlib

from lockstep.values import Json

# Deeper than any schema of Kubernetes nests, and shallow enough for every recursion in this house.
DEEPEST = 120


def tame(value: Json, depth: int = 0) -> Json:
    """The value with everything below ``DEEPEST`` levels replaced by its fingerprint.

    Numbers beyond 64 bits, keys that are no text, half surrogates and values that are no JSON become text.
    """
    if isinstance(value, dict | list) and depth >= DEEPEST:
        return f"nested too deeply, sha256:{_fingerprint(value)}"
    if isinstance(value, dict):
        return {_text(str(key)): tame(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [tame(item, depth + 1) for item in value]
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and -(2**63) <= value < 2**63):
        return value
    return _text(str(value))


def _fingerprint(value: Json) -> str:
    """A digest of a value of any depth, without recursion."""
    digest = hashlib.sha256()
    stack: list[tuple[str, Json]] = [("", value)]
    while stack:
        key, item = stack.pop()
        shown = type(item).__name__ if isinstance(item, dict | list) else repr(item)
        digest.update(repr((key, shown)).encode("utf-8", "backslashreplace"))
        if isinstance(item, dict):
            stack.extend((str(name), item[name]) for name in sorted(item, key=str))
        elif isinstance(item, list):
            stack.extend((str(place), entry) for place, entry in enumerate(item))
        digest.update(b"." if not isinstance(item, dict | list) else str(len(item)).encode())
    return digest.hexdigest()


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
