"""A real PostgreSQL server for the tests: one for each session, durable as in earnest, gone with the session."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg

from lockstep import children, errors
from tests.support import tools

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
    with _serving(children.Command(argv=argv, env={}, identity=owner, cwd=folder)):
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


@contextlib.contextmanager
def _serving(command: children.Command) -> Iterator[None]:
    """Run the server in a thread until the end, and wait for what it says when it is ready."""
    said = bytearray()
    settled = threading.Event()

    def listen(chunk: bytes) -> None:
        said.extend(chunk)
        if b"ready to accept connections" in said:
            settled.set()

    def serve() -> None:
        with children.scope(scope), contextlib.suppress(errors.LostWorkError):
            children.run(command, on_output=listen)
        settled.set()

    scope = children.Scope()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        settled.wait(_START_SECONDS)
        assert thread.is_alive(), said.decode(errors="replace")
        yield
    finally:
        scope.kill()
        thread.join()
