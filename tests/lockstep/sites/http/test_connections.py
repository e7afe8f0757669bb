"""Connections: kept, used again, bounded in number, and given up when the other side has."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator

import httpx
import pytest

from lockstep.sites.http.connections import Connections
from lockstep.sites.http.places import Origin

TIMES = {"pool": 20.0, "connect": 20.0, "write": 20.0, "read": 20.0}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def _server(talk: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[Origin]:
    """A server that talks with each connection as the test says, one after another, and then closes it."""
    with socket.create_server((host, 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(20)
                    talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Origin(scheme="http", host=host, port=listening.getsockname()[1])
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _request(
    origin: Origin, body: bytes | Iterable[bytes] = b"", *, address: str = "", size: int = 0, pool: float = 20.0
) -> httpx.Request:
    return httpx.Request(
        "PUT",
        httpx.URL(scheme="http", host=address or origin.host, port=origin.port),
        headers={"Content-Length": str(size or len(bytes(body)))},  # type: ignore[arg-type]  # bytes, or a size is given
        content=body,
        extensions={"timeout": {**TIMES, "pool": pool}},
    )


def _text(reply: httpx.Response) -> bytes:
    try:
        return b"".join(reply.iter_raw())
    finally:
        reply.close()


def _kept(origin: Origin, most: int = 2) -> contextlib.closing[Connections]:
    return contextlib.closing(Connections(origin, most=most, trust=None))


def test_the_head_and_a_small_body_go_out_together() -> None:
    """Two packets would wake the other side twice for each of thousands of small requests."""
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        heard.append(connection.recv(2**16))
        connection.sendall(OK)

    with _server(talk) as origin, _kept(origin) as kept:
        assert _text(kept.handle_request(_request(origin, b"body"))) == b"ok"
    assert heard[0].endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("sizes", [(2**16, 1), (1, 2**20, 3), (2**21,)])
def test_a_body_arrives_as_it_was_given_whatever_its_pieces(sizes: tuple[int, ...]) -> None:
    """What waits for more goes out before what does not fit with it."""
    heard = bytearray()
    pieces = [bytes([65 + number]) * size for number, size in enumerate(sizes)]

    def talk(connection: socket.socket) -> None:
        while not heard.endswith(pieces[-1][-1:]) or len(heard) < sum(sizes):
            heard.extend(connection.recv(2**16))
        connection.sendall(OK)

    with _server(talk) as origin, _kept(origin) as kept:
        assert _text(kept.handle_request(_request(origin, iter(pieces), size=sum(sizes)))) == b"ok"
    assert heard.partition(b"\r\n\r\n")[2] == b"".join(pieces)


def test_an_answer_that_comes_before_all_was_sent_counts() -> None:
    """A server that refuses a body says so and closes; what could not be sent any more is no matter."""

    def talk(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(2**16):
            pass

    with _server(talk) as origin, _kept(origin) as kept:
        reply = kept.handle_request(_request(origin, iter([b"x" * 2**20] * 4), size=2**22))
        assert reply.status_code == 413
        assert _text(reply) == b""


def test_a_connection_that_the_other_side_closed_is_not_used_again() -> None:
    """A server may close what is idle whenever it likes: that is no error of the next request."""
    talked = threading.Semaphore(0)

    def talk(connection: socket.socket) -> None:
        connection.recv(2**16)
        connection.sendall(OK)
        connection.close()
        talked.release()

    with _server(talk) as origin, _kept(origin) as kept:
        for _ in range(3):
            assert _text(kept.handle_request(_request(origin))) == b"ok"
            assert talked.acquire(timeout=20)


def test_there_are_no_more_connections_than_are_allowed() -> None:
    """Who comes when all are in use waits, and is told when none becomes free."""
    with _server(lambda connection: connection.sendall(OK)) as origin, _kept(origin, most=1) as kept:
        first = kept.handle_request(_request(origin))
        hurried = _request(origin, pool=0.001)
        with pytest.raises(httpx.TransportError, match="in use"):
            kept.handle_request(hurried)
        assert _text(first) == b"ok"
        assert _text(kept.handle_request(_request(origin))) == b"ok"


def test_a_connection_to_one_address_is_not_used_for_another() -> None:
    """A host's address is judged before each request: it may be another one the next time."""
    with _server(lambda connection: connection.sendall(OK)) as origin, _kept(origin) as kept:
        assert _text(kept.handle_request(_request(origin))) == b"ok"
        with pytest.raises(httpx.TransportError):
            kept.handle_request(_request(origin, address="127.0.0.2"))
        assert _text(kept.handle_request(_request(origin))) == b"ok"


def test_a_failed_request_leaves_its_place_to_the_next_one() -> None:
    """However often a server breaks off, or the body of a request cannot be read."""
    broken = iter([True, True, True])

    def talk(connection: socket.socket) -> None:
        connection.recv(2**16)
        if not next(broken, False):
            connection.sendall(OK)

    def unreadable() -> Iterator[bytes]:
        yield b"x"
        raise LookupError

    with _server(talk) as origin, _kept(origin, most=1) as kept:
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                kept.handle_request(_request(origin))
            with pytest.raises(LookupError):
                kept.handle_request(_request(origin, unreadable(), size=2))
        assert _text(kept.handle_request(_request(origin))) == b"ok"


def test_what_is_given_back_after_the_end_is_closed() -> None:
    """Connections that are retired while one is in use leave none open."""
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(2**16)
        connection.sendall(OK)
        if connection.recv(1) == b"":
            ended.set()

    with _server(talk) as origin:
        kept = Connections(origin, most=1, trust=None)
        reply = kept.handle_request(_request(origin))
        kept.close()
        assert _text(reply) == b"ok"
        assert ended.wait(20)
