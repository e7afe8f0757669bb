"""A real git server over http(s): git's own ``http-backend`` behind Python's threading server.

It can also behave as servers do on bad days: redirect, answer with a page, with an error, or not at all.
"""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

from tests.support.forge_http import Api
from tests.support.lfs_http import Lfs

_BACKEND = "/usr/lib/git-core/git-http-backend"
_HALVES = ("cut", "silent")


@dataclass(slots=True)
class GitHttp:
    """The server: what it serves, how it behaves, and what it was asked."""

    root: Path
    url: str = ""
    password: str = ""
    """Asked for when it is not empty; the user is ``git``."""
    behaviour: str = ""
    """``redirect``, ``html``, ``hang``, ``trickle`` or a status; as a git server otherwise.

    ``cut`` ends every transfer in the middle, ``silent`` after all of it was done and before it is said."""
    forbids: bool = False
    """Who has the right password may do nothing here all the same: 403."""
    refuses_pushes: int = 0
    """The status that whoever wants to push gets, while everybody may read."""
    old: bool = False
    """It speaks the first version of git's protocol only."""
    config: dict[str, str] = field(default_factory=dict)
    lfs: Lfs | None = None
    """It keeps large files too."""
    api: Api | None = None
    """It has a forge's API too."""
    requests: list[str] = field(default_factory=list)
    """``GET refs`` for every listing, ``POST git-upload-pack`` and ``POST git-receive-pack`` for every transfer."""
    headers: list[dict[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def packs(self) -> list[str]:
        """The transfers. A listing in protocol version 2 is a POST too, and is none."""
        return [request for request in self.requests if request.startswith("pack ")]


@contextmanager
def serve(root: Path, *, certificate: Path | None = None) -> Iterator[GitHttp]:
    """Serve every repository below a folder, to be read and written, while the block lasts."""
    state = GitHttp(root=root)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.state = state
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    state.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that only itself vouches for, in one file."""
    file = folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", "-"],
        check=True, stdout=(stdout := (folder / "public.pem").open("wb")), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    stdout.close()
    file.write_bytes(file.read_bytes() + (folder / "public.pem").read_bytes())
    return file


class _Server(ThreadingHTTPServer):
    state: GitHttp
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Silence."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_PUT(self) -> None:
        self._answer(self._body())

    def do_PATCH(self) -> None:
        self._answer(self._body())

    def do_POST(self) -> None:
        self._answer(self._body())

    @property
    def _state(self) -> GitHttp:
        return cast("_Server", self.server).state

    def _answer(self, body: bytes) -> None:
        self._record(body)
        state = self._state
        if state.behaviour and state.behaviour not in _HALVES:
            return self._misbehave(state.behaviour)
        if state.api and self.path.startswith("/api/"):
            return state.api.answer(self.command, self.path, dict(self.headers.items()), body, self._send)
        token = base64.b64encode(f"git:{state.password}".encode()).decode()
        if state.password and self.headers.get("Authorization") != f"Basic {token}":
            return self._send(401, b"", **{"WWW-Authenticate": 'Basic realm="git"'})
        if state.forbids or (state.refuses_pushes and "git-receive-pack" in self.path):
            status = state.refuses_pushes or 403
            headers = {"WWW-Authenticate": 'Basic realm="git"'} if status == 401 else {}
            return self._send(status, b"You may not.", **headers)
        if "/info/lfs/" in self.path:
            lfs = state.lfs or Lfs(behaviour="off")
            return lfs.answer(self.command, f"{state.url}{self.path}", body, self._send)
        return self._backend(body)

    def _misbehave(self, behaviour: str) -> None:
        if behaviour in ("hang", "trickle"):
            return self._stall()
        if behaviour == "redirect":
            return self._send(301, b"", Location=f"{self._state.url}/elsewhere{self.path}")
        if behaviour == "html":
            return self._send(200, b"<html>Please log in</html>", **{"Content-Type": "text/html"})
        return self._send(int(behaviour), b"\x1b[31mno\x1b[0m")

    def _record(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        listing = "info/refs" in path or b"command=ls-refs" in body
        what = "listing" if listing else "pack"
        self._state.requests.append(f"{what} {query.removeprefix('service=') or path.rpartition('/')[2]}")
        self._state.headers.append(dict(self.headers.items()))

    def _stall(self) -> None:
        """Answer nothing, or a byte now and then, until the test is over."""
        if self._state.behaviour == "trickle":
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
            self.end_headers()
        self._state.closing.wait(60)
        self.close_connection = True

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        config = {"http.receivepack": "true", "safe.directory": "*", **self._state.config}
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self._state.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": str(len(config)),
            **{f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(config)},
            **{f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(config.values())},
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": "" if self._state.old else self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": "git",
        }
        ended = subprocess.run([_BACKEND], input=body, env=env, capture_output=True, check=False)
        head, _, content = ended.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        status = int(headers.pop("Status", "200").split()[0])
        if self._state.requests[-1].startswith("pack ") and self._state.behaviour in _HALVES:
            # All is announced, a part is sent, and nobody says why.
            whole = len(content)
            content = content[: whole // 2] if self._state.behaviour == "cut" else b""
            headers["Content-Length"], self.close_connection = str(whole + 1), True
        self._send(status, content, **headers)

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
