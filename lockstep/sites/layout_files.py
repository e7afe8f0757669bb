"""Files of a layout on disk: seen whole or not at all, kept by a power cut, gone when their writer is killed.

A ``Draft`` has no name until it is published (``O_TMPFILE`` and ``linkat``). Where a file has to take the
place of another, or where the file system has no nameless files, it gets a name that begins with
``.lockstep-`` for that moment; its writer holds a lock on it, so that ``clear_strays`` knows a dead writer's
file from a living one's.

Locks are byte ranges of the layout's own ``oci-layout`` file: they leave nothing behind, end with their
process, hold between threads too, and work on network file systems (open file description locks, fcntl(2)).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import struct
import time
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Self

from lockstep import errors

_SPARE = ".lockstep-"
# The nameless file is given its name through here (open(2), "O_TMPFILE").
_DESCRIPTORS = Path("/proc/self/fd")
_NO_NAMELESS = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
# How long to wait for somebody else's lock; what holds one works for milliseconds, or is frozen.
_PATIENCE_SECONDS = 30.0
# Looking again costs three cheap calls; a longer pause lets somebody who comes and goes win every time.
_LONGEST_PAUSE_SECONDS = 0.005
_MODE = 0o644


class Region(Enum):
    """What a lock is about: one byte of the lock file each."""

    INDEX = 0
    """The index is being changed."""
    BLOBS = 1
    """Shared: an image is being written. Alone: blobs are being collected."""


class Draft:
    """A file that nobody sees until it is published, in the file system of ``home``."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._name: Path | None = None
        self._descriptor = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._name is not None:
            self._name.unlink(missing_ok=True)
        os.close(self._descriptor)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def publish(self, target: Path, *, replace: bool = True) -> None:
        """Make the file durable, then give it its name; what has that name is replaced, or left as it is."""
        os.fsync(self._descriptor)
        if self._name is None or not replace:
            with contextlib.suppress(FileExistsError):
                self._link(target)
                return
        if not replace:
            return
        if self._name is None:
            spare = self._spare()
            self._link(spare)
            self._name = spare
        self._name.replace(target)
        self._name = None

    def _open(self) -> int:
        if _DESCRIPTORS.is_dir():
            try:
                nameless = os.open(self._home, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, _MODE)
            except OSError as error:
                if error.errno not in _NO_NAMELESS:
                    raise
            else:
                fcntl.flock(nameless, fcntl.LOCK_EX)
                return nameless
        return self._open_named()

    def _open_named(self) -> int:
        while True:
            name = self._spare()
            descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, _MODE)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Between the two lines above it looked like a dead writer's file, and may have been cleared away.
            if os.fstat(descriptor).st_nlink:
                self._name = name
                return descriptor
            os.close(descriptor)

    def _spare(self) -> Path:
        return self._home / f"{_SPARE}{secrets.token_hex(16)}"

    def _link(self, target: Path) -> None:
        directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # With a directory descriptor this is linkat(2), which follows the link of /proc to the file.
            source = self._name or _DESCRIPTORS / str(self._descriptor)
            os.link(source, target.name, dst_dir_fd=directory)
        finally:
            os.close(directory)


def clear_strays(home: Path) -> None:
    """Remove the files of writers that were killed in the one moment in which a draft has a name."""
    with os.scandir(home) as entries:
        strays = [Path(entry.path) for entry in entries if entry.name.startswith(_SPARE)]
    for stray in strays:
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            descriptor = os.open(stray, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stray.unlink()
            finally:
                os.close(descriptor)


def place(target: Path, data: bytes, *, home: Path) -> None:
    """Write a whole file, durably, in the place of whatever has that name."""
    with Draft(home) as draft:
        draft.write(data)
        draft.publish(target)
    sync_directory(target.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """Make a directory and those above it, durably."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(exist_ok=True)
    sync_directory(directory.parent)


def size_of(path: Path) -> int | None:
    """The size of a regular file; None when there is none."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def open_regular(path: Path) -> int | None:
    """Open a regular file to read; None when there is none. A pipe or a device in its place never blocks us."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket or a pipe
            return None
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def read_whole(path: Path, *, most: int) -> bytes | None:
    """A regular file of at most ``most`` bytes; None when there is none.

    Raises:
        IntegrityError: It is larger.
    """
    descriptor = open_regular(path)
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        # readall() makes room for what there is, where read(most) would make room for the most there may be.
        data = b"" if (size := os.fstat(descriptor).st_size) > most else file.readall()
    if size > most:
        raise errors.IntegrityError(f"{path} is larger than the {most} bytes that are read of such a file.")
    return data


@contextlib.contextmanager
def locked(lock_file: Path, region: Region, *, shared: bool = False, wait: bool = True) -> Iterator[None]:
    """Hold a lock on a region of a layout.

    Raises:
        ConflictError: Somebody else holds it, for longer than is waited.
        NotFoundError: The file is not there: this is no layout.
    """
    until = time.monotonic() + (_PATIENCE_SECONDS if wait else 0.0)
    pause = 0.0005
    while (descriptor := _try_lock(lock_file, region, shared=shared)) is None:
        if time.monotonic() >= until:
            raise errors.ConflictError(
                f"Somebody else is at work in {lock_file.parent}.", remedy="Try again when they are done."
            )
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    try:
        yield
    finally:
        os.close(descriptor)


def _try_lock(lock_file: Path, region: Region, *, shared: bool) -> int | None:
    try:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise errors.NotFoundError(f"{lock_file.parent} is not an OCI image layout.") from None
    kind = fcntl.F_RDLCK if shared else fcntl.F_WRLCK
    # struct flock of fcntl(2): type, whence, start, length, and a process id that must be 0.
    request = struct.pack("hhqqi4x", kind, os.SEEK_SET, region.value, 1, 0)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, descriptor)
        # fcntl(2): taken is EAGAIN or EACCES. A lock on a file that was replaced since locks nothing.
        with contextlib.suppress(BlockingIOError, PermissionError, FileNotFoundError):
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, request)
            if os.fstat(descriptor).st_ino == lock_file.stat().st_ino:
                undo.pop_all()
                return descriptor
    return None
