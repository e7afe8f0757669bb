"""One receiver of Standard Webhooks, and sending it one message.

The receiver is a server that the configuration names, and it may be hostile all the same: it leads nowhere else
(a redirect is a failure), it is not read beyond its status and a wait, and the whole exchange has one deadline,
which a library that counts the silence between two bytes does not keep. Hence the standard library's client, on a
connection of our own to the address that was judged.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lockstep import errors
from lockstep.sites.channels import signing
from lockstep.sites.http import places

_CONNECT_SECONDS = 10.0
# "Request timeout": 15 to 30 seconds are recommended.
_DEADLINE_SECONDS = 20.0
MOST_BYTES = 20_000
"""Bodies are recommended to be smaller than 20 kB ("Payload size")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message: ``id`` is the same in every attempt, ``timestamp`` (seconds since 1970) is that of this one."""

    id: str
    timestamp: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A receiver of Standard Webhooks.

    Args:
        url: Where it listens; never shown.
        keys: What messages are signed with.
        allow_private: Whether a name may lead to a private address.
        resolve: The addresses of a host.
        deadline_seconds: How long one exchange may take.
    """

    url: str = field(repr=False)
    keys: Sequence[bytes] = field(repr=False)
    allow_private: bool = False
    resolve: Callable[[str, int], Sequence[str]] = field(default=places.resolve, repr=False)
    deadline_seconds: float = _DEADLINE_SECONDS

    def send(self, message: Message) -> None:
        """Send it once.

        Raises:
            InputError: The URL is none, or the body is too large.
            RefusedError: It leads to a private address, redirects, or says that it never wants this.
            ThrottledError: Not now; carries how long to wait.
            UnreachableError: It does not answer in time, or says that it is broken.
        """
        origin = places.origin_of(self.url)
        if origin is None or not self.url.isascii() or any(letter <= " " for letter in self.url):
            raise errors.InputError("The URL of a webhook is none.", remedy="Write https://host/path into the secret.")
        if len(message.body) > MOST_BYTES:
            raise errors.InputError("A message is too large for a webhook.", remedy="Tell less at once.")
        address = self._address(origin)
        try:
            status, wait = self._exchange(origin, address, message)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The library's own words may have the URL in them.
            raise errors.UnreachableError(
                f"The receiver does not answer ({type(error).__name__}).", remedy="Check that it runs and is reached."
            ) from None
        _judge(status, wait)

    def _address(self, origin: places.Origin) -> str:
        """The address to connect to, judged: private only where the configuration itself says so."""
        try:
            ipaddress.ip_address(origin.host)
        except ValueError:
            pass
        else:
            return origin.host
        addresses = self.resolve(origin.host, origin.port)
        if not addresses:
            raise errors.UnreachableError("The receiver's name has no address.", remedy="Check the name.")
        if not self.allow_private and origin.host != "localhost" and not all(map(places.is_public, addresses)):
            raise errors.RefusedError(
                "The receiver's name leads to a private address.",
                remedy="If that is right, set allowPrivate in the Notification.",
            )
        return addresses[0]

    def _exchange(self, origin: places.Origin, address: str, message: Message) -> tuple[int, str]:
        with _connected(origin, address, self.deadline_seconds) as connection:
            client = http.client.HTTPConnection(origin.host, origin.port)
            client.sock = connection
            parts = urlsplit(self.url)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            client.request("POST", path, body=message.body, headers=self._headers(message))
            answer = client.getresponse()
            return answer.status, answer.getheader("Retry-After", "")

    def _headers(self, message: Message) -> dict[str, str]:
        signature = signing.sign(self.keys, message=message.id, timestamp=message.timestamp, body=message.body)
        return {
            "Content-Type": "application/json",
            "Connection": "close",
            "User-Agent": "lockstep",
            "webhook-id": message.id,
            "webhook-timestamp": str(message.timestamp),
            "webhook-signature": signature,
        }


@contextlib.contextmanager
def _connected(origin: places.Origin, address: str, seconds: float) -> Iterator[socket.socket]:
    """A connection to this address, with TLS in the name of the host; it is cut when the time is over."""
    with socket.create_connection((address, origin.port), timeout=min(_CONNECT_SECONDS, seconds)) as plain:
        plain.settimeout(seconds)
        if origin.scheme == "http":
            with _until(plain, seconds):
                yield plain
            return
        trust = ssl.create_default_context()
        secured = trust.wrap_socket(plain, server_hostname=origin.host, do_handshake_on_connect=False)
        with secured, _until(secured, seconds):
            secured.do_handshake()
            yield secured


@contextlib.contextmanager
def _until(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Cut the connection when the time is over, whatever is going on: a server may send a byte a minute."""
    over = threading.Event()

    def cut() -> None:
        over.set()
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if over.is_set():
        # What came until then may look like a whole answer.
        raise TimeoutError


def _judge(status: int, wait: str) -> None:
    """What an answer means ("Operational considerations"): 2xx is success, 410 is never again."""
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise errors.RefusedError(
            f"The receiver leads somewhere else ({status}).", remedy="Write the place itself into the secret."
        )
    if status == 410:
        raise errors.RefusedError("The receiver is gone (410).", remedy="Take it out of the Notification.")
    if status in (429, 502, 503, 504):
        seconds = float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 6 else 0.0
        raise errors.ThrottledError(
            f"The receiver says: not now ({status}).", remedy="Look at its own log.", wait_seconds=seconds
        )
    raise errors.UnreachableError(f"The receiver answered {status}.", remedy="Look at its own log.")
