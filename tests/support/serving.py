"""A WSGI application behind a real server on a free port, and a client that sends exactly what it is told."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask
from waitress import wasyncore
from waitress.server import create_server


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


@contextlib.contextmanager
def served(app: Flask, *, threads: int = 8) -> Iterator[int]:
    """Serve an application on the loopback; gives the port."""
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=threads, connection_limit=1000)
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            wasyncore.loop(map=sockets, count=1)

    runner = threading.Thread(target=serve)
    runner.start()
    try:
        yield int(server.effective_port)
    finally:
        stopping.set()
        server.pull_trigger()
        runner.join()
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)


def post(port: int, path: str, body: bytes | Iterable[bytes], headers: Mapping[str, str]) -> Answer:
    """Post a body; several chunks are sent without a Content-Length."""
    return request(port, "POST", path, body=body, headers=headers)


def request(
    port: int, method: str, path: str, *, body: bytes | Iterable[bytes] | None = None, headers: Mapping[str, str] = {}
) -> Answer:
    """Send one request on a connection of its own."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        return Answer(status=response.status, headers=dict(response.getheaders()), body=response.read())
