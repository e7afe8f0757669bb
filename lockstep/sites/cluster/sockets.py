"""Sockets that keep a deadline however slowly the other side speaks or listens.

A timeout of a socket begins again with every byte, so a server that sends one byte a second holds a reader for
ever. These ask before every read and write how much of the whole call is left. The deadline belongs to the thread that
reads: a call is made and its answer read in one thread.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any, Self


class _Bounds(threading.local):
    until: float = float("inf")
    silence_seconds: float = 30.0


_bounds = _Bounds()


@contextlib.contextmanager
def bounded(until: float, *, silence_seconds: float) -> Iterator[None]:
    """Let what this thread reads and writes inside end at a moment of ``time.monotonic``, and after a silence.

    What would go on raises ``TimeoutError``.
    """
    before = (_bounds.until, _bounds.silence_seconds)
    _bounds.until, _bounds.silence_seconds = until, silence_seconds
    try:
        yield
    finally:
        _bounds.until, _bounds.silence_seconds = before


def _left() -> float:
    left = _bounds.until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline of the call has passed")
    return min(left, _bounds.silence_seconds)


class PlainSocket(socket.socket):
    """A socket of the operating system."""

    @classmethod
    def of(cls, other: socket.socket) -> Self:
        """Take over another socket, which is nobody's afterwards."""
        timeout = other.gettimeout()
        taken = cls(other.family, other.type, other.proto, fileno=other.detach())
        taken.settimeout(timeout)
        return taken

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive within the bounds."""
        self.settimeout(_left())
        return super().recv(bufsize, flags)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Receive within the bounds."""
        self.settimeout(_left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        """Send within the bounds."""
        self.settimeout(_left())
        super().sendall(*args, **kwargs)


class TlsSocket(ssl.SSLSocket):
    """A socket that speaks TLS; a context makes them once it is told to (``SSLContext.sslsocket_class``)."""

    def send(self, *args: Any, **kwargs: Any) -> int:
        """Send within the bounds; ``sendall`` of TLS comes here too."""
        self.settimeout(_left())
        return super().send(*args, **kwargs)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive within the bounds."""
        self.settimeout(_left())
        return super().recv(buflen, flags)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Receive within the bounds."""
        self.settimeout(_left())
        return super().recv_into(*args, **kwargs)
