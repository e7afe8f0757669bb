"""Who we are to a registry: a password, an identity token, a docker ``config.json``, or a program that is asked.

A credential is read at the moment it is needed and kept by nobody here, but for what a program printed: that
is kept for a few minutes, because cloud command lines are slow. Nothing of it is ever shown.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from lockstep import children, errors
from lockstep.values import Json

_HUBS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
# What docker writes for Docker Hub (docker/cli, cli/config/configfile).
_HUB_KEY = "https://index.docker.io/v1/"
# docker/docker-credential-helpers: the user name that says that the secret is an identity token.
_IS_TOKEN = "<token>"  # noqa: S105 - a marker of the protocol
_HELPER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ANSWER_BYTES = 256 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user and a password, or an identity token (to be exchanged for bearers), or a bearer as it is."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """User and password as HTTP sends them (RFC 7617); empty without."""
        if not self.password:
            return ""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


Source = Callable[[], Credential | None]
"""Reads the credential; None when there is none. Raises LockstepError when it cannot be read."""


def anonymous() -> Credential | None:
    """Nobody."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerConfig:
    """A docker ``config.json``: its own entries, and the credential helpers that it names.

    ``read`` gives its text; ``environ`` is what helpers run with; ``host`` is the registry, with its port, and ``path``
    what all our repositories there stand below. ``named`` is the file as a person would name it.
    """

    read: Callable[[], str]
    host: str
    environ: Mapping[str, str]
    path: str = ""
    named: str = "a docker config.json"

    def __call__(self) -> Credential | None:
        """The credential for the registry; None when the file knows none.

        Raises:
            InputError: It is no such file, or its helper answers nonsense.
            MissingToolError, UnauthorisedError: Its helper is not there, or fails.
        """
        config = _json(self.read(), f"{self.named[:1].upper()}{self.named[1:]}")
        keys = _keys(self.host, self.path)
        helpers = config.get("credHelpers")
        helper = next((helpers[key] for key in keys if key in helpers), "") if isinstance(helpers, dict) else ""
        store = config.get("credsStore") or ""
        for name, optional in ((helper, False), (store, True)):
            if name:
                found = self._ask(name, _keys(self.host)[0], optional=optional)
                if found is not None:
                    return found
        entries = config.get("auths")
        entry = next((entries[key] for key in keys if key in entries), None) if isinstance(entries, dict) else None
        return _entry(entry) if isinstance(entry, dict) else None

    def _ask(self, helper: Json, key: str, *, optional: bool) -> Credential | None:
        if not isinstance(helper, str) or not _HELPER.fullmatch(helper):
            raise errors.InputError(
                f"A credential helper that {self.named} names is no name.", remedy="Write such as ecr-login."
            )
        program = f"docker-credential-{helper}"
        command = children.Command(
            argv=[program, "get"], env=self.environ, stdin=key.encode(), timeout_seconds=60, most_bytes=_ANSWER_BYTES
        )
        ended = children.run(command)
        if ended.code != 0 and optional and b"not found" in ended.out + ended.err:
            return None  # docker-credential-helpers, "credentials not found in native keychain"
        return _printed(program, ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSecret:
    """A pull secret of a cluster, ``data`` as its manifest has it: its own entries alone.

    Whoever writes a Secret may not name programs that are run here: credential helpers are not asked.
    """

    data: Mapping[str, Json] = field(repr=False)
    host: str
    path: str = ""

    def __call__(self) -> Credential | None:
        """The credential for the registry; None when the secret knows none.

        Raises:
            InputError: It is no pull secret.
        """
        whole, bare = self.data.get(".dockerconfigjson"), self.data.get(".dockercfg")
        try:
            text = base64.b64decode(str(whole or bare or "")).decode()
        except (binascii.Error, UnicodeDecodeError):
            text = ""
        config = _json(text, "A pull secret")
        entries = config.get("auths") if whole else config
        known = entries if isinstance(entries, dict) else {}
        entry = next((known[key] for key in _keys(self.host, self.path) if key in known), None)
        return _entry(entry) if isinstance(entry, dict) else None


@dataclass(slots=True, kw_only=True)
class Program:
    """A program that prints a token or a password, such as ``aws ecr get-login-password``.

    It may also print what credential helpers print (``{"Username":, "Secret":}``).
    """

    argv: Sequence[str]
    environ: Mapping[str, str]
    username: str = ""
    keep_seconds: float = 300.0
    patience_seconds: float = 60.0
    now: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: Credential | None = None
    _until: float = 0.0

    def __call__(self) -> Credential | None:
        """The credential.

        Raises:
            MissingToolError, UnauthorisedError: The program is not there, or fails.
        """
        with self._lock:
            if self._kept is None or self.now() >= self._until:
                command = children.Command(
                    argv=self.argv, env=self.environ, timeout_seconds=self.patience_seconds, most_bytes=_ANSWER_BYTES
                )
                self._kept = _printed(self.argv[0], children.run(command), username=self.username)
                self._until = self.now() + self.keep_seconds
            return self._kept

    def forget(self) -> None:
        """Ask again next time."""
        with self._lock:
            self._kept = None


def _printed(program: str, ended: children.Finished, *, username: str = "") -> Credential:
    """What a program printed. Its output is a secret, and so is whatever it complains about: nothing is shown."""
    if ended.code == 127:  # what a shell and our leash say of a program that is not there
        raise errors.MissingToolError(f"There is no program {program}.", remedy="Install it, or mend its name.")
    if ended.timed_out:
        raise errors.UnreachableError(
            f"{program} gave no credential in time.", remedy="Run it by hand to see what it waits for."
        )
    if ended.code != 0 or ended.cut:
        raise errors.UnauthorisedError(
            f"{program} gave no credential: it ended with {ended.code}.", remedy="Run it by hand to see why."
        )
    text = ended.out.decode(errors="replace").strip()
    if text.startswith("{"):
        said = _json(text, f"What {program} prints")
        user, secret = said.get("Username", username), said.get("Secret")
        if isinstance(user, str) and isinstance(secret, str) and secret:
            return (
                Credential(identity_token=secret) if user == _IS_TOKEN else Credential(username=user, password=secret)
            )
    elif text and not re.search(r"[\x00-\x20\x7f]", text):
        return Credential(username=username, password=text)
    raise errors.UnauthorisedError(f"{program} printed no credential.", remedy="Run it by hand to see why.")


def _entry(entry: Mapping[str, Json]) -> Credential | None:
    """One entry of ``auths`` (docker/cli, AuthConfig)."""
    texts = {name: value for name, value in entry.items() if isinstance(value, str) and value}
    if "identitytoken" in texts:
        return Credential(identity_token=texts["identitytoken"])
    if "registrytoken" in texts:
        return Credential(bearer=texts["registrytoken"])
    if "auth" in texts:
        return _decoded(texts["auth"])
    password = texts.get("password")
    return Credential(username=texts.get("username", ""), password=password) if password else None


def _decoded(text: str) -> Credential | None:
    """User and password of an ``auth``."""
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise errors.InputError(
            "An auth in a docker config.json is not base64.", remedy="Make it again with docker login."
        ) from None
    username, _, password = decoded.rstrip("\0").partition(":")
    return Credential(username=username, password=password) if password else None


def _keys(host: str, path: str = "") -> list[str]:
    """Under which names a registry's credential may have been written, the narrowest first, then the likeliest.

    Podman and Kubernetes know credentials for what stands below a path (containers-auth.json(5)).
    """
    parts = path.split("/") if path else []
    below = [f"{host}/{'/'.join(parts[:end])}" for end in range(len(parts), 0, -1)]
    narrow = [f"{scheme}{place}" for place in below for scheme in ("", "https://")]
    hub = host in _HUBS
    hosts = sorted(_HUBS) if hub else [host]
    tails = ("", "/", "/v1/", "/v2/")
    urls = [f"{scheme}://{name}{tail}" for name in hosts for scheme in ("https", "http") for tail in tails]
    return [*narrow, *([_HUB_KEY] if hub else []), *hosts, *urls]


def _json(text: str, what: str) -> dict[str, Json]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise errors.InputError(f"{what} is not a JSON object.", remedy="Make it again.")
    return found
