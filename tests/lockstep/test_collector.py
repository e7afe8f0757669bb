"""The garbage collector is held off for a while, and is afterwards as it was."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from lockstep import collector


@pytest.fixture(autouse=True)
def running() -> Iterator[None]:
    """The collector runs, before and after."""
    assert gc.isenabled()
    yield
    gc.enable()


def test_it_goes_on_when_the_last_holder_has_ended() -> None:
    """One inside another, and one beside another, in whatever order they end; also when something is raised."""
    inside, over = threading.Event(), threading.Event()

    def hold() -> None:
        with collector.held():
            inside.set()
            over.wait()

    other = threading.Thread(target=hold)

    def raises() -> None:
        with collector.held(), collector.held():
            other.start()
            inside.wait()
            assert not gc.isenabled()
            raise KeyError

    with pytest.raises(KeyError):
        raises()
    assert not gc.isenabled()
    over.set()
    other.join()
    assert gc.isenabled()


def test_who_has_stopped_it_finds_it_stopped() -> None:
    """It is their business."""
    gc.disable()
    with collector.held():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_holders_without_end_do_not_keep_it_off_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where blocks overlap for too long, the new objects are looked at as one of them ends."""
    monkeypatch.setattr(collector, "_LONGEST", 0.0)
    seen: list[str] = []

    def note(phase: str, _: dict[str, int]) -> None:
        seen.append(phase)

    gc.callbacks.append(note)
    try:
        with collector.held():
            with collector.held():
                seen.clear()
            assert "start" in seen
    finally:
        gc.callbacks.remove(note)
