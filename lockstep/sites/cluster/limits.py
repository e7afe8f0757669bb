"""How long and how much a call to an API server may take."""

from __future__ import annotations

from dataclasses import dataclass

from lockstep.topology import kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one site's calls; each has a default that suits a site at the end of a slow line."""

    connect_seconds: float = 5.0
    """A connection, with its TLS handshake, stands after this or is given up."""
    silence_seconds: float = 30.0
    """A server that says nothing for this long is given up."""
    call_seconds: float = 60.0
    """One call, with all its tries and waits, takes no longer than this."""
    read_seconds: float = 300.0
    """Reading a whole selection takes no longer than this; what was not read by then is a gap."""
    at_once: int = 16
    """Calls to the site at the same time; its connections are kept for the next ones."""
    requests_per_second: int | None = None
    """Requests that begin in a second, tries and watches among them; None lets the server set the pace."""
    tries: int = 5
    """How often one call is tried when the line is cut or the server is busy or broken."""
    page: int = 500
    """Objects of one page of a list, as ``kubectl`` asks for."""
    most_bytes: int = 128 * 2**20
    """An answer that is larger is not read to its end."""
    most_objects: int = 250_000
    """A list that is longer is not walked to its end."""
    watch_seconds: float = 60.0
    """A watch is asked to last this long, and then asked for again; its end is a sign of life."""
    stale_seconds: float = 150.0
    """A watch that has not spoken for this long is stale, and everything that it was about unknown."""
    relist_seconds: float = 60.0
    """What cannot be watched is listed this often, and what is served is asked again."""
    most_watches: int = 400
    """Kinds and namespaces that are watched at the same time; each has a connection and a thread."""

    @classmethod
    def of(cls, given: kinds.ClusterLimits | None) -> Limits:
        """The bounds that a site's configuration gives; its defaults are these too."""
        if given is None:
            return cls()
        seconds = given.timeout.total_seconds()
        return cls(
            at_once=given.connections,
            requests_per_second=given.requests_per_second,
            call_seconds=seconds,
            silence_seconds=seconds / 2,
            read_seconds=given.read_timeout.total_seconds(),
            page=given.page,
            most_watches=given.watches,
        )
