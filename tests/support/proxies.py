"""A small HTTP proxy: it forwards, it tunnels, it asks for a password, and it remembers what it was asked."""

from __future__ import annotations

import base64
import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """A proxy that runs; ``names`` are hosts that it alone knows, each with the port on this machine that it means."""

    names: Mapping[str, int] = field(default_factory=dict)
    password: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """The first line of each request."""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def place(self, host: str, port: int) -> tuple[str, int]:
        """Where a host is."""
        return ("127.0.0.1", self.names.get(host, port))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    proxy: Proxy


class _Handler(socketserver.StreamRequestHandler):
    """One request for each connection."""

    def handle(self) -> None:
        """Read the head, answer or pass it on, then carry bytes both ways."""
        proxy = cast("_Server", self.server).proxy
        lines = [line for line in iter(self.rfile.readline, b"\r\n") if line]
        if not lines:
            return
        method, where, _ = lines[0].decode().split()
        proxy.asked.append(f"{method} {where}")
        wanted = base64.b64encode(f"robot:{proxy.password}".encode())
        if proxy.password and not any(line.strip().endswith(b"Basic " + wanted) for line in lines[1:]):
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        parts = urlsplit(where if "://" in where else f"//{where}")
        place = proxy.place(parts.hostname or "", parts.port or 80)
        with contextlib.suppress(OSError), socket.create_connection(place, timeout=10) as far:
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                kept = [line for line in lines[1:] if not line.lower().startswith((b"proxy-", b"connection"))]
                path = f"{parts.path}?{parts.query}" if parts.query else parts.path
                far.sendall(b"".join([f"{method} {path} HTTP/1.1\r\n".encode(), *kept, b"Connection: close\r\n\r\n"]))
            back = threading.Thread(target=_carry, args=(far, self.connection), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := self.rfile.read1(2**16):
                    far.sendall(data)
            back.join(10)


def _carry(near: socket.socket, far: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := near.recv(2**16):
            far.sendall(data)
        far.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def serve(names: Mapping[str, int] | None = None, *, password: str = "") -> Iterator[Proxy]:
    """A proxy, while the block lasts."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = Proxy(names=names or {}, password=password, port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            thread.join()
