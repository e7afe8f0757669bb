"""Which names of this service a request may use. Pure.

A stranger's page can have its own name point at this machine (DNS rebinding) and then read, as its own, what
asks for no session. It cannot choose an address in the place of a name, so addresses are always ours.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

# RFC 3986, 3.2.2: an address of IPv6 stands in brackets.
_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\](?::\d*)?")


def is_ours(header: str, names: Collection[str]) -> bool:
    """Whether a ``Host`` header (RFC 9110, 7.2) names us.

    Args:
        header: The header as it came, with or without a port.
        names: Our names, in lower case; any name is ours when there are none.
    """
    host = _without_port(header.strip().lower()).rstrip(".")
    return not names or host in names or _is_address(host)


def of_listening(host: str, names: Collection[str]) -> tuple[str, ...]:
    """The names that a service has which listens on ``host``: those it was given, and ``localhost``.

    Nothing when it was given none and listens for others: then nobody can say by which names they come.
    """
    if not names and not (host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)):
        return ()
    return ("localhost", *(name.lower().rstrip(".") for name in names))


def _without_port(host: str) -> str:
    if bracketed := _BRACKETED.fullmatch(host):
        return bracketed[1]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and ":" not in name else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
