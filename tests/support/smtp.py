"""A mail server that takes every mail and keeps it: as much of RFC 5321 as a client needs to hand one over."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mails:
    """The mails that came, and the port where more are taken; ``refuse`` says no to the next ones."""

    port: int = 0
    came: list[EmailMessage] = field(default_factory=list)
    refuse: bool = False


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """One conversation."""
        mails: Mails = self.server.mails  # type: ignore[attr-defined]  # ours, set where the server is made
        self.wfile.write(b"220 double\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                mails.came.append(self._mail())
                self.wfile.write(b"250 kept\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            elif verb == b"MAIL" and mails.refuse:
                self.wfile.write(b"550 no\r\n")
            else:
                self.wfile.write(b"250 fine\r\n")

    def _mail(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return message_from_bytes(b"".join(lines), policy=policy.default)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextlib.contextmanager
def served() -> Iterator[Mails]:
    """A mail server on the loopback, as long as the block lasts."""
    mails = Mails()
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.mails = mails  # type: ignore[attr-defined]  # the handler finds it there
        mails.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield mails
        finally:
            server.shutdown()
            thread.join()
