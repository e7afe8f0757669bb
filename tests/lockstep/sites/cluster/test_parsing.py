"""JSON is read with the collector held off, and the collector is afterwards as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from lockstep.sites.cluster import parsing


@pytest.fixture
def collector() -> Iterator[None]:
    """Leaves the collector running, as it is found."""
    assert gc.isenabled()
    yield
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_the_collector_runs_on_after_whatever_was_read() -> None:
    """Also after what is no JSON, and with many threads at once: one that stays stopped would eat the memory."""

    def read(text: bytes) -> None:
        with pytest.raises(orjson.JSONDecodeError):
            parsing.loads(text)

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(read, [b"{"] * 200))
        assert list(pool.map(parsing.loads, [b'{"a":[1]}'] * 200)) == [{"a": [1]}] * 200
    assert gc.isenabled()


@pytest.mark.usefixtures("collector")
def test_who_has_stopped_the_collector_finds_it_stopped() -> None:
    """It is their business."""
    gc.disable()
    assert parsing.loads(b"1") == 1
    assert not gc.isenabled()


@pytest.mark.usefixtures("collector")
def test_nothing_is_collected_while_a_page_is_read() -> None:
    """Thousands of new objects are not looked at again and again."""
    text = orjson.dumps([{"a": [{}]}] * 20_000)
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    gc.collect()
    gc.callbacks.append(note)
    try:
        read = parsing.loads(text)
    finally:
        gc.callbacks.remove(note)
    assert len(read) == 20_000
    assert len(seen) <= 1  # the one that was put off
