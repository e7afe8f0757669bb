"""The server under the pages: who is slow holds up nobody, and it ends when it is asked to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from console.http import Http
from lockstep import errors
from tests.support import serving

_HALF = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"


@contextlib.contextmanager
def _served(app: Flask) -> Iterator[tuple[Http, threading.Event]]:
    server, stopping = Http(app, host="127.0.0.1", port=0), threading.Event()
    thread = threading.Thread(target=server.serve_until, args=(stopping,))
    thread.start()
    try:
        yield server, stopping
    finally:
        stopping.set()
        server.wake()
        thread.join()
        server.close(5.0)


@pytest.fixture
def app() -> Flask:
    """Says that it is there."""
    app = Flask(__name__)
    app.add_url_rule("/", "there", lambda: "there", methods=["GET", "POST"])
    return app


def test_clients_that_never_finish_hold_no_thread(app: Flask) -> None:
    """Far more of them than there are threads; the next request is answered all the same."""
    with _served(app) as (server, _), contextlib.ExitStack() as held:
        for _ in range(60):
            client = held.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            client.sendall(_HALF)
        assert serving.request(server.port, "GET", "/").body == b"there"


def test_it_ends_while_clients_are_connected(app: Flask) -> None:
    """Nobody's open connection keeps the service from stopping."""
    with _served(app) as (server, stopping), socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(_HALF)
        stopping.set()
        server.wake()


def test_an_address_that_is_taken_is_said(app: Flask) -> None:
    """With what to do about it."""
    with _served(app) as (server, _), pytest.raises(errors.InputError, match="--listen"):
        Http(app, host="127.0.0.1", port=server.port)
