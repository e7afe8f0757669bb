"""Bytes wait in bounded room, in order, and go no faster than the line may carry."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.buffers import Inbox, LaggingError, Pace, Room


class _Time:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        """Pass."""
        self.now += seconds


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=20), st.floats(1e3, 1e9))
def test_no_stretch_of_bytes_is_faster_than_the_rate(sizes: list[int], rate: float) -> None:
    """Whatever the chunks, all but the last have had their time when the last may go."""
    time = _Time()
    pace = Pace(rate, now=lambda: time.now, sleep=time.sleep)
    for size in sizes:
        pace.wait(size)
    assert time.now - 100.0 == pytest.approx(sum(sizes[:-1]) * 8 / rate, rel=1e-6, abs=1e-6)


def test_a_line_that_rested_owes_nothing() -> None:
    """After a pause the next bytes go at once, and the pause is not saved up."""
    time = _Time()
    pace = Pace(8.0, now=lambda: time.now, sleep=time.sleep)
    pace.wait(10)
    time.sleep(1000)
    began = time.now
    pace.wait(1)
    assert time.now == began
    pace.wait(1)
    assert time.now == began + 1


def test_room_is_given_back_by_whoever_reads_gives_up_or_closes() -> None:
    """However an inbox ends, the room that its bytes took is free again."""
    room = Room(4)
    inbox = Inbox(room)
    for chunk in (b"ab", b"cd"):
        assert room.take(len(chunk), inbox, wait_seconds=0)
        inbox.put(chunk)
    assert not room.take(1, inbox, wait_seconds=0)
    reader: Iterator[bytes] = iter(inbox)
    assert next(reader) == b"ab"
    assert not room.take(1, inbox, wait_seconds=0), "what is being written still takes room"
    assert next(reader) == b"cd"
    inbox.close()
    with pytest.raises(LaggingError):
        next(reader)
    other = Inbox(room)
    assert room.take(4, other, wait_seconds=0)


def test_a_chunk_larger_than_the_room_passes_when_it_is_empty() -> None:
    """A bound that is too small slows down; it never stops."""
    room = Room(1)
    inbox = Inbox(room)
    assert room.take(100, inbox, wait_seconds=0)
    assert not room.take(1, inbox, wait_seconds=0)


def test_what_is_put_after_the_end_of_an_inbox_takes_no_room() -> None:
    """A writer that comes late finds the door closed and leaves nothing behind."""
    room = Room(10)
    inbox = Inbox(room)
    assert room.take(10, inbox, wait_seconds=0)
    inbox.close()
    inbox.put(b"0123456789")
    assert not room.take(1, inbox, wait_seconds=None), "a closed inbox never waits"
    assert room.take(10, Inbox(room), wait_seconds=0)


def test_bytes_come_in_order_until_the_end_or_the_error() -> None:
    """What was put before an error is read before it."""
    inbox = Inbox(Room(100))
    for number in range(5):
        inbox.put(bytes([number]))
    inbox.abort(ValueError("no more"))
    reader = iter(inbox)
    assert list(itertools.islice(reader, 5)) == [bytes([number]) for number in range(5)]
    with pytest.raises(ValueError, match="no more"):
        next(reader)
