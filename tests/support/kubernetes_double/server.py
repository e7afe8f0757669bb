"""The HTTP shell of the double: threads on the loopback, with or without TLS. It decides nothing."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import os
import queue
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

from tests.support import certificates
from tests.support.kubernetes_double import requests
from tests.support.kubernetes_double.api import Api
from tests.support.kubernetes_double.faults import BrokenError, Faults
from tests.support.kubernetes_double.requests import Answer, Request
from tests.support.kubernetes_double.statuses import RefusedError

_COMPRESSED_FROM = 128 * 1024  # bytes; what the real server does too


class _Handler(http.server.BaseHTTPRequestHandler):
    """Reads a request, writes an answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _serve(self) -> None:
        request = self._request()
        try:
            self.server.faults.meet(request)
            answer = self.server.api.answered(request, certified=self._certified())
        except RefusedError as refused:
            answer = requests.answer(refused.body, status=refused.body["code"], headers=refused.headers)
        except BrokenError as broken:
            self.close_connection = True
            if broken.reset:
                # Who closes without lingering sends a reset (socket(7), SO_LINGER).
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())
            return
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._send(request, answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - names of http.server

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        return Request(
            method=self.command,
            path=parts.path,
            query=dict(reversed(pairs)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )

    def _certified(self) -> str:
        """The common name of the client's certificate."""
        if not isinstance(self.connection, ssl.SSLSocket):
            return ""
        subject = (self.connection.getpeercert() or {}).get("subject", ())
        named = dict(pair for part in subject for pair in part)  # type: ignore[misc] # typeshed has all of its fields in one union
        return str(named.get("commonName", ""))

    def _send(self, request: Request, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self._send_whole(request, answer.body)
        else:
            self._send_stream(answer.body)

    def _send_whole(self, request: Request, body: bytes) -> None:
        if len(body) > _COMPRESSED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if request.method != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _send_stream(self, lines: Iterator[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for line in lines:
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
        """Say nothing: a test says what it wants to know."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, api: Api, faults: Faults, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api
        self.faults = faults
        self._context = context
        self.broken: list[BaseException] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep an error of the double itself, which the test that met it is to fail with."""
        error = sys.exception()
        if error is not None:
            self.broken.append(error)

    def finish_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Serve a connection in its thread, where a handshake holds up nobody else."""
        with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
            if self._context is None:
                super().finish_request(request, client_address)
                return
            with self._context.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)


class Background:
    """What the server does by itself, one thing after the other, after the answer that caused it."""

    def __init__(self, *, delay: float) -> None:
        self._delay = delay
        self._ended = threading.Event()
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._open = threading.Event()
        self._open.set()
        self._thread.start()

    def later(self, what: Callable[[], None]) -> None:
        """Do something soon."""
        self._waiting.put(what)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Do nothing while the block lasts."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def end(self) -> None:
        """Stop."""
        self._ended.set()
        self._open.set()
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (what := self._waiting.get()) is not None:
            self._ended.wait(self._delay)
            self._open.wait()
            what()


def tls(authority: certificates.Authority) -> ssl.SSLContext:
    """A context that shows the authority's certificate and asks clients for theirs."""
    own = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    context.load_verify_locations(authority.own.certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@contextlib.contextmanager
def listening(api: Api, faults: Faults, authority: certificates.Authority | None) -> Iterator[str]:
    """Serve while the block lasts; gives the URL."""
    server = _Server(api, faults, tls(authority) if authority else None)
    host, port = server.server_address[:2]
    api.address = f"{host!s}:{port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if authority else 'http'}://127.0.0.1:{port}"
    finally:
        faults.end()
        server.shutdown()
        thread.join()
        server.server_close()
    if server.broken:
        raise server.broken[0]
