"""Connections to one host: HTTP/1.1, kept and used again. The one module that imports httpcore.

This is a transport of httpx (its "Custom transports") with a pool of its own. httpcore, which is what httpx sends with,
sends and reads one request on one connection, and does TLS and proxies. Its pool is left out, because a mirror asks
thousands of small questions, and that pool looks at every connection that it has twice for each of them.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import httpcore
import httpx

from lockstep.sites.http.places import Origin

# Servers close a connection that is idle for a minute or so; one that is younger is sooner there than a new one.
_IDLE_SECONDS = 30.0
# A body that comes faster than it is read is read in larger pieces, each of which costs the same.
_MOST_READ = 2**19
# So much of what is written waits for more: the head of a request and a small body make one packet.
_PACKET_BYTES = 2**16
# The narrow ones first: httpx names its errors as httpcore does.
_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.NetworkError: httpx.NetworkError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ProtocolError: httpx.ProtocolError,
}


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except tuple(_ERRORS) as error:
        kind = next(kind for kind in _ERRORS if isinstance(error, kind))
        raise _ERRORS[kind](str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """What stands between us and all servers: its URL, and who we are there (nobody, when ``username`` is empty)."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)


class _Body(httpx.SyncByteStream):
    """The body of an answer, as it comes; its end gives the connection back."""

    def __init__(self, response: httpcore.Response, *, done: Callable[[], None]) -> None:
        self._response = response
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._response.iter_stream()

    def close(self) -> None:
        try:
            self._response.close()
        finally:
            self._done()


class Connections(httpx.BaseTransport):
    """At most so many connections to one host, the last used first. Safe to share between threads.

    Args:
        origin: The host.
        most: How many.
        trust: Whose certificates are believed; for https, or a proxy that is spoken to by it.
        proxy: What every request goes through; straight without.
    """

    def __init__(self, origin: Origin, *, most: int, trust: ssl.SSLContext | None, proxy: Proxy | None = None) -> None:
        self._origin = origin
        self._most = most
        self._trust = trust
        self._proxy = _proxied(proxy, trust) if proxy else None
        self._free = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        # A server may have several addresses; the first are those that were idle for longest.
        self._idle: list[tuple[httpcore.ConnectionInterface, str, float]] = []
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and give the answer as soon as its head is there. It has to be closed.

        Extensions of httpx that count: ``target``, ``sni_hostname``, and ``timeout``, with ``head`` in it for the whole
        head of the answer (as long as it takes by default). Its ``read`` is looked at again when a body is begun.

        Raises:
            TransportError: The other side does not keep to the protocol, or is not there.
            Exception: What the request's body raises.
        """
        times = request.extensions["timeout"]
        if not self._free.acquire(timeout=times["pool"]):
            raise httpx.PoolTimeout("all connections are in use")
        address, connection = request.url.host, None
        try:
            connection = self._take(address) or self._opened(address)
            with _as_httpx(), _head_within(times.get("head", float("inf"))):
                response = connection.handle_request(self._as_sent(request))
        except BaseException:
            if connection is not None:
                connection.close()
            self._free.release()
            raise
        body = _Body(response, done=lambda: self._give_back(connection, address))
        return httpx.Response(response.status, headers=response.headers, stream=body)

    def close(self) -> None:
        """Close what is idle now, and what is given back from now on."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection, _, _ in idle:
            connection.close()

    def _take(self, address: str) -> httpcore.ConnectionInterface | None:
        """An idle connection to an address that the other side keeps open."""
        while True:
            with self._lock:
                place = next((at for at in reversed(range(len(self._idle))) if self._idle[at][1] == address), None)
                if place is None:
                    return None
                connection, _, _ = self._idle.pop(place)
            if connection.is_available() and not connection.has_expired():
                return connection
            connection.close()

    def _give_back(self, connection: httpcore.ConnectionInterface, address: str) -> None:
        now = time.monotonic()
        ended = []
        with self._lock:
            if connection.is_available() and not self._closed:
                self._idle.append((connection, address, now))
            else:
                ended.append(connection)
            # Those of addresses that are not asked for any longer, and those that a rush left behind.
            while self._idle and (now - self._idle[0][2] > _IDLE_SECONDS or len(self._idle) > self._most):
                ended.append(self._idle.pop(0)[0])
        try:
            for one in ended:
                one.close()
        finally:
            self._free.release()

    def _opened(self, address: str) -> httpcore.ConnectionInterface:
        origin = httpcore.Origin(self._origin.scheme.encode(), address.encode(), self._origin.port)
        if self._proxy is not None:
            return self._proxy.create_connection(origin)
        return httpcore.HTTPConnection(origin, ssl_context=self._trust, network_backend=_BACKEND)

    def _as_sent(self, request: httpx.Request) -> httpcore.Request:
        # The target is said once: as an extension it would also replace that of what is said to a proxy.
        extensions = {name: value for name, value in request.extensions.items() if name != "target"}
        url = httpcore.URL(
            scheme=self._origin.scheme.encode(),
            host=request.url.raw_host,
            port=request.url.port,
            target=request.extensions.get("target", request.url.raw_path),
        )
        return httpcore.Request(
            request.method.encode(),
            url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=extensions,
        )


class _Head(threading.local):
    """What is left for the head of the answer that this thread waits for."""

    seconds: float = float("inf")
    until: float | None = None


_head = _Head()


@contextlib.contextmanager
def _head_within(seconds: float) -> Iterator[None]:
    """Let the head of an answer take so long, from when it is begun to be read: each of its bytes is a sign of life."""
    _head.seconds, _head.until = seconds, None
    try:
        yield
    finally:
        _head.seconds, _head.until = float("inf"), None


def _left(timeout: float | None) -> float | None:
    """How long may be waited for the next bytes. Raises ReadTimeout."""
    if _head.seconds == float("inf"):
        return timeout
    now = time.monotonic()
    if _head.until is None:
        _head.until = now + _head.seconds
    left = _head.until - now
    if left <= 0:
        raise httpcore.ReadTimeout("the head of its answer has no end")
    return left if timeout is None else min(timeout, left)


class _Packed(httpcore.NetworkStream):
    """A stream on which little that is written goes out together, at the latest when an answer is read.

    It reads as much at once as seems to be there.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._waiting = b""
        self._seems = 0

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if len(self._waiting) + len(buffer) <= _PACKET_BYTES:
            self._waiting += buffer
            return
        self._flush(timeout)
        # A view: what is left of a large piece after a part of it went out is not copied again and again.
        self._stream.write(memoryview(buffer), timeout)  # type: ignore[arg-type]  # it is cut and sent like bytes

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # Who closes before all was sent may have answered: that answer counts (so does httpcore).
        with contextlib.suppress(httpcore.WriteError):
            self._flush(timeout)
        most = max(max_bytes, self._seems)
        found = self._stream.read(most, _left(timeout))
        self._seems = min(_MOST_READ, 2 * most) if len(found) == most else len(found)
        return found

    def close(self) -> None:
        self._waiting = b""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Packed(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)

    def _flush(self, timeout: float | None) -> None:
        waiting, self._waiting = self._waiting, b""
        self._stream.write(waiting, timeout)


class _Backend(httpcore.NetworkBackend):
    """Connects by TCP, to streams that are packed."""

    def __init__(self) -> None:
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _Packed(self._plain.connect_tcp(host, port, timeout, local_address, socket_options))


_BACKEND = _Backend()


def _proxied(proxy: Proxy, trust: ssl.SSLContext | None) -> httpcore.HTTPProxy:
    """What makes connections through a proxy: forwarded to http, by a tunnel to https (RFC 9110, 9.3.6)."""
    return httpcore.HTTPProxy(
        proxy.url,
        proxy_auth=(proxy.username, proxy.password) if proxy.username else None,
        ssl_context=trust,
        proxy_ssl_context=trust if proxy.url.startswith("https") else None,
        network_backend=_BACKEND,
    )
