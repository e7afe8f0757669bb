"""Places that are asked the same, of which some say nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lockstep import errors
from lockstep.sites.asking import Asking

_LONG = 3600.0


@pytest.fixture
def ended() -> Iterator[threading.Event]:
    """Set when the test ends: until then a place that stands still says nothing."""
    event = threading.Event()
    yield event
    event.set()


def _refused() -> str:
    raise errors.UnreachableError("Nobody is there.")


def test_answers_come_in_the_order_in_which_places_were_named() -> None:
    """Whoever is the first to answer; who refuses, or has nothing to say, is left out."""
    came = threading.Event()

    def late() -> str:
        came.wait()
        return "seoul"

    def early() -> str:
        came.set()
        return "sejong"

    found = Asking(grace_seconds=_LONG).answers(
        {"seoul": late, "busan": _refused, "jeju": lambda: None, "sejong": early}
    )
    assert list(found.items()) == [("seoul", "seoul"), ("sejong", "sejong")]


def test_a_place_that_stands_still_holds_nobody_once_another_has_answered(ended: threading.Event) -> None:
    """And it is not asked again for a while: each look would wait for it anew."""
    asked: list[str] = []
    asking = Asking(grace_seconds=0.0, rest_seconds=_LONG)
    began = threading.Event()

    def stands() -> str:
        asked.append("seoul")
        began.set()
        ended.wait()
        return "seoul"

    def answers() -> str:
        began.wait()
        return "sejong"

    asks = {"seoul": stands, "sejong": answers}
    for _ in range(3):
        assert asking.answers(asks) == {"sejong": "sejong"}
    assert asked == ["seoul"]


def test_a_place_that_kept_others_waiting_is_asked_where_nobody_else_answers(ended: threading.Event) -> None:
    """It may be well again, and it is all there is."""

    def stands() -> str:
        ended.wait()
        return "seoul"

    asking = Asking(grace_seconds=0.0, rest_seconds=_LONG)
    asking.answers({"seoul": stands, "sejong": lambda: "sejong"})
    assert asking.answers({"seoul": lambda: "seoul", "sejong": _refused}) == {"seoul": "seoul"}


def test_nobody_answers_where_nobody_is() -> None:
    """Nothing is waited for then, and nothing is made up."""
    assert Asking(grace_seconds=_LONG).answers({"seoul": _refused, "sejong": lambda: None}) == {}
    assert Asking().answers({}) == {}
