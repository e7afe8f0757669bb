"""What a step writes, kept as it comes: in batches, without known secrets, the middle of a very long one cut."""

from __future__ import annotations

import codecs
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

# A reader who watches sees what was written within this; a thousand short lines cost one transaction.
_FLUSH_SECONDS = 0.3
_BATCH_BYTES = 32 * 2**10
_MASK = "***"


class Logbook:
    """The log of one step. A context: what is left is written at its end.

    Args:
        keep: Stores a piece of text.
        most: Bytes that are kept: the first half as it comes, the last half at the end.
        secrets: Texts that are never stored.
    """

    def __init__(self, keep: Callable[[str], None], *, most: int, secrets: Sequence[str] = ()) -> None:
        self._keep = keep
        self._head = most // 2
        self._tail_most = most - self._head
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._cut = 0
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._waiting = ""
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._failed: BaseException | None = None
        self._flusher = threading.Thread(target=self._flush_now_and_then, name="logbook", daemon=True)

    def __enter__(self) -> Self:
        self._flusher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._flusher.join()
        with self._lock:
            if self._cut:
                self._take(f"\n[... {self._cut} bytes are cut here ...]\n".encode())
            for chunk in self._tail:
                self._take(chunk)
            self._waiting += self._decoder.decode(b"", final=True)
            self._flush(everything=True)

    def write(self, chunk: bytes) -> None:
        """Take what the step wrote.

        Raises:
            Exception: What storing an earlier piece raised: the step has to end.
        """
        if self._failed is not None:
            raise self._failed
        with self._lock:
            first, rest = chunk[: self._head], chunk[self._head :]
            self._head -= len(first)
            if first:
                self._take(first)
            if rest:
                self._postpone(rest)
            if len(self._waiting) >= _BATCH_BYTES:
                self._flush()

    def say(self, line: str) -> None:
        """Write a line of our own."""
        self.write(f"{line}\n".encode())

    def _take(self, chunk: bytes) -> None:
        self._waiting += self._decoder.decode(chunk)

    def _postpone(self, chunk: bytes) -> None:
        self._tail.append(chunk)
        self._tail_bytes += len(chunk)
        while self._tail_bytes > self._tail_most:
            over = self._tail_bytes - self._tail_most
            first = self._tail.popleft()
            gone = min(over, len(first))
            if gone < len(first):
                self._tail.appendleft(first[gone:])
            self._tail_bytes -= gone
            self._cut += gone

    def _flush_now_and_then(self) -> None:
        while not self._closing.wait(_FLUSH_SECONDS):
            try:
                with self._lock:
                    self._flush()
            except Exception as error:  # noqa: BLE001 - handed to whoever writes next
                self._failed = error
                return

    def _flush(self, *, everything: bool = False) -> None:
        """Store what waits, but for an end that a secret could begin in."""
        for secret in self._secrets:
            self._waiting = self._waiting.replace(secret, _MASK)
        held = 0 if everything else self._beginning_of_a_secret()
        text, self._waiting = (self._waiting[: len(self._waiting) - held], self._waiting[len(self._waiting) - held :])
        if text:
            self._keep(text)

    def _beginning_of_a_secret(self) -> int:
        """How many characters at the end are the beginning of a secret."""
        longest = max((len(secret) for secret in self._secrets), default=1) - 1
        for length in range(min(longest, len(self._waiting)), 0, -1):
            if any(secret.startswith(self._waiting[-length:]) for secret in self._secrets):
                return length
        return 0
