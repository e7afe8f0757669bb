"""Where a server may send us: the hosts of ``Location``, ``Link`` and the like, judged before we go there.

A registry names other places freely: the store of its layers, the server of its tokens, the next page; so does a
server of large files. Each is a request that somebody else chose and that we send from inside the network, so
(distribution specification 1.1, "Redirects", and the practice of its large clients):

- credentials go to the server's own origin and nowhere else;
- from https nobody is led to http;
- an address that is private, of this machine or of its links is refused on every other host, unless the site
  trusts that host by name. The address that was judged is the one that is connected to. Behind a proxy names are
  the proxy's to look up and to refuse: there only addresses and names of this machine are judged.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from lockstep import errors

_PORTS = {"http": 80, "https": 443}
# A signed address of a cloud's storage has about two thousand characters.
_LONGEST_URL = 16_384
_UNFIT = re.compile(r"[\x00-\x20\x7f-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Scheme, host and port (RFC 6454)."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL and in ``Host``, without the port that the scheme has anyway."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.has_usual_port else f"{host}:{self.port}"

    @property
    def has_usual_port(self) -> bool:
        """Whether it is at the port of its scheme."""
        return self.port == _PORTS[self.scheme]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place that we may go to: ``address`` is what to connect to instead of asking for the host's name again."""

    url: str
    origin: Origin
    address: str = ""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, in the system's order.

    Raises:
        UnreachableError: It has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise errors.UnreachableError(
            f"The name {host} has no address.", remedy="Check the name, and the name servers of this machine."
        ) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Judges where one server sends us: ``home`` is its own origin.

    ``trusted`` are hosts, with a port or without, that the site trusts although their addresses are private;
    ``proxied`` says that a proxy connects to them.
    """

    home: Origin
    trusted: Collection[str] = ()
    proxied: bool = False
    resolve: Callable[[str, int], Sequence[str]] = field(default=resolve)

    def judge(self, said: str, *, at: str) -> Target:
        """The place that the server named, absolute or relative to the URL ``at`` that it answered.

        Raises:
            RefusedError: We do not go there.
            UnreachableError: The host has no address.
        """
        url = _joined(at, said)
        origin = origin_of(url)
        if origin is None or _UNFIT.search(url):
            raise self._refused("something that is no URL")
        if origin == self.home:
            return Target(url=url, origin=origin)
        if self._is_own_in_the_clear(origin):
            # A proxy ends TLS in front of a server that does not know it: the same place, written wrong.
            return Target(url=f"{self.home}{_path(url)}", origin=self.home)
        if self._is_trusted(origin):
            return Target(url=url, origin=origin)
        if self.home.scheme == "https" and origin.scheme == "http":
            raise self._refused(f"{origin}, where everybody can listen")
        addresses = self._addresses(origin)
        if addresses is None:
            return Target(url=url, origin=origin)
        private = [address for address in addresses if not is_public(address)]
        if private or not addresses:
            raise self._refused(f"{origin}, which is at the private address {', '.join(private) or '(none)'}")
        return Target(url=url, origin=origin, address=addresses[0])

    def is_home(self, said: str, *, at: str) -> bool:
        """Whether the place that the server named, as ``judge`` understands it, is the server itself."""
        origin = origin_of(_joined(at, said))
        return origin is not None and (origin == self.home or self._is_own_in_the_clear(origin))

    def _addresses(self, origin: Origin) -> Sequence[str] | None:
        """The addresses to judge a host by; None when only the proxy knows them."""
        if not self.proxied:
            return self.resolve(origin.host, origin.port)
        if origin.host == "localhost" or origin.host.endswith(".localhost"):
            return ["127.0.0.1"]
        try:
            return [str(ipaddress.ip_address(origin.host))]
        except ValueError:
            return None

    def _is_own_in_the_clear(self, origin: Origin) -> bool:
        return (self.home.scheme, origin.scheme, origin.host) == ("https", "http", self.home.host)

    def _is_trusted(self, origin: Origin) -> bool:
        return origin.host in self.trusted or f"{origin.host}:{origin.port}" in self.trusted

    def _refused(self, where: str) -> errors.RefusedError:
        return errors.RefusedError(
            f"{self.home} sends us to {where}.",
            remedy="If that is right, name the host in `trusts` of that end.",
        )


def origin_of(url: str) -> Origin | None:
    """The origin of an http or https URL without a user; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
        return None
    return Origin(scheme=parts.scheme, host=host, port=port or _PORTS[parts.scheme])


def _joined(at: str, said: str) -> str:
    """An address as it is meant where it was said; empty for what is none."""
    if len(said) > _LONGEST_URL:
        return ""
    try:
        return urljoin(at, said)
    except ValueError:  # such as a bracket that is not closed
        return ""


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def is_public(address: str) -> bool:
    """Whether everybody may be at this address: it is neither private nor of this machine, its links or a group."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not (mapped or found).is_multicast
