"""Rewriting the primary's value."""

from __future__ import annotations

import pytest

from lockstep import errors
from lockstep.topology.kinds.expected import Mapping


def mapping(expression: str, to: str) -> Mapping:
    """A mapping."""
    return Mapping.model_validate({"from": expression, "to": to})


def test_the_whole_value_is_rewritten_or_nothing() -> None:
    """With groups by number and by name."""
    assert (
        mapping(r"(.*)\.seoul\.(?P<rest>.*)", r"\1.sejong.\g<rest>").rewrite("db.seoul.example") == "db.sejong.example"
    )
    assert mapping("seoul", "sejong").rewrite("db.seoul") is None


def test_an_expression_without_end_is_given_up_on() -> None:
    """It says so within a moment, and a comparison can go on."""
    with pytest.raises(errors.InputError, match="takes too long"):
        mapping("(a|aa)+", "b").rewrite("a" * 300 + "!")
