"""How ssh is run: with the key and the host keys that are configured, and nothing else of this machine."""

from __future__ import annotations

import contextlib
import posixpath
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from lockstep.sites.git import memory, relay
from lockstep.sites.line import Pace

# ssh_config(5). Nothing but what is configured: no agent, no other key, no other known host, no forwarding.
_OPTIONS = {
    "BatchMode": "yes",
    "CanonicalizeHostname": "no",
    "CheckHostIP": "no",
    "ClearAllForwardings": "yes",
    "ConnectTimeout": "20",
    "ControlMaster": "no",
    "ControlPath": "none",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "GlobalKnownHostsFile": "/dev/null",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "LogLevel": "ERROR",
    "PermitLocalCommand": "no",
    "ProxyCommand": "none",
    "ServerAliveCountMax": "4",
    "ServerAliveInterval": "15",
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
    "VerifyHostKeyDNS": "no",
}
_PORT = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who we are, and whom we believe; the key is empty when there is none."""

    key: str = field(repr=False)
    known_hosts: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an ssh address says; ``user`` and ``port`` are empty where it does not say."""

    user: str
    host: str
    port: str
    path: str

    @property
    def login(self) -> str:
        """User and host, as ssh takes them."""
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def alias(self) -> str:
        """The name under which the host's key is known (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT")."""
        return self.host if self.port in ("", str(_PORT)) else f"[{self.host}]:{self.port}"


def place_of(location: str) -> Place:
    """An ssh address in either form (git-fetch(1), "GIT URLS")."""
    if not location.startswith("ssh://"):
        login, _, path = location.partition(":")
        user, _, host = login.rpartition("@")
        return Place(user=user, host=host, port="", path=path)
    parts = urlsplit(location)
    path = posixpath.join("/", unquote(parts.path))
    return Place(user=parts.username or "", host=parts.hostname or "", port=str(parts.port or ""), path=path)


@contextlib.contextmanager
def command(place: Place, identity: Identity, *, pace: Pace | None) -> Iterator[str]:
    """The command line that git or we put a host and a command behind, while the block lasts; quoted for a shell."""
    with contextlib.ExitStack() as files:
        options = {
            **_OPTIONS,
            "UserKnownHostsFile": files.enter_context(memory.file(_lines(identity.known_hosts))),
            "IdentityFile": files.enter_context(memory.file(_lines(identity.key))) if identity.key else "none",
            "PreferredAuthentications": "publickey" if identity.key else "none",
        }
        if pace:
            there = relay.Place(host=place.host, port=int(place.port or _PORT))
            port = files.enter_context(relay.opened(there, pace, socks=False))
            # Of two values ssh takes the first: these stand before what git says of the address (ssh_config(5)).
            options |= {"HostName": "127.0.0.1", "Port": str(port), "HostKeyAlias": place.alias}
        words = ["ssh", "-F", "none", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
        yield shlex.join(words)


def _lines(text: str) -> str:
    """With the newline at the end that OpenSSH insists on, and that secrets lose on their way."""
    return text if text.endswith("\n") else text + "\n"
