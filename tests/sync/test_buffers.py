"""Bytes wait in bounded room, and in order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from sync.buffers import Inbox, LaggingError, Room


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
