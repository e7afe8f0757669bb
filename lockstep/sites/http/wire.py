"""The wire: HTTP/1.1 requests to one server and the hosts that it names, by httpx.

Each origin has connections of its own (a pool for two hosts evicts what the other needs). HTTP/2 is left alone: it
puts all streams on one connection, which is slower on every long line. Nothing of httpx's client is used above the
transport: no cookies, no ``.netrc``, no redirects, no proxies but the one that is given.
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
from urllib.parse import quote, urlsplit

import httpx

from lockstep import errors
from lockstep.sites.http import distrust, encodings
from lockstep.sites.http.connections import Connections, Proxy
from lockstep.sites.http.places import Origin, Target

__all__ = ["Answer", "Call", "Patience", "Proxy", "Wire"]

# Origins that are remembered; a server has itself, perhaps its tokens and its storage.
_MOST_ORIGINS = 16
_CHUNK = 2**19
# What is left of a body is read rather than a connection made anew.
_SHORT = 2**16
# What may stand in a path and query as it is (RFC 3986, 2.2), and what is written in that way already.
_AS_IT_IS = "%:/?#[]@!$&'()*+,;="


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
    answer_seconds: float = 600.0
    """For the head of an answer, and for a whole one that is kept: a manifest, a list, a token, and never a layer."""
    drain_seconds: float = 1.0
    """For the rest of an answer that nobody wants: a new connection costs less than waiting for longer."""
    tries: int = 3
    """How often a question is asked that can be asked again."""
    pause_seconds: float = 0.5
    """Before the second try; doubled each time."""
    most_pause_seconds: float = 20.0
    """A server that asks us to wait longer is left to a later run."""


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

    def __init__(self, response: httpx.Response, call: Call, patience: Patience, *, times: dict[str, float]) -> None:
        self._response = response
        self._call = call
        self._patience = patience
        self._times = times
        self.status = response.status_code
        self.url = call.target.url

    @property
    def method(self) -> str:
        """How it was asked."""
        return self._call.method

    @property
    def shown(self) -> str:
        """As whom it was asked: ``Basic``, ``Bearer``, or empty for nobody."""
        return self._call.headers.get("Authorization", "").partition(" ")[0]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown of the question."""
        return self._call.secrets

    def header(self, name: str) -> str:
        """A header's value; empty when there is none."""
        value: str = self._response.headers.get(name, "")
        return value

    def headers(self, name: str) -> list[str]:
        """All values of a header."""
        return self._response.headers.get_list(name)

    def read(self, most: int) -> bytes:
        """The whole body, unpacked where it was packed.

        Raises:
            UnreachableError: It was cut, or came too slowly.
            IntegrityError: It is larger than ``most`` bytes, or packed in a way that nobody asked for.
        """
        parts, size = [], 0
        for chunk in self._unpacked(self._chunks(until=time.monotonic() + self._patience.answer_seconds)):
            size += len(chunk)
            if size > most:
                raise errors.IntegrityError(
                    f"{self._call.target.origin} answers with more than {most} bytes where so many are never needed.",
                    remedy="Find out who answers there.",
                )
            parts.append(chunk)
        return b"".join(parts)

    def glimpse(self, most: int = 4096) -> bytes:
        """The beginning of the body, for a message; empty when it cannot be read. It is not waited for longer."""
        until = time.monotonic() + self._patience.silence_seconds
        with contextlib.suppress(errors.LockstepError):
            return next(self._unpacked(self._chunks(until=until, least=most)), b"")[:most]
        return b""

    def _unpacked(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        return encodings.decoded(chunks, self.header("Content-Encoding"), where=str(self._call.target.origin))

    def chunks(self) -> Iterator[bytes]:
        """The body in chunks of about half a MiB, as it was sent.

        Raises:
            UnreachableError: It was cut, or came too slowly.
        """
        return self._chunks(until=float("inf"))

    def _chunks(self, *, until: float, least: int = _CHUNK) -> Iterator[bytes]:
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
                    self._require_speed(size, began=began, until=until)
                    if held >= least:
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
            self._drain()
        self._response.close()

    def _drain(self) -> None:
        seconds = self._patience.drain_seconds
        until = time.monotonic() + seconds
        with contextlib.suppress(errors.UnreachableError), _typed(self._call):
            self._times["read"] = seconds  # the transport looks at it when a body is begun
            for _ in self._response.iter_raw():
                if time.monotonic() > until:
                    return

    def _require_speed(self, size: int, *, began: float, until: float) -> None:
        now = time.monotonic()
        seconds = now - began
        if now > until or (seconds > self._patience.slow_seconds and size < seconds * self._patience.slow_bytes):
            raise errors.UnreachableError(
                f"{self._call.target.origin} sends {size} bytes in {seconds:.0f} seconds, which is no answer.",
                remedy="Check the line and the server.",
            )


class Wire:
    """Connections to a server and the hosts that it names. Safe to share between threads.

    Args:
        ca: Certificate authorities, PEM; the system's when empty.
        ca_from: Where these are kept, as a person would name it; for messages.
        patience: Its bounds.
        proxy: What every request goes through; straight without.
    """

    def __init__(
        self, *, ca: str = "", ca_from: str = "", patience: Patience | None = None, proxy: Proxy | None = None
    ) -> None:
        self.patience = patience or Patience()
        self._ca = ca
        self._ca_from = ca_from or "what is given"
        self._proxy = proxy
        self._lock = threading.Lock()
        self._pools: dict[Origin, Connections] = {}
        self._urls: dict[tuple[Origin, str], httpx.URL] = {}
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
        answer = Answer(response, call, self.patience, times=request.extensions["timeout"])
        try:
            yield answer
        finally:
            answer.close()

    def _request(self, call: Call) -> httpx.Request:
        bounds, origin = self.patience, call.target.origin
        parts = urlsplit(call.target.url)
        headers = {"Host": origin.authority, "Accept-Encoding": "identity", **call.headers}
        if not isinstance(call.body, bytes):
            headers["Content-Length"] = str(call.size)
        elif call.body or call.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(call.body))
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_AS_IT_IS)
        extensions: dict[str, object] = {
            "target": target.encode(),
            "timeout": {
                "connect": bounds.connect_seconds,
                "read": bounds.commit_seconds if call.commits else bounds.silence_seconds,
                "head": max(bounds.answer_seconds, bounds.commit_seconds if call.commits else 0.0),
                "write": bounds.silence_seconds,
                "pool": bounds.queue_seconds,
            },
        }
        if call.target.address:
            # The address that was judged, not one that the name might have by now; the name stays for TLS and Host.
            headers["Host"] = parts.netloc
            extensions["sni_hostname"] = origin.host
        url = self._url(origin, call.target.address or origin.host)
        return httpx.Request(call.method, url, headers=headers, content=call.body, extensions=extensions)

    def _url(self, origin: Origin, address: str) -> httpx.URL:
        """Where to connect to. httpx reads a URL letter by letter, so it reads this one once and never the target."""
        found = self._urls.get((origin, address))
        if found is None:
            if len(self._urls) >= _MOST_ORIGINS:
                self._urls.clear()
            found = httpx.URL(scheme=origin.scheme, host=address, port=origin.port, path="/")
            self._urls[origin, address] = found
        return found

    def _pool(self, origin: Origin) -> Connections:
        with self._lock:
            found = self._pools.get(origin)
            if found is None:
                if len(self._pools) >= _MOST_ORIGINS:
                    # Whoever is still using it keeps it until then; nothing new is begun there.
                    self._pools.pop(next(iter(self._pools))).close()
                found = self._pools[origin] = self._open(origin)
            return found

    def _open(self, origin: Origin) -> Connections:
        tls = origin.scheme == "https" or (self._proxy is not None and self._proxy.url.startswith("https"))
        trust = self._context() if tls else None
        return Connections(origin, most=self.patience.connections, trust=trust, proxy=self._proxy)

    def _context(self) -> ssl.SSLContext:
        if self._trust is None:
            try:
                self._trust = ssl.create_default_context(cadata=self._ca or None)
            except (ssl.SSLError, ValueError) as error:
                raise errors.InputError(
                    f"No certificate authorities can be read from {self._ca_from}.", remedy="Give them as PEM."
                ) from error
        return self._trust


def _close(pools: Mapping[Origin, Connections]) -> None:
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
        raise distrust.of(f"{call.target.origin}{via}", said) or errors.UnreachableError(
            f"{call.target.origin} does not answer {call.method}{via}: {said or kind} ({kind}).",
            remedy=f"Check that it runs and that this machine reaches it{via}.",
        ) from error
