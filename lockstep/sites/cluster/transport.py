"""Bytes to and from one API server: the one importer of ``urllib3``.

It receives a request as it goes over the line and hands on what came back, whatever it says. It follows no
redirect (credentials go to the server that they are for and nowhere else), reads no more than it is told to, and
no longer.
"""

from __future__ import annotations

import contextlib
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import urllib3
from urllib3 import connection, connectionpool, exceptions
from urllib3.util import url as urls

from lockstep import errors
from lockstep.sites.cluster import sockets
from lockstep.sites.cluster.access import Access
from lockstep.sites.cluster.limits import Limits

_CHUNK = 2**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; ``target`` is path and query, encoded."""

    method: str
    target: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; names of headers are in lower case, one that came twice is joined by ", "."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An answer whose body is still on the line.

    ``pieces`` are the body as it comes, ``packed`` the same before it is unpacked; ``cut`` ends it at once, from any
    thread.
    """

    answer: Answer
    pieces: Iterator[bytes]
    packed: Iterator[bytes]
    cut: Callable[[], None]


class CutError(errors.UnreachableError):
    """The line was cut, or nobody was there: the same request may be sent again at once."""


class TooLargeError(errors.UnsupportedError):
    """The answer is larger than anybody wants to read."""


class _Plain(connection.HTTPConnection):
    def _new_conn(self) -> sockets.PlainSocket:
        return sockets.PlainSocket.of(super()._new_conn())


class _Tls(connection.HTTPSConnection):
    def _new_conn(self) -> sockets.PlainSocket:
        return sockets.PlainSocket.of(super()._new_conn())


class _PlainPool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = _Tls

    def _validate_conn(self, conn: Any) -> None:
        """Connect; that whoever answers is believed was said where the kubeconfig was read, once."""
        if conn.is_closed:
            conn.connect()


class Transport:
    """The connections to one server. Safe to share between threads.

    Args:
        access: Where it is, and how it is believed.
        limits: How long and how much.
    """

    def __init__(self, access: Access, limits: Limits) -> None:
        self._access = access
        self._limits = limits
        self._pools = _pools(access, limits)

    def leads_to(self, access: Access) -> bool:
        """Whether these are the connections for another access too: to the same server, in the same way."""
        return self._access.line == access.line

    def send(self, request: Request, *, until: float) -> Answer:
        """Send a request and read the whole answer.

        Args:
            request: The request.
            until: When it must be over, as ``time.monotonic`` tells it.

        Raises:
            CutError: The line was cut, or nobody is there.
            UnreachableError: It took too long, or the server is not the one that it should be.
            TooLargeError: The answer is too large.
        """
        with self.opened(request, until=until) as opened:
            if opened.answer.headers.get("content-encoding", "") != "gzip":
                return replace(opened.answer, body=self._whole(opened.pieces))
            # A server packs into thousands of small pieces: put together first, they are unpacked in one go.
            return replace(opened.answer, body=self._unpacked(self._whole(opened.packed)))

    def _whole(self, pieces: Iterator[bytes]) -> bytes:
        found, size = [], 0
        for piece in pieces:
            found.append(piece)
            size += len(piece)
            if size > self._limits.most_bytes:
                raise self._too_large()
        return b"".join(found)

    def _unpacked(self, packed: bytes) -> bytes:
        """What gzip packed, in as many members as there are (RFC 1952)."""
        found, left = [], self._limits.most_bytes
        while packed:
            member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            try:
                found.append(member.decompress(packed, left + 1))
            except zlib.error as error:
                raise _broken_packing(self._access.server) from error
            left -= len(found[-1])
            if left < 0:
                raise self._too_large()
            if not member.eof:
                raise _broken_packing(self._access.server)
            packed = member.unused_data
        return found[0] if len(found) == 1 else b"".join(found)

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"{self._access.server} answered with more than {self._limits.most_bytes >> 20} MiB.",
            remedy="Ask for less at once.",
        )

    @contextlib.contextmanager
    def opened(self, request: Request, *, until: float, silence_seconds: float = 0.0) -> Iterator[Opened]:
        """Send a request; the answer without its body, and the body in pieces as they come.

        Raises what ``send`` does, while the body is read too.
        """
        silence = silence_seconds or self._limits.silence_seconds
        with sockets.bounded(until, silence_seconds=silence), self._named_errors():
            response = self._pools.urlopen(
                request.method,
                f"{self._access.server}{request.target}",
                body=request.body,
                headers=urllib3.HTTPHeaderDict(request.headers),
                timeout=urllib3.Timeout(connect=self._limits.connect_seconds, read=silence),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
            )
            try:
                headers = {name.lower(): value for name, value in response.headers.items()}
                answer = Answer(status=response.status, headers=headers, body=b"")
                yield Opened(
                    answer=answer,
                    pieces=response.stream(_CHUNK, decode_content=True),
                    packed=iter(lambda: response.read(_CHUNK, decode_content=False), b""),
                    cut=response.shutdown,
                )
            finally:
                if response.closed:
                    response.release_conn()
                else:
                    # What is still on the line belongs to nobody: the connection cannot be used again.
                    response.close()

    def close(self) -> None:
        """Close every connection that nobody uses."""
        self._pools.clear()

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (exceptions.HTTPError, OSError) as error:
            raise _named(error, self._access.server) from error


def _pools(access: Access, limits: Limits) -> urllib3.PoolManager:
    if access.tls is not None:
        access.tls.sslsocket_class = sockets.TlsSocket
    given: dict[str, Any] = {
        # Room for every connection that may be open: one too many would be closed with a warning.
        "maxsize": limits.at_once + limits.most_watches,
        "ssl_context": access.tls,
        **({"server_hostname": access.server_name} if access.server_name else {}),
    }
    if access.proxy:
        proxy = urls.parse_url(access.proxy)
        headers = urllib3.make_headers(proxy_basic_auth=proxy.auth) if proxy.auth else None
        if proxy.scheme == "https":
            given["proxy_ssl_context"] = ssl.create_default_context()
            given["proxy_ssl_context"].sslsocket_class = sockets.TlsSocket
        pools: urllib3.PoolManager = urllib3.ProxyManager(access.proxy, proxy_headers=headers, **given)
    else:
        pools = urllib3.PoolManager(**given)
    pools.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
    return pools


def _named(error: Exception, server: str) -> errors.LockstepError:
    """The error of the tree for what the client says; its own texts name the host, and no credentials."""
    causes = list(_causes(error))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
        said = next(one.verify_message for one in causes if isinstance(one, ssl.SSLCertVerificationError))
        return errors.UnreachableError(
            f"The certificate of {server} is not believed: {said}.",
            remedy="Give its certificate authority in the kubeconfig (certificate-authority-data).",
        )
    if any(_is_timeout(one) for one in causes):
        return errors.UnreachableError(
            f"{server} did not answer in time.", remedy="Look whether the site and the line to it are up."
        )
    if isinstance(error, exceptions.DecodeError):
        return _broken_packing(server)
    strerrors = (one.strerror for one in causes if isinstance(one, OSError) and one.strerror)
    said = next(strerrors, "the connection was cut")
    return CutError(f"{server} cannot be reached: {said}.", remedy="Look whether the site and the line to it are up.")


def _broken_packing(server: str) -> errors.LockstepError:
    return errors.UnreachableError(f"{server} answered with bytes that cannot be unpacked.")


def _is_timeout(error: BaseException) -> bool:
    # urllib3 counts a connection that is refused among those that took too long.
    is_refused = isinstance(error, exceptions.NewConnectionError)
    return isinstance(error, exceptions.TimeoutError | TimeoutError) and not is_refused


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it was made of."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        yield one
        reason = getattr(one, "reason", None)
        waiting += [one.__cause__, one.__context__, reason if isinstance(reason, BaseException) else None]
        waiting += [argument for argument in one.args if isinstance(argument, BaseException)]
