"""Moments, lengths, sizes and names as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from babel import Locale

from console import writing

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
EN, KO = Locale("en"), Locale("ko")


@pytest.mark.parametrize(
    ("length", "english", "korean"),
    [
        (timedelta(0), "1 second ago", "1초 전"),
        (timedelta(seconds=5), "5 seconds ago", "5초 전"),
        (timedelta(minutes=3), "3 minutes ago", "3분 전"),
        (timedelta(days=2), "2 days ago", "2일 전"),
        (timedelta(minutes=-5), "in 5 minutes", "5분 후"),
    ],
)
def test_an_age_is_said_in_the_readers_language(length: timedelta, english: str, korean: str) -> None:
    """Ages have the words of their language, and the future is said as such."""
    assert writing.age(NOW - length, NOW, EN) == english
    assert writing.age(NOW - length, NOW, KO) == korean


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (-5, "0s", "0초"),
        (0, "0s", "0초"),
        (0.02, "0.1s", "0.1초"),
        (0.46, "0.5s", "0.5초"),
        (4.9, "4s", "4초"),
        (125, "2m 05s", "2분 05초"),
        (3720, "1h 02m", "1시간 02분"),
        (90_000, "1d 01h", "1일 01시간"),
    ],
)
def test_a_length_has_two_units_at_most(seconds: float, english: str, korean: str) -> None:
    """Enough to judge by, and no more."""
    assert (writing.length(seconds, "en"), writing.length(seconds, "ko")) == (english, korean)


@pytest.mark.parametrize(
    ("length", "english", "korean"),
    [
        (timedelta(days=30), "30d", "30일"),
        (timedelta(hours=24), "1d", "1일"),
        (timedelta(hours=36), "36h", "36시간"),
        (timedelta(minutes=90), "90m", "90분"),
        (timedelta(seconds=61), "61s", "61초"),
        (timedelta(0), "0s", "0초"),
    ],
)
def test_a_chosen_length_is_said_in_one_unit(length: timedelta, english: str, korean: str) -> None:
    """Objectives are round: nothing is lost in the largest unit that says them whole."""
    assert (writing.span(length, "en"), writing.span(length, "ko")) == (english, korean)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 2**30, "3.0 GiB"), (2**60, "1048576.0 TiB")],
)
def test_sizes_are_said_in_units_of_1024(count: int, text: str) -> None:
    """Bytes are whole, larger units have one digit."""
    assert writing.size(count) == text


def test_long_names_are_known_by_their_beginning() -> None:
    """Commits and digests are cut; what is a name already stays."""
    assert writing.short("a" * 40) == "a" * 10
    assert writing.short("sha256:" + "b" * 64) == "sha256:" + "b" * 12
    assert writing.short("v1.2.3") == "v1.2.3"


def test_a_cause_is_told_by_what_is_text_in_it() -> None:
    """Who comes first, each thing once, and nothing that is no text or that only programs understand."""
    pushed = {"kind": "push", "by": "kim", "ref": "main", "run": 3, "author": "kim", "queues": False, "before": "x"}
    assert writing.cause(pushed) == "kim · push · main"
    assert writing.cause({}) == "–"
