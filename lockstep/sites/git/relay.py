"""A port of this machine that leads to one server, at the pace that its line allows.

Git and ssh send as fast as they can. So where a site's line has a rate they are sent through here: TLS and ssh still
reach from end to end, nothing is read or changed, and what comes back is not held up. Whatever a client asks for, the
port leads to the one place that it was opened for.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from lockstep.sites.line import Pace

_CONNECT_SECONDS = 20.0
_CHUNK = 2**16
# SOCKS 5 (RFC 1928): what is said to a client that wants no authentication, and to one whose connection stands or not.
_METHOD = b"\x05\x00"
_STANDS = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
_REFUSED = b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"
_LENGTHS = {1: 4, 4: 16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server."""

    host: str
    port: int


@contextlib.contextmanager
def opened(place: Place, pace: Pace, *, socks: bool) -> Iterator[int]:
    """The port, while the block lasts.

    Args:
        place: Where it leads.
        pace: How fast bytes go there.
        socks: Whether clients speak SOCKS 5 first, as git's do over http; the port is the server itself otherwise.
    """
    relay = _Relay(place=place, pace=pace, socks=socks)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=relay.accept, args=(listener,), daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            relay.close()


@dataclass(slots=True, kw_only=True)
class _Relay:
    place: Place
    pace: Pace
    socks: bool
    _ends: list[socket.socket] = field(default_factory=list)

    def accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # it was shut down
                return
            self._ends.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """End what still goes on: a thread that waits for bytes gets none."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.socks:
                _greet(client)
            try:
                server = socket.create_connection((self.place.host, self.place.port), _CONNECT_SECONDS)
            except OSError:
                if self.socks:
                    client.sendall(_REFUSED)
                return
            with server:
                server.settimeout(None)
                self._ends.append(server)
                if self.socks:
                    client.sendall(_STANDS)
                back = threading.Thread(target=_pour, args=(server, client), daemon=True)
                back.start()
                _pour(client, server, pace=self.pace)
                back.join()


def _greet(client: socket.socket) -> None:
    """Hear a client out; what it asks for changes nothing."""
    _, methods = _exactly(client, 2)
    _exactly(client, methods)
    client.sendall(_METHOD)
    kind = _exactly(client, 4)[3]
    _exactly(client, (_LENGTHS[kind] if kind in _LENGTHS else _exactly(client, 1)[0]) + 2)


def _exactly(client: socket.socket, size: int) -> bytes:
    told = client.recv(size, socket.MSG_WAITALL)
    if len(told) != size:
        raise ConnectionResetError
    return told


def _pour(origin: socket.socket, target: socket.socket, *, pace: Pace | None = None) -> None:
    """Hand on what comes until no more does, then say so."""
    with contextlib.suppress(OSError):
        while chunk := origin.recv(pace.portion if pace else _CHUNK):
            if pace:
                pace.wait(len(chunk))
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
