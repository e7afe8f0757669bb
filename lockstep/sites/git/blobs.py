"""Reads many blobs with one git, as a stream, each checked against its id."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lockstep import errors
from lockstep.sites.git import failures, process

Sink: TypeAlias = Callable[[bytes], object]
"""Takes the next bytes of a blob."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A blob, and where its bytes go: ``open`` is entered before the first and left after the last of them."""

    oid: str
    size: int
    open: Callable[[], AbstractContextManager[Sink]]


def read(repository: Path, wanted: Sequence[Wanted], *, timeout_seconds: float = 3600.0) -> None:
    """Read blobs, in order.

    Raises:
        IntegrityError: One is not here, or is not what its id says.
        Whatever a sink raises.
    """
    if not wanted:
        return
    call = process.Call(
        arguments=["cat-file", "--batch"],
        directory=repository,
        stdin="".join(f"{blob.oid}\n" for blob in wanted).encode(),
        timeout_seconds=timeout_seconds,
    )
    with contextlib.ExitStack() as sinks:
        batch = _Batch(wanted, sinks)
        finished = process.run(call, on_stdout=batch.feed)
    if finished.code:
        raise failures.failure(finished, address=str(repository))
    if not batch.complete:
        raise _damaged(str(repository), "git ended before it was whole")


class _Batch:
    """Takes apart what ``git cat-file --batch`` writes: ``<id> blob <size> LF``, the content, ``LF``; and again."""

    def __init__(self, wanted: Sequence[Wanted], sinks: contextlib.ExitStack) -> None:
        self._ahead = iter(wanted)
        self._blob = next(self._ahead, None)
        self._sinks = sinks
        self._header = bytearray()
        self._sink: Sink | None = None
        self._left = 0
        self._hash = hashlib.sha1(usedforsecurity=False)

    @property
    def complete(self) -> bool:
        return self._blob is None

    def feed(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view and self._blob is not None:
            if self._sink is None:
                view = self._take_header(self._blob, view)
            elif self._left:
                view = self._take_content(self._sink, view)
            else:
                view = view[1:]  # the line feed after the content
                self._end(self._blob)

    def _take_header(self, blob: Wanted, view: memoryview) -> memoryview:
        line, end, _ = bytes(view).partition(b"\n")
        self._header += line
        if end:
            expected = f"{blob.oid} blob {blob.size}"
            if self._header != expected.encode():
                raise _damaged(blob.oid, f"git says {failures.clean(self._header.decode(errors='replace'))}")
            self._hash = hashlib.new("sha256" if len(blob.oid) == 64 else "sha1", usedforsecurity=False)
            self._hash.update(b"blob %d\0" % blob.size)  # gitformat: an id is of the header and the content
            self._left = blob.size
            self._sink = self._sinks.enter_context(blob.open())
            self._header.clear()
        return view[len(line) + len(end) :]

    def _take_content(self, sink: Sink, view: memoryview) -> memoryview:
        piece = bytes(view[: self._left])
        self._hash.update(piece)
        sink(piece)
        self._left -= len(piece)
        return view[len(piece) :]

    def _end(self, blob: Wanted) -> None:
        if self._hash.hexdigest() != blob.oid:
            raise _damaged(blob.oid, "its content is not what its id says")
        self._sinks.pop_all().close()
        self._sink = None
        self._blob = next(self._ahead, None)


def _damaged(what: str, why: str) -> errors.IntegrityError:
    return errors.IntegrityError(
        f"Our copy of {what} is damaged: {why}.", remedy="Delete the copy under the state folder; it is fetched anew."
    )
