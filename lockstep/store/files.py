"""A SQLite file as a durable database: where it may lie, how it is opened, whose turn it is to write."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event

from lockstep import errors

READS = "lockstep_reads"
"""The execution option of a connection that only reads."""

# How long a writer waits for another's short transaction, in seconds.
_BUSY_SECONDS = 30.0
# RETURNING came with this version.
_OLDEST = (3, 35, 0)
# Here the shared memory of WAL is not shared (https://www.sqlite.org/wal.html, "Overview", disadvantage 2).
_REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ncpfs", "ceph", "lustre", "fuse.sshfs"})
_MOUNTS = Path("/proc/self/mountinfo")


class Turns:
    """Lets the threads of this process write one after another.

    SQLite itself makes them sleep and try again, in which the unlucky starve; between processes that has to do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0

    @contextlib.contextmanager
    def take(self, address: str) -> Iterator[None]:
        """Wait for the turn, and hold it.

        Raises:
            UnreachableError: Another thread does not end its transaction.
        """
        if self._owner == threading.get_ident():
            raise RuntimeError("a transaction inside a transaction: it would wait for itself")
        if not self._lock.acquire(timeout=_BUSY_SECONDS):
            raise errors.UnreachableError(
                f"The database {address} stays locked by another thread.", remedy="Look for a transaction without end."
            )
        self._owner = threading.get_ident()
        try:
            yield
        finally:
            self._owner = 0
            self._lock.release()


def prepare(name: str) -> Path:
    """Make the file, if it is not there, so that nobody else can ever read it; its absolute path.

    Raises:
        InputError: It cannot be there.
    """
    try:
        file = Path(name).absolute()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Before SQLite does, which would make it readable for all. Its companions get the same mode.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise errors.InputError(
            f"The database file {name!r} cannot be opened for writing: {said}.",
            remedy="Name a file in a folder that this user may write to.",
        ) from error
    kind = filesystem(file, _MOUNTS.read_text() if _MOUNTS.exists() else "")
    if kind in _REMOTE:
        raise errors.InputError(
            f"The database file {name!r} is on {kind}, where SQLite loses data.",
            remedy="Name a file on a disk of this machine, or use PostgreSQL.",
        )
    return file


def filesystem(file: Path, mounts: str) -> str:
    """The kind of file system that a file is on; empty when unknown.

    Args:
        file: An absolute path.
        mounts: The kernel's table (proc(5), ``/proc/[pid]/mountinfo``): the fifth field is the mount point,
            the first after ``-`` the kind. A later line lies over an earlier one.
    """
    kind, depth = "", -1
    real = file.resolve()
    for line in mounts.splitlines():
        before, _, behind = line.partition(" - ")
        place = before.split(" ")[4].encode().decode("unicode_escape")
        parts = len(Path(place).parts)
        if real.is_relative_to(place) and parts >= depth:
            kind, depth = behind.partition(" ")[0], parts
    return kind


def engine(file: Path) -> Engine:
    """Connections to a file that ``prepare`` made.

    Raises:
        UnsupportedError: Python's own SQLite is too old.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise errors.UnsupportedError(
            f"This Python has SQLite {sqlite3.sqlite_version}; Lockstep needs {'.'.join(map(str, _OLDEST))}.",
            remedy="Use a newer Python, or PostgreSQL.",
        )
    made = sqlalchemy.create_engine(
        URL.create("sqlite", database=str(file)),
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        pool_size=20,
        max_overflow=20,
        pool_use_lifo=True,
        hide_parameters=True,
    )
    event.listen(made, "connect", _prepare_connection)
    event.listen(made, "begin", _begin)
    return made


def _prepare_connection(connection: sqlite3.Connection, _record: object) -> None:
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise errors.InputError(
            f"SQLite cannot keep a write-ahead log beside its file (it answers {mode!r}).",
            remedy="Name a file on a disk of this machine, or use PostgreSQL.",
        )
    # A commit is on the disk before it is answered, in the log too (https://www.sqlite.org/pragma.html).
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get(READS, False)
    if connection.info.get(READS) is not reads:
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reads else 'OFF'}")
        connection.info[READS] = reads
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
