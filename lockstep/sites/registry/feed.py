"""The bytes of one blob on their way out, verified, with a short memory for what may have to be said again."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator

from lockstep import errors
from lockstep.sites.ends import Descriptor, Verified

# What may be under way between us and a registry when a connection breaks: the buffers of both ends.
WINDOW_BYTES = 4 * 2**20
_PIECE_BYTES = 2**20


class ForgottenError(errors.ConflictError):
    """What would have to be sent again is no longer in memory: it has to be read anew."""


class Feed:
    """Bytes that are drawn once and can be replayed from a little way back.

    The last chunk is given only when size and digest of all are those of the blob: whoever lies about a blob
    never completes it at a site. The digest of ``Verified`` chunks is known when they end.
    """

    def __init__(self, blob: Descriptor, chunks: Iterable[bytes], *, window: int = WINDOW_BYTES) -> None:
        self._blob = blob
        self._chunks = _pieces(chunks)
        self._most = window
        self._window: deque[bytes] = deque()
        self._kept = 0
        self._given = 0
        self._ahead: bytes | None = None
        self._drawn = 0
        self._hash = None if isinstance(chunks, Verified) else hashlib.new(blob.digest.partition(":")[0])
        self.broken: BaseException | None = None
        """Why the bytes stopped coming, when it is not the other side's fault."""

    def whole(self) -> bytes:
        """All bytes of a small blob; they can be asked for again as long as they fit the window.

        Raises:
            IntegrityError: They are not the blob.
        """
        return b"".join(self.span(0, self._blob.size))

    def span(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from one offset to another.

        Raises:
            ForgottenError: The start is too far back.
            IntegrityError: The bytes are not the blob.
        """
        at = start
        if start < self._given - self._kept:
            raise ForgottenError(
                f"The upload of {self._blob.digest} broke too far back.", remedy="It is sent again from its beginning."
            )
        while at < end:
            chunk, begin = self._chunk_at(at)
            part = chunk[at - begin : end - begin]
            if not part:
                return
            at += len(part)
            yield part
        if not self._blob.size:
            self._draw()  # nothing to give, and that too is verified

    def _chunk_at(self, at: int) -> tuple[bytes, int]:
        """The chunk with the byte at an offset, and where it begins; an empty one after the end."""
        while at >= self._given:
            chunk = self._draw()
            if not chunk:
                return b"", at
            self._remember(chunk)
        begin = self._given
        for chunk in reversed(self._window):
            begin -= len(chunk)
            if begin <= at:
                return chunk, begin
        raise AssertionError("an offset inside the window is in one of its chunks")

    def _remember(self, chunk: bytes) -> None:
        self._window.append(chunk)
        self._kept += len(chunk)
        self._given += len(chunk)
        while self._kept - len(self._window[0]) >= self._most:
            self._kept -= len(self._window.popleft())

    def _draw(self) -> bytes:
        """The next chunk; one is always held back until it is known not to be the last, or all is verified."""
        while True:
            following = self._next()
            if following is None:
                self._require_right()
                last, self._ahead = self._ahead or b"", None
                return last
            if not following:
                continue
            self._drawn += len(following)
            if self._hash is not None:
                self._hash.update(following)
            if self._drawn > self._blob.size:
                raise self._wrong()
            ready, self._ahead = self._ahead, following
            if ready is not None:
                return ready

    def _next(self) -> bytes | None:
        if self.broken is not None:
            raise self.broken
        try:
            return next(self._chunks, None)
        except BaseException as error:
            self.broken = error
            raise

    def _require_right(self) -> None:
        right = self._hash is None or self._hash.hexdigest() == self._blob.digest.partition(":")[2]
        if self._drawn != self._blob.size or not right:
            raise self._wrong()

    def _wrong(self) -> errors.IntegrityError:
        return errors.IntegrityError(
            f"What arrived for {self._blob.digest} is not the blob of that digest and {self._blob.size} bytes.",
            remedy="Try again; if it stays, what it comes from is damaged.",
        )


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, large ones in pieces: what sends them copies what is left of a piece again and again."""
    for chunk in chunks:
        if len(chunk) <= _PIECE_BYTES:
            yield chunk
        else:
            yield from (chunk[at : at + _PIECE_BYTES] for at in range(0, len(chunk), _PIECE_BYTES))
