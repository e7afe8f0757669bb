"""How long a registry asks us to wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from lockstep.sites.registry import retrying

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def _wait(headers: Mapping[str, str]) -> float | None:
    return retrying.wait_of(lambda name: headers.get(name, ""), NOW)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0),
        ("17", 17),
        ("999999999", 86_400),
        ("Sun, 22 Nov 2026 09:00:30 GMT", 30),
        ("Sunday, 22-Nov-26 09:01:00 GMT", 60),
        ("Sun, 22 Nov 2026 08:00:00 GMT", 0),
        ("Sun, 22 Nov 2099 09:00:30 GMT", 86_400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
    ],
)
def test_retry_after_is_read_in_both_forms(said: str, seconds: float | None) -> None:
    """Seconds and dates; a date that has passed is now, and nobody waits for longer than a day."""
    assert _wait({"Retry-After": said}) == seconds


def test_a_date_is_by_the_clock_of_whoever_says_it() -> None:
    """A registry whose clock is three hours ahead asks us to wait half a minute all the same."""
    ahead = {"Date": "Sun, 22 Nov 2026 12:00:00 GMT", "Retry-After": "Sun, 22 Nov 2026 12:00:30 GMT"}
    assert _wait(ahead) == 30
    assert _wait({**ahead, "Date": "never"}) == 3 * 3600 + 30


def test_docker_hub_says_it_by_what_is_left() -> None:
    """No pulls left and no Retry-After: a quarter of an hour."""
    assert _wait({"RateLimit-Remaining": "0;w=21600"}) == 900
    assert _wait({"RateLimit-Remaining": "76;w=21600"}) is None
    assert _wait({"RateLimit-Remaining": "many"}) is None
