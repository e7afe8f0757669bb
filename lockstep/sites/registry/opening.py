"""From the configuration to a registry: its address, its names, its credentials."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lockstep import errors
from lockstep.sites.http.places import Guard, Origin, origin_of
from lockstep.sites.http.wire import Patience, Proxy, Wire
from lockstep.sites.registry import credentials
from lockstep.sites.registry.conversation import Conversation
from lockstep.sites.registry.credentials import Credential, DockerConfig, Program, PullSecret
from lockstep.sites.registry.names import Names
from lockstep.sites.registry.store import RegistryStore
from lockstep.topology import kinds, secrets
from lockstep.values import Json

# Docker Hub is known by a name at which no registry answers.
_HUBS = frozenset({"docker.io", "index.docker.io"})
_HUB = "registry-1.docker.io"


def open_registry(
    end: kinds.RegistryEnd | kinds.ImageSource,
    *,
    reader: secrets.Reader,
    uploads: Path | None = None,
    patience: Patience | None = None,
    pull_secret: Mapping[str, Json] | None = None,
) -> RegistryStore:
    """A registry of a site, or one that images come from.

    Args:
        end: Where it is, as configured; it has a ``url``.
        reader: Reads its secrets: certificate authorities and the proxy's now, credentials whenever they are needed.
        uploads: Where uploads that were begun are remembered.
        patience: Its bounds.
        pull_secret: The data of a Kubernetes Secret to open it with, instead of with our own credentials.

    Raises:
        InputError: Its address is none, or its certificate authorities are not PEM.
        LockstepError: A secret cannot be read.
    """
    origin = _origin(end.url or "")
    proxy = _proxy(end.proxy, reader) if end.proxy else None
    ca, ca_from = (reader.public(end.ca), secrets.title(end.ca)) if end.ca else ("", "")
    wire = Wire(ca=ca, ca_from=ca_from, patience=patience, proxy=proxy)
    guard = Guard(home=origin, trusted=frozenset(end.trusts), proxied=proxy is not None)
    names = _names(end, origin)
    source = _source(end.auth, origin, reader, path=names.prefix)
    if pull_secret is not None:
        source = PullSecret(data=pull_secret, host=origin.authority, path=names.prefix)
    said = Conversation(wire, guard, source=source)
    return RegistryStore(said, names=names, uploads=uploads)


def _origin(url: str) -> Origin:
    origin = origin_of(url)
    if origin is None:
        raise errors.InputError(f"{url!r} is not the address of a registry.", remedy="Write https://host[:port].")
    return Origin(scheme=origin.scheme, host=_HUB, port=origin.port) if origin.host in _HUBS else origin


def _proxy(given: kinds.Proxy, reader: secrets.Reader) -> Proxy:
    password = reader.text(given.password).strip() if given.password else ""
    return Proxy(url=given.url, username=given.username or "", password=password)


def _names(end: kinds.RegistryEnd | kinds.ImageSource, origin: Origin) -> Names:
    if isinstance(end, kinds.RegistryEnd):
        return Names(prefix=end.prefix.partition("/")[2], renamed=end.rename)
    path = urlsplit(end.url or "").path.strip("/")
    return Names(prefix=path, renamed=end.rename, library="library" if origin.host == _HUB else "")


def _source(
    auth: kinds.RegistryAuth | None, origin: Origin, reader: secrets.Reader, *, path: str
) -> credentials.Source:
    if auth is None:
        return credentials.anonymous
    if auth.docker_config is not None:
        read = functools.partial(reader.text, auth.docker_config)
        named = secrets.title(auth.docker_config)
        return DockerConfig(read=read, host=origin.authority, environ=reader.environ, path=path, named=named)
    if auth.program:
        return Program(argv=auth.program, environ=reader.environ, username=auth.username or "")
    return functools.partial(_given, auth, reader)


def _given(auth: kinds.RegistryAuth, reader: secrets.Reader) -> Credential:
    if auth.identity_token is not None:
        return Credential(identity_token=reader.text(auth.identity_token).strip())
    assert auth.password is not None  # noqa: S101 - the model has exactly one of them
    return Credential(username=auth.username or "", password=reader.text(auth.password).strip())
