"""The wire: HTTP/1.1 requests to one server and the hosts that it names. The one module that imports httpx.

Each origin has a pool of connections of its own (one pool for two hosts evicts what the other needs). HTTP/2
is left alone: it puts all streams on one connection, which is slower on every long line. Nothing of httpx's
client is used above the transport: no cookies, no ``.netrc``, no redirects, no proxies but the one that is given.
"""

from __future__ import annotations

import base64
import contextlib
import ssl
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from lockstep import errors
from lockstep.sites.http.places import Origin, Target

# Origins that are remembered; a server has itself, perhaps its tokens and its storage.
_MOST_ORIGINS = 16
_CHUNK = 2**19
# What is left of a body is read rather than a connection made anew.
_SHORT = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server may take, and how much is asked of it at once. Seconds and bytes."""

    connect_seconds: float = 10.0
    """Until a connection stands."""
    silence_seconds: float = 60.0
    """Between two signs of life."""
    commit_seconds: float = 600.0
    """For the answer to an upload that ended: some registries move the whole blob before they give it."""
    queue_seconds: float = 600.0
    """For a connection to become free."""
    connections: int = 16
    """Connections to one host."""
    slow_bytes: int = 1000
    """A body that comes slower than this each second..."""
    slow_seconds: float = 60.0
    """... for this long is given up."""
    tries: int = 3
    """How often a question is asked that can be asked again."""
    pause_seconds: float = 0.5
    """Before the second try; doubled each time."""
    most_pause_seconds: float = 20.0
    """A server that asks us to wait longer is left to a later run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """What stands between us and all servers: its URL, and who we are there (nobody, when ``username`` is empty)."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: ``body`` is bytes, or an iterator of which ``size`` bytes will be sent.

    ``commits`` says that the answer may take the time of a commit.
    """

    method: str
    target: Target
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    size: int = 0
    commits: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, in every form in which the other side could repeat it."""
        sent = self.headers.get("Authorization", "").partition(" ")[2]
        decoded = ""
        with contextlib.suppress(ValueError):
            decoded = base64.b64decode(sent, validate=True).decode().partition(":")[2]
        return tuple(secret for secret in (sent, decoded) if secret)


class Answer:
    """What came back: the status, the headers, and a body that is read once, within bounds."""

    def __init__(self, response: httpx.Response, call: Call, patience: Patience) -> None:
        self._response = response
        self._call = call
        self._patience = patience
        self.status = response.status_code
        self.url = call.target.url
        self.secrets = call.secrets

    def header(self, name: str) -> str:
        """A header's value; empty when there is none."""
        value: str = self._response.headers.get(name, "")
        return value

    def headers(self, name: str) -> list[str]:
        """All values of a header."""
        return self._response.headers.get_list(name)

    def read(self, most: int) -> bytes:
        """The whole body.

        Raises:
            UnreachableError: It was cut, or came too slowly.
            IntegrityError: It is larger than ``most`` bytes.
        """
        parts, size = [], 0
        for chunk in self.chunks():
            size += len(chunk)
            if size > most:
                raise errors.IntegrityError(
                    f"{self._call.target.origin} answers with more than {most} bytes where so many are never needed.",
                    remedy="Find out who answers there.",
                )
            parts.append(chunk)
        return b"".join(parts)

    def glimpse(self, most: int = 4096) -> bytes:
        """The beginning of the body, for a message; empty when it cannot be read."""
        with contextlib.suppress(errors.LockstepError):
            return next(self.chunks(), b"")[:most]
        return b""

    def chunks(self) -> Iterator[bytes]:
        """The body in chunks of about half a MiB, as it was sent.

        Raises:
            UnreachableError: It was cut, or came too slowly.
        """
        began, size = time.monotonic(), 0
        waiting: list[bytes] = []
        held = 0
        broken: errors.UnreachableError | None = None
        try:
            with _typed(self._call):
                for part in self._response.iter_raw():
                    size += len(part)
                    held += len(part)
                    waiting.append(part)
                    self._require_speed(size, time.monotonic() - began)
                    if held >= _CHUNK:
                        yield b"".join(waiting)
                        waiting, held = [], 0
        except errors.UnreachableError as error:
            broken = error  # what came before counts: a reading goes on after it
        if held:
            yield b"".join(waiting)
        if broken is not None:
            raise broken

    def close(self) -> None:
        """Give the connection back; it is closed when much of the body is left.

        A connection is used again only after an answer was read to its end, also where the end comes at once.
        """
        size = self.header("Content-Length")
        short = self._call.method == "HEAD" or self.status == 204 or (size.isdecimal() and int(size) <= _SHORT)
        if short and not self._response.is_stream_consumed:
            with contextlib.suppress(errors.UnreachableError), _typed(self._call):
                for _ in self._response.iter_raw():
                    pass
        self._response.close()

    def _require_speed(self, size: int, seconds: float) -> None:
        if seconds > self._patience.slow_seconds and size < seconds * self._patience.slow_bytes:
            raise errors.UnreachableError(
                f"{self._call.target.origin} sends {size} bytes in {seconds:.0f} seconds, which is no answer.",
                remedy="Check the line and the server.",
            )


class Wire:
    """Connections to a server and the hosts that it names. Safe to share between threads.

    Args:
        ca: Certificate authorities, PEM; the system's when empty.
        patience: Its bounds.
        proxy: What every request goes through; straight without.
    """

    def __init__(self, *, ca: str = "", patience: Patience | None = None, proxy: Proxy | None = None) -> None:
        self.patience = patience or Patience()
        self._ca = ca
        self._proxy = proxy
        self._lock = threading.Lock()
        self._pools: dict[Origin, httpx.HTTPTransport] = {}
        self._trust: ssl.SSLContext | None = None
        weakref.finalize(self, _close, self._pools)

    @contextlib.contextmanager
    def send(self, call: Call) -> Iterator[Answer]:
        """Send a request; the answer's body may be read while the block lasts.

        Raises:
            UnreachableError: Nobody answers, or not as HTTP.
            LockstepError: What the request's body raises.
        """
        request = self._request(call)
        with _typed(call, via=f" through the proxy {self._proxy.url}" if self._proxy else ""):
            response = self._pool(call.target.origin).handle_request(request)
        answer = Answer(response, call, self.patience)
        try:
            yield answer
        finally:
            answer.close()

    def _request(self, call: Call) -> httpx.Request:
        bounds = self.patience
        headers = dict(call.headers)
        if not isinstance(call.body, bytes):
            headers["Content-Length"] = str(call.size)
        elif call.body or call.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(call.body))
        extensions: dict[str, object] = {
            "timeout": {
                "connect": bounds.connect_seconds,
                "read": bounds.commit_seconds if call.commits else bounds.silence_seconds,
                "write": bounds.silence_seconds,
                "pool": bounds.queue_seconds,
            }
        }
        url = httpx.URL(call.target.url)
        if call.target.address:
            # The address that was judged, not one that the name might have by now; the name stays for TLS and Host.
            headers["Host"] = urlsplit(call.target.url).netloc
            extensions["sni_hostname"] = call.target.origin.host
            url = url.copy_with(host=call.target.address)
        return httpx.Request(call.method, url, headers=headers, content=call.body, extensions=extensions)

    def _pool(self, origin: Origin) -> httpx.HTTPTransport:
        with self._lock:
            if origin not in self._pools:
                if len(self._pools) >= _MOST_ORIGINS:
                    # Whoever is still using it keeps it until then; nothing new is begun there.
                    self._pools.pop(next(iter(self._pools)))
                self._pools[origin] = self._open(origin)
            return self._pools[origin]

    def _open(self, origin: Origin) -> httpx.HTTPTransport:
        count = self.patience.connections
        limits = httpx.Limits(max_connections=count, max_keepalive_connections=count, keepalive_expiry=30.0)
        verify: ssl.SSLContext | bool = self._context() if origin.scheme == "https" else False
        proxy = self._through() if self._proxy else None
        return httpx.HTTPTransport(verify=verify, http1=True, http2=False, limits=limits, trust_env=False, proxy=proxy)

    def _through(self) -> httpx.Proxy:
        assert self._proxy is not None  # noqa: S101 - asked for only where there is one
        auth = (self._proxy.username, self._proxy.password) if self._proxy.username else None
        trust = self._context() if self._proxy.url.startswith("https") else None
        return httpx.Proxy(self._proxy.url, auth=auth, ssl_context=trust)

    def _context(self) -> ssl.SSLContext:
        if self._trust is None:
            try:
                self._trust = ssl.create_default_context(cadata=self._ca or None)
            except (ssl.SSLError, ValueError) as error:
                raise errors.InputError(
                    "The certificate authorities of a server cannot be read.", remedy="Give them as PEM."
                ) from error
        return self._trust


def _close(pools: Mapping[Origin, httpx.HTTPTransport]) -> None:
    """Close the connections of a wire that nobody holds any longer."""
    for pool in pools.values():
        pool.close()


@contextlib.contextmanager
def _typed(call: Call, *, via: str = "") -> Iterator[None]:
    """Let the errors of the connection come out as those of the house; no query, which may hold a signature."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        kind = type(error).__name__
        said = str(error).partition("http")[0][:200].strip()
        raise errors.UnreachableError(
            f"{call.target.origin} does not answer {call.method}{via}: {said or kind} ({kind}).",
            remedy=f"Check that it runs and that this machine reaches it{via}.",
        ) from error
