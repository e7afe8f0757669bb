"""YAML and JSON inside ConfigMaps, read so that two texts are equal only when every reader takes them for equal.

Order of keys, white space, comments and quotes that change nothing are no difference. How a plain scalar is read
is the application's affair: ``yes`` is true to one reader and text to another, ``1.10`` a version or a number.
So a scalar without quotes that readers disagree about is kept as it was written, and marked.
"""

from __future__ import annotations

import re

from lockstep import documents, errors
from lockstep.values import Json

# Nothing that size is configuration that a person compares; it is compared as text.
_LONGEST = 512 * 1024
_LIMITS = documents.Limits(size=_LONGEST, depth=40, values=50_000)
_EXTENSIONS = (".yaml", ".yml", ".json")
# The spellings that YAML 1.1, YAML 1.2 and JSON read alike.
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
# What some reader takes for a number, a date, a time or a truth value: other spellings of those.
_DISPUTED = re.compile(
    r"(?i)[-+]?(?:0x[0-9a-f_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|\.[0-9][0-9_]*(?:e[-+]?[0-9]+)?"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\.inf)|\.nan|y|n|yes|no|on|off|true|false|null|="
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[ tT].*)?"
)
_MARK = " (without quotes)"


def read(key: str, text: str) -> Json | None:
    """The documents in a value of a ConfigMap; None when it is no YAML or JSON mapping or list.

    A single document is handed back as it is, several as a list of them.

    Args:
        key: The key in the ConfigMap, whose ending says what the value is.
        text: The value.
    """
    if not _could_be(key, text):
        return None
    try:
        found = documents.read(text.encode(), file=key, limits=_LIMITS, scalar=unquoted)
    except (errors.DocumentError, UnicodeEncodeError):
        return None
    values = [document.value for document in found]
    if not values or not all(isinstance(value, dict | list) for value in values):
        return None
    return values[0] if len(values) == 1 else values


def unquoted(text: str) -> Json:
    """What a scalar without quotes means: to every reader the same, or else what was written, marked."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if not _DISPUTED.fullmatch(text):
        return text
    try:
        number = float(text)
    except ValueError:
        return text + _MARK
    return number if repr(number) == text else text + _MARK


def written(value: Json) -> Json:
    """A scalar without the mark that it was written without quotes."""
    return value.removesuffix(_MARK) if isinstance(value, str) else value


def _could_be(key: str, text: str) -> bool:
    """By its ending; a value without one, when it is JSON or has several lines."""
    if len(text) > _LONGEST or not text.strip():
        return False
    if key.endswith(_EXTENSIONS):
        return True
    return text.lstrip()[0] in "{[" or ("." not in key and "\n" in text.strip())
