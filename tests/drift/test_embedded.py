"""YAML and JSON inside ConfigMaps."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import embedded

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=8,
)

# A few lines that mean a million values.
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 10)}]\n" for before, after in pairwise("abcdef")
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), _VALUES, min_size=1))
def test_white_space_and_order_are_no_difference(value: dict[str, object]) -> None:
    """The same JSON, written in two ways."""
    compact = json.dumps(value, separators=(",", ":"))
    spread = json.dumps(dict(reversed(value.items())), indent=2)
    assert embedded.read("a.json", compact) == embedded.read("a.json", spread) == value


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a: hello", 'a: "hello"'),
        ("a: 1", "a: 1   # a note"),
        ("{a: 1, b: [x, y]}", "b:\n- x\n- y\na: 1"),
        ("a: ~", "a: null"),
        ("a: &x {b: 1}\nc: *x", "a: {b: 1}\nc: {b: 1}"),
    ],
)
def test_texts_that_every_reader_reads_alike_are_equal(left: str, right: str) -> None:
    """Quotes, comments, style and anchors that change nothing."""
    assert embedded.read("a.yaml", left) == embedded.read("a.yaml", right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a: 80", 'a: "80"'),
        ("a: yes", 'a: "yes"'),
        # YAML 1.1 reads both as true, YAML 1.2 only one of them.
        ("a: yes", "a: true"),
        # A number to YAML, and a version to whoever reads it as text.
        ("a: 1.10", "a: 1.1"),
        ("a: 010", "a: 8"),
        ("a: 1e3", "a: 1000"),
        ("a: 12:30:00", "a: 45000"),
        ("a: 2026-11-22", 'a: "2026-11-22"'),
        ("a: [1, 2]", "a: [2, 1]"),
        ("a: null", 'a: "null"'),
    ],
)
def test_texts_that_some_reader_tells_apart_are_different(left: str, right: str) -> None:
    """Whether they are equal is for the application to say, so they are not."""
    assert embedded.read("a.yaml", left) != embedded.read("a.yaml", right)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a.yaml", "just text"),
        ("a.yaml", "a: 1\na: 2"),
        ("a.yaml", "{{ template }}: {"),
        ("a.yaml", "- !vault secret"),
        ("a.yaml", ""),
        ("a.conf", "a: 1\nb: 2"),
        ("SITE", "seoul: primary"),
        ("a.yaml", "a: " + "[" * 200),
        ("a.yaml", BOMB),
        ("a.json", '{"a": "' + "x" * 600_000 + '"}'),
    ],
)
def test_what_is_no_document_is_text(key: str, text: str) -> None:
    """Broken, bombs, templates and plain settings are compared as they are written."""
    assert embedded.read(key, text) is None


def test_several_documents_are_a_list() -> None:
    """Each is found by its place."""
    assert embedded.read("a.yaml", "a: 1\n---\nb: 2") == [{"a": 1}, {"b": 2}]


def test_a_mark_is_taken_off_again() -> None:
    """A rule sees what was written."""
    assert embedded.written(embedded.unquoted("1.10")) == "1.10"
