"""A real PostgreSQL server for the tests: one for each session, durable as in earnest, gone with the session."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from lockstep import children
from tests.support import leashed, tools

_START_SECONDS = 60.0


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server; the folder of its socket, which is its address.

    It listens on a socket in a folder of its own, never on a port. It is on a leash: whatever kills this
    process, the server ends with it.
    """
    program = tools.find("postgres")
    assert program is not None
    # Not below pytest's own folder: the path of a socket has 107 bytes at most (sun_path).
    folder = Path(tempfile.mkdtemp(prefix="lockstep-pg-"))
    owner = _owner()
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)
    data = str(folder / "data")
    initdb = str(program.with_name("initdb"))
    _run([initdb, "--no-sync", "--auth=trust", "--username=lockstep", "--encoding=UTF8", "--no-locale", data], owner)
    options = (f"unix_socket_directories={folder}", "listen_addresses=", "fsync=on", "max_connections=300")
    argv = [str(program), "-D", data, *(word for option in options for word in ("-c", option))]
    command = children.Command(argv=argv, env={}, identity=owner, cwd=folder)
    with leashed.running(command, ready=lambda said: b"ready to accept connections" in said, seconds=_START_SECONDS):
        yield str(folder)
        _run([str(program.with_name("pg_ctl")), "-D", data, "-w", "-m", "immediate", "stop"], owner)
    shutil.rmtree(folder)


def url(address: str, name: str) -> str:
    """The URL of one database of a server."""
    return f"postgresql://lockstep@/{name}?host={address}"


def administer(address: str, statement: str, *, database: str = "postgres") -> None:
    """Run one statement outside any transaction, such as ``CREATE DATABASE``. It is the tests' own text."""
    with psycopg.connect(host=address, user="lockstep", dbname=database, autocommit=True) as connection:
        connection.execute(statement.encode())


def _owner() -> children.Identity | None:
    """PostgreSQL refuses to run as root: Debian's own user runs it then."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("postgres")
    return children.Identity(uid=user.pw_uid, gid=user.pw_gid)


def _run(argv: list[str], owner: children.Identity | None) -> None:
    user, group = (owner.uid, owner.gid) if owner else (None, None)
    subprocess.run(argv, check=True, capture_output=True, cwd="/", user=user, group=group)
