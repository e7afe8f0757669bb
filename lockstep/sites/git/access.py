"""How git is allowed in, and the environment that it runs in.

Nothing of the machine's own git, ssh or shell configuration is used. Secrets reach git through its environment
or through files in memory that nobody but this process and its children can open, and that are gone when it
is, however it ends: never through an argument, a URL or a disk.
"""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lockstep.sites.git import faults, memory, relay, ssh
from lockstep.sites.line import Pace

# What git runs with, always. GIT_CONFIG_* (git-config(1), "ENVIRONMENT"), the others from git(1).
_HARDENED = {
    "GIT_ASKPASS": "/bin/false",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_DEFAULT_REF_FORMAT": "files",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",  # what a partial clone lacks is missing: nobody is asked whom its configuration names
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": "/nonexistent",  # curl would read ~/.netrc
    "LC_ALL": "C",
    "SSH_ASKPASS": "/bin/false",
    "SSH_ASKPASS_REQUIRE": "never",
}
_CONFIG = {
    "core.fsmonitor": "false",
    # Larger files are read as streams and never compared with others, so that none of them has to fit into memory.
    "core.bigFileThreshold": "64m",
    "core.hooksPath": "/dev/null",
    # Packs are looked at through windows of this size: else the bound of the memory would count the whole pack.
    "core.packedGitLimit": "1g",
    "core.packedGitWindowSize": "32m",
    "credential.helper": "",
    **{f"fetch.fsck.{fault}": "warn" for fault in faults.HARMLESS},
    "gc.auto": "0",
    "http.followRedirects": "false",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "protocol.version": "2",
    "push.followTags": "false",
    "push.gpgSign": "false",
    "submodule.recurse": "false",
    "transfer.fsckObjects": "true",
}
# What a repository on disk runs with at its own end of a push, where our configuration does not reach: the
# housekeeping after a push ends before the push does, so that it dies with us and not in the middle, alone.
_LOCAL_CONFIG = "[gc]\n\tautoDetach = false\n[maintenance]\n\tautoDetach = false\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Credentials of one end, as text; empty when there is none. None of it is ever shown."""

    username: str = "git"
    """User for http and https."""
    password: str = field(default="", repr=False)
    """Password or token for http and https."""
    ssh_key: str = field(default="", repr=False)
    """Private key for ssh."""
    known_hosts: str = field(default="", repr=False)
    """Host keys that are believed, as in ssh's ``known_hosts``."""
    ca: str = field(default="", repr=False)
    """Certificate authorities for https, PEM; the system's when empty."""

    @property
    def basic(self) -> str:
        """User and password as http sends them (RFC 7617)."""
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, in every form in which git could repeat it."""
        return (self.password, self.basic) if self.password else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an end may take, and how much it may send."""

    ask_seconds: float = 60.0
    """For listing refs."""
    transfer_seconds: float = 6 * 3600.0
    """For one fetch or push: a large repository over a slow line takes its time, and cannot be fetched in parts."""
    slow_bytes: int = 1000
    """An http transfer that moves fewer bytes each second than this..."""
    slow_seconds: int = 60
    """... for this long is given up."""
    most_pack_bytes: int = 64 * 2**30
    """Largest pack that one fetch may write."""
    most_memory_bytes: int = 8 * 2**30
    """Most that git may take to unpack what was fetched: a few bytes can say that they are gigabytes."""
    most_list_bytes: int = 256 * 2**20
    """Longest list of refs: four million of them."""


def base_environment() -> dict[str, str]:
    """What every git command runs with. It may talk to nobody: that needs ``environment``."""
    return {
        **_HARDENED,
        "PATH": os.pathsep.join(os.get_exec_path()),
        "GIT_ALLOW_PROTOCOL": "",
        **_as_variables(_CONFIG),
    }


@contextlib.contextmanager
def environment(
    location: str, *, access: Access, patience: Patience, trusted: tuple[str, ...] = (), pace: Pace | None = None
) -> Iterator[dict[str, str]]:
    """What git runs with when it speaks to one end, while the block lasts.

    Args:
        location: The end: a URL, or an absolute path on disk.
        access: Its credentials.
        patience: Its bounds.
        trusted: Paths of a repository on disk that may belong to another user (git-config(1), ``safe.directory``).
        pace: How fast bytes may go to a server; as fast as it takes them without.
    """
    scheme = scheme_of(location)
    config = dict(_CONFIG)
    env: dict[str, str] = {}
    with contextlib.ExitStack() as files:
        if scheme == "file":
            safe = "".join(f"[safe]\n\tdirectory = {_quoted(path)}\n" for path in trusted)
            env["GIT_CONFIG_GLOBAL"] = files.enter_context(memory.file(_LOCAL_CONFIG + safe))
        if scheme in ("http", "https"):
            config |= {"http.lowSpeedLimit": str(patience.slow_bytes), "http.lowSpeedTime": str(patience.slow_seconds)}
            if access.password:
                place = urlsplit(location)
                config[f"http.{scheme}://{place.netloc}/.extraHeader"] = f"Authorization: Basic {access.basic}"
            if pace:
                port = files.enter_context(relay.opened(_place(location), pace, socks=True))
                config["http.proxy"] = f"socks5h://127.0.0.1:{port}"
            if access.ca:
                config["http.sslCAInfo"] = files.enter_context(memory.file(access.ca))
        if scheme == "ssh":
            identity = ssh.Identity(key=access.ssh_key, known_hosts=access.known_hosts)
            command = files.enter_context(ssh.command(ssh.place_of(location), identity, pace=pace))
            env |= {"GIT_SSH_VARIANT": "ssh", "GIT_SSH_COMMAND": command}
        yield {**base_environment(), **_as_variables(config), "GIT_ALLOW_PROTOCOL": scheme, **env}


def scheme_of(location: str) -> str:
    """The protocol of a location: ``file`` for a path, ``ssh`` for ``user@host:path``."""
    if location.startswith("/"):
        return "file"
    scheme, separator, _ = location.partition("://")
    return scheme if separator else "ssh"


def _place(location: str) -> relay.Place:
    parts = urlsplit(location)
    return relay.Place(host=parts.hostname or "", port=parts.port or (443 if parts.scheme == "https" else 80))


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _as_variables(config: Mapping[str, str]) -> dict[str, str]:
    """Configuration as git takes it from its environment: out of sight of other users of the machine."""
    variables = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (key, value) in enumerate(config.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
