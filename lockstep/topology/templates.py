"""Values that each site fills in for itself: ``https://{host}/callback``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lockstep.topology.forms import FieldError

# A name in braces, a doubled brace (which stands for itself), or a brace that is neither.
_PART = re.compile(r"\{\{|\}\}|\{(?P<name>[A-Za-z_][A-Za-z0-9_-]*)\}|(?P<stray>[{}])")


def check(text: str) -> str:
    """The text itself, when every brace in it is a name's or doubled. Raises FieldError."""
    if any(match["stray"] for match in _PART.finditer(text)):
        raise FieldError("has a brace that holds no name.", "Write {name} for a site value, and {{ for a brace.")
    if not names(text):
        raise FieldError("names no site value, so it is the same at every site.", "Write {name} of a site value.")
    return text


def names(text: str) -> frozenset[str]:
    """The site values that a template names."""
    return frozenset(match["name"] for match in _PART.finditer(text) if match["name"])


def fill(text: str, values: Mapping[str, str]) -> str | None:
    """The template with a site's values in it; None when the site has not all of them."""
    if not names(text) <= values.keys():
        return None
    return _PART.sub(lambda match: values[match["name"]] if match["name"] else match[0][0], text)
