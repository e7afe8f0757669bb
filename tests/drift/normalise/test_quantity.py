"""Quantities are numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift.normalise import quantity
from lockstep.values import Json

SUFFIXES = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("0.2", "200m"),
        (0.5, "500m"),
        ("1000m", "1"),
        ("2000m", "2"),
        ("1.25G", "1250M"),
        ("1000M", "1G"),
        ("3072Mi", "3Gi"),
        ("1.5Gi", "1536Mi"),
        ("1073741824", "1Gi"),
        ("1e3", "1k"),
        ("1E", "1E"),
        ("12e6", "12M"),
        (".5", "500m"),
        ("-1500m", "-1500m"),
        ("0Gi", "0"),
        # Nothing smaller than a billionth; the rest is rounded up.
        ("0.1n", "1n"),
    ],
)
def test_one_number_has_one_text(written: Json, canonical: str) -> None:
    """The forms of the resource.Quantity grammar, with its rounding."""
    assert quantity.canonical(written) == canonical


@pytest.mark.parametrize("written", ["invalid", "", "1 Gi", "1gi", "--1", "1e999", "9" * 50, True, None, [], "１"])
def test_what_is_no_quantity_is_left_alone(written: Json) -> None:
    """A wrong value shows as it was written; a number without end is not computed."""
    assert quantity.canonical(written) is written


def test_what_containers_ask_for_is_rounded_up_to_thousandths() -> None:
    """As the API server does (SetDefaults_ResourceList)."""
    assert quantity.canonical("0.0001", milli=True) == "1m"


@given(st.integers(0, 10**9), st.sampled_from(sorted(SUFFIXES)))
def test_the_text_means_the_number(digits: int, suffix: str) -> None:
    """Whatever the suffix, the canonical text is read back as the same number, and is its own canonical text."""
    canonical = quantity.canonical(f"{digits}{suffix}")
    assert quantity.number(canonical) == Decimal(digits).scaleb(SUFFIXES[suffix])
    assert quantity.canonical(canonical) == canonical
