"""Who may write: locks between threads and processes, and locks that a killed git left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from lockstep import errors

SAID = re.compile(r"unable to create '[^']*\.lock': file exists", re.IGNORECASE)
"""What git says of a lock that is there (lockfile.c, unable_to_lock_message); all else that keeps a ref stays so."""

_POLL_SECONDS = 0.05
# A lock of a ref older than this was left by a git that was killed: a living one holds it for milliseconds.
_STALE_SECONDS = 600.0
# The same where a push of ours died: whoever else holds it is done by then. And how far two clocks may be apart.
_DEAD_SECONDS = 10.0
_CLOCKS_SECONDS = 2.0
_OF_REFS = "packed-refs.lock"
# What stands in a lock of refs that is ours; git writes nothing there, or the refs.
_OURS = b"lockstep\n"


@contextlib.contextmanager
def held(file: Path, *, what: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock until the end of the block, or until this process dies.

    Args:
        file: The lock; it is made and stays.
        what: What it guards, for the error.
        wait_seconds: How long to wait for another's work to end.

    Raises:
        ConflictError: Somebody else holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + wait_seconds
    try:
        while not _taken(descriptor):
            if time.monotonic() >= until:
                raise errors.ConflictError(f"Somebody else is writing to {what}.", remedy="It is tried again later.")
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def clear_stale(repository: Path, *, died_since: float = 0.0) -> int:
    """Remove the lock files of refs that a killed git left in a repository; how many there were.

    Git holds such a lock for milliseconds and never looks at its age, so that one left behind refuses every
    later push for ever.

    Args:
        repository: Where they are.
        died_since: When a push of ours there began that died, in seconds since the epoch; 0 when none did. What was
            locked since then was most likely locked by it, and is waited for no longer than git may need.
    """
    now = time.time()
    stale = [
        path
        for path in _lock_files(repository)
        if (locked := _modified(path)) < now - _STALE_SECONDS
        or (died_since and died_since - _CLOCKS_SECONDS <= locked < now - _DEAD_SECONDS)
    ]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


@contextlib.contextmanager
def of_refs(directory: Path) -> Iterator[bool]:
    """Hold git's own lock of a repository's file of refs while the block lasts; whether it is ours."""
    lock = directory / _OF_REFS
    descriptor = _owned(lock)
    if descriptor < 0:
        yield False
        return
    try:
        yield True
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def clear_ours(directory: Path) -> None:
    """Remove the lock of a repository's refs that a process of ours left when it was killed."""
    lock = directory / _OF_REFS
    descriptor = _inherited(lock)
    if descriptor >= 0:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _owned(lock: Path) -> int:
    """The open lock; -1 when somebody else has it. One of ours whose process was killed is taken over.

    Git knows a lock by its name alone. In ours stands that it is ours, and its process holds a lock on it.
    """
    try:
        return _made(lock)
    except FileExistsError:
        return _inherited(lock)


def _made(lock: Path) -> int:
    """Make the lock, with its text in it from the first instant. Raises FileExistsError."""
    folder = os.open(lock.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        descriptor = os.open(lock.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError:  # no files without a name on this file system (NFS): its name comes before its text
        os.close(folder)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        _mark(descriptor)
        return descriptor
    try:
        _mark(descriptor)
        os.link(f"/proc/self/fd/{descriptor}", lock.name, dst_dir_fd=folder)  # as open(2) says, "O_TMPFILE"
    except BaseException:
        os.close(descriptor)
        raise
    finally:
        os.close(folder)
    return descriptor


def _mark(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # no locks on this file system: then nobody takes it over
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.write(descriptor, _OURS)


def _inherited(lock: Path) -> int:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return -1
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.read(descriptor, 100) == _OURS and lock.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except OSError:  # its process lives, or it is gone by now
        pass
    os.close(descriptor)
    return -1


def any_of_refs(repository: Path) -> bool:
    """Whether some ref of a repository is locked, by whomever."""
    return next(_lock_files(repository), None) is not None


def _lock_files(repository: Path) -> Iterator[Path]:
    yield from repository.glob("*.lock")
    yield from (repository / "refs").rglob("*.lock")


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
