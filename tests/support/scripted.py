"""An HTTP server that answers what a test tells it to, and remembers what it was asked.

It is for what no sound server does: break off, trickle, answer with a page, send us elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request; names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer. ``pieces`` follow the body, until the test ends at the latest; ``cut`` ends in the middle."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: Iterable[bytes] | None = None
    cut: bool = False


def said(content: Json, status: int = 200, **headers: str) -> Reply:
    """A reply of JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        status=status, headers={"Content-Type": "application/json", **named}, body=json.dumps(content).encode()
    )


Script = Callable[[Asked], Reply]


@dataclass(slots=True, kw_only=True)
class Scripted:
    """A server while it runs."""

    url: str
    script: Script
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def serving(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Answer as the script says while the block lasts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "http" if tls is None else "https"
    server.state = Scripted(url=f"{scheme}://127.0.0.1:{server.server_port}", script=script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.state
    finally:
        server.state.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    state: Scripted
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        state = cast("_Server", self.server).state
        parts = urlsplit(self.path)
        asked = Asked(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )
        state.asked.append(asked)
        reply = state.script(asked)
        if reply.cut and not reply.body:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.pieces is not None:
            self._stream(reply)
            return
        self.send_header("Content-Length", str(len(reply.body) + (1 if reply.cut else 0)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection |= reply.cut

    def _stream(self, reply: Reply) -> None:
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)
        for piece in reply.pieces or ():
            self.wfile.write(piece)
            self.wfile.flush()
        self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - named by http.server

    def log_message(self, *args: object) -> None:
        """Say nothing."""
