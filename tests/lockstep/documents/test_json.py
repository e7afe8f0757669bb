"""JSON is read as well as YAML is, whatever wrote it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import documents, errors

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


# YAML bounds a key that stands before its colon to 1024 characters as they are written, six for an escape.
@given(st.dictionaries(st.text(min_size=1, max_size=80), _VALUES, min_size=1))
def test_what_json_writes_is_read_back(value: object) -> None:
    """Escapes of every kind, emoji as two surrogates and controls too; keys stay the text that they are."""
    (document,) = documents.read(json.dumps(value).encode(), file="a")
    assert document.value == value


def test_a_backslash_before_an_escape_is_kept() -> None:
    """A text that only looks like a pair of surrogates stays as it is."""
    text = r'{"a": "\\ud83d\\ude00", "b": "\\\ud83d\ude00"}'
    (document,) = documents.read(text.encode(), file="a")
    assert document.value == json.loads(text)


def test_yaml_that_is_no_json_keeps_its_backslashes() -> None:
    """Outside double quotes an escape is text."""
    (document,) = documents.read(rb"{a: \ud83d\ude00, b: '\ud83d\ude00'}", file="a")
    assert document.value == {"a": r"\ud83d\ude00", "b": r"\ud83d\ude00"}


def test_half_a_pair_is_an_error_with_its_place() -> None:
    """Text that no UTF-8 can hold is refused."""
    with pytest.raises(errors.DocumentError, match=r"^a:1"):
        documents.read(rb'{"a": "\ud83d"}', file="a")
