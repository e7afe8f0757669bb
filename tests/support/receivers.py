"""A receiver of Standard Webhooks that checks signatures by the specification, with nothing of ours."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLDER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A request: its path, headers and body; ``believed`` when a signature is right."""

    path: str
    headers: dict[str, str]
    body: bytes
    believed: bool

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """What came, where to post, and what is answered: a status with headers, in turn; 204 when none is left."""

    port: int = 0
    secret: str = SECRET
    came: list[Came] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?tenant=bank"

    def believes(self, headers: dict[str, str], body: bytes) -> bool:
        """Whether one of the signatures is that of the secret ("Verifying webhook authenticity")."""
        if "webhook-signature" not in headers:
            return False
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return wanted in headers["webhook-signature"].split(" ")


@contextlib.contextmanager
def served(secret: str = SECRET) -> Iterator[Receiver]:
    """A receiver on the loopback, as long as the block lasts."""
    receiver = Receiver(secret=secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.before()
            believed = receiver.believes(headers, body)
            receiver.came.append(Came(path=self.path, headers=headers, body=body, believed=believed))
            status, more = receiver.answers.pop(0) if receiver.answers else (204, {})
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
