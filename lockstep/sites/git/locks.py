"""Who may write: locks between threads and processes, and locks that a killed git left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from lockstep import errors

_POLL_SECONDS = 0.05


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


def clear_stale(repository: Path, *, older_than_seconds: float) -> int:
    """Remove the lock files of refs that a killed git left in a repository; how many there were.

    Git holds such a lock for milliseconds and never looks at its age, so that one left behind refuses every
    later push for ever.
    """
    before = time.time() - older_than_seconds
    stale = [path for path in _lock_files(repository) if _modified(path) < before]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def _lock_files(repository: Path) -> Iterator[Path]:
    yield from repository.glob("*.lock")
    yield from (repository / "refs").rglob("*.lock")


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
