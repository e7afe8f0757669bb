"""Names, labels and keys: which forms they may have, and what the server says of one that has another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.support.kubernetes_double import field_errors
from tests.support.kubernetes_double.field_errors import FieldError

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_KEY = "[-._a-zA-Z0-9]+"


def _bad(what: str, examples: tuple[str, ...], pattern: str) -> str:
    shown = ",  or ".join(f"'{one}'" for one in examples)
    return f"{what} (e.g. {shown}, regex used for validation is '{pattern}')"


_BAD_LABEL = _bad(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    ("my-name", "123-abc"),
    _LABEL,
)
_BAD_SUBDOMAIN = _bad(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    ("example.com",),
    _SUBDOMAIN,
)
_BAD_VALUE = _bad(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    ("MyValue", "my_value", "12345"),
    _VALUE,
)
_BAD_PART = _bad(
    "name part must consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    ("MyName", "my.name", "123-abc"),
    _PART,
)
_BAD_KEY = _bad(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    ("key.name", "KEY_NAME", "key-name"),
    _KEY,
)


def dns_label(text: str) -> str:
    """What is wrong with a name that has to be an RFC 1123 label; empty when nothing is."""
    if len(text) > 63:
        return "must be no more than 63 bytes"
    return "" if re.fullmatch(_LABEL, text) else _BAD_LABEL


def subdomain(text: str) -> str:
    """What is wrong with a name that has to be an RFC 1123 subdomain; empty when nothing is."""
    if len(text) > 253:
        return "must be no more than 253 bytes"
    return "" if re.fullmatch(_SUBDOMAIN, text) else _BAD_SUBDOMAIN


def path_segment(text: str) -> str:
    """What is wrong with a name that only has to fit into a URL; empty when nothing is."""
    if text in {".", ".."}:
        return f"may not be '{text}'"
    return next((f"may not contain '{sign}'" for sign in "/%" if sign in text), "")


def config_key(text: str) -> str:
    """What is wrong with a key of a ConfigMap or a Secret; empty when nothing is."""
    if text in {".", ".."}:
        return f"must not be '{text}'"
    return "" if re.fullmatch(_KEY, text) else _BAD_KEY


def qualified(text: str) -> str:
    """What is wrong with the key of a label; empty when nothing is."""
    prefix, slash, name = text.rpartition("/")
    if slash and not prefix:
        return "prefix part must be non-empty"
    if slash and subdomain(prefix):
        return f"prefix part {subdomain(prefix)}"
    if not name:
        return "name part must be non-empty"
    if len(name) > 63:
        return "name part must be no more than 63 bytes"
    return "" if re.fullmatch(_PART, name) else _BAD_PART


def labels(given: Mapping[str, str], at: str) -> Iterator[FieldError]:
    """What is wrong with labels."""
    for key, value in sorted(given.items()):
        if wrong := qualified(key):
            yield field_errors.invalid(at, key, wrong)
        if len(value) > 63:
            yield field_errors.invalid(at, value, "must be no more than 63 bytes")
        elif not re.fullmatch(_VALUE, value):
            yield field_errors.invalid(at, value, _BAD_VALUE)
