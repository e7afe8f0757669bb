"""From a remote to its large files: where they are depends on how git goes there (git-lfs, ``docs/api``)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from lockstep import children, errors
from lockstep.sites import ends
from lockstep.sites.git import ssh
from lockstep.sites.git.lfs import batch
from lockstep.sites.git.lfs.paced import Paced
from lockstep.sites.git.lfs.server import Endpoint, Server
from lockstep.sites.git.lfs.shelf import Shelf
from lockstep.sites.http import places, wire

if TYPE_CHECKING:
    from lockstep.sites.git.remote import Remote


def open_large_files(remote: Remote) -> ends.LargeFiles:
    """The large files of a repository: on disk beside it, or at its server."""
    if remote.directory is not None:
        return Shelf(remote.directory / "lfs/objects")
    patience = wire.Patience(
        silence_seconds=remote.patience.ask_seconds,
        slow_bytes=remote.patience.slow_bytes,
        slow_seconds=float(remote.patience.slow_seconds),
        connections=8,
    )
    endpoint = _over_ssh(remote) if remote.scheme == "ssh" else _over_http(remote)
    line = wire.Wire(ca=remote.access.ca, patience=patience)
    server = Server(remote.address, endpoint, trusts=remote.trusts, line=line)
    return Paced(server, remote.pace) if remote.pace else server


def _over_http(remote: Remote) -> Callable[[str], Endpoint]:
    """``<url>.git/info/lfs`` (docs/api/server-discovery.md)."""
    base = remote.location.rstrip("/")
    url = f"{base}/info/lfs" if base.endswith(".git") else f"{base}.git/info/lfs"
    headers = {"Authorization": f"Basic {remote.access.basic}"} if remote.access.password else {}
    found = Endpoint(url=url, headers=headers)
    return lambda _operation: found


def _over_ssh(remote: Remote) -> Callable[[str], Endpoint]:
    """The server is asked: ``git-lfs-authenticate <path> <operation>`` (docs/api/server-discovery.md, "SSH")."""
    known: dict[str, Endpoint] = {}

    def endpoint(operation: str) -> Endpoint:
        if operation not in known:
            known[operation] = _authenticate(remote, operation)
        return known[operation]

    return endpoint


def _authenticate(remote: Remote, operation: str) -> Endpoint:
    place = ssh.place_of(remote.location)
    with remote.environment() as env:
        argv = [*shlex.split(env["GIT_SSH_COMMAND"]), *(["-p", place.port] if place.port else []), "--", place.login]
        finished = children.run(
            children.Command(
                argv=[*argv, f"git-lfs-authenticate {shlex.quote(place.path)} {operation}"],
                env=env,
                timeout_seconds=remote.patience.ask_seconds,
                most_bytes=2**20,
            )
        )
    if finished.code:
        if finished.code == 255:  # ssh's own; every other is the server's
            raise remote.failure(finished)
        raise errors.UnsupportedError(
            f"{remote.address} keeps no large files (git LFS): it does not know git-lfs-authenticate.",
            remedy="Turn LFS on there, or take it out of the mirror with lfs: false.",
        )
    return _said(remote, finished.out, place.host)


def _said(remote: Remote, out: bytes, host: str) -> Endpoint:
    try:
        said = json.loads(out)
        url, headers = str(said["href"]).rstrip("/"), batch.header(said.get("header"), address=remote.address)
    except (ValueError, TypeError, KeyError) as error:
        raise errors.IntegrityError(
            f"{remote.address} says where its large files are in words that are not its own protocol's.",
            remedy="Check git-lfs-authenticate there.",
        ) from error
    # Its own host may be private: it is the one that is configured, and proved to be itself by its key.
    own = places.Origin(scheme="https", host=host, port=443)
    places.Guard(home=own, trusted=(host, *remote.trusts)).judge(url, at=f"{own}/")
    return Endpoint(url=url, headers=headers)
