"""A folder on disk held by its descriptor: no symbolic link is followed below it, no file is seen half written.

A new file is written under ``.lockstep`` at the top, made durable, and renamed to where it belongs. A writer
that is killed in between leaves a file there that nobody reads; it held a lock on it, which ended with it, so
the next writer knows the file from a living one's and removes it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Self

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
SPARE = ".lockstep"
"""Where files are that are being written."""


class Sort(Enum):
    """What an entry of a folder is."""

    FOLDER = "a folder"
    FILE = "a file"
    LINK = "a symbolic link"
    OTHER = "neither a file nor a folder"


_SORTS = ((stat.S_ISREG, Sort.FILE), (stat.S_ISDIR, Sort.FOLDER), (stat.S_ISLNK, Sort.LINK))


class Folder:
    """An open folder; ``with`` closes it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open a folder by its path; links in the path itself are followed, for whoever configured it meant them."""
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def below(self, name: str) -> Self:
        """A folder in this one.

        Raises:
            FileNotFoundError: There is none.
            NotADirectoryError: It is a file or a link.
        """
        return type(self)(os.open(name, _DIRECTORY, dir_fd=self._descriptor))

    def made(self, name: str) -> Self:
        """A folder in this one, made durably when it is not there."""
        try:
            return self.below(name)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=self._descriptor)
            self.sync()
            return self.below(name)

    def entries(self) -> list[tuple[str, Sort]]:
        """What is here, sorted by name."""
        with os.scandir(self._descriptor) as found:
            return sorted(((entry.name, _sort(entry)) for entry in found), key=lambda entry: entry[0])

    def sort_of(self, name: str) -> Sort | None:
        """What an entry is; None when it is not there."""
        try:
            mode = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return None
        found = [sort for test, sort in _SORTS if test(mode)]
        return found[0] if found else Sort.OTHER

    def read(self, name: str, *, most: int) -> bytes:
        """A regular file's bytes, at most ``most`` and one more.

        Raises:
            FileNotFoundError: There is none.
            OSError: It is a link, a pipe, a folder, or cannot be read.
        """
        # O_NONBLOCK: a pipe without a writer must not keep us waiting.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, dir_fd=self._descriptor), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            return file.read(most + 1)

    def put(self, name: str, data: bytes, *, spare: Folder) -> None:
        """Write a whole file, durably, in the place of whatever has that name.

        Args:
            name: The file's name in this folder.
            data: Its bytes.
            spare: A folder of the same file system for the moment in which it is written.
        """
        with spare._draft(data) as draft:
            os.rename(draft, name, src_dir_fd=spare._descriptor, dst_dir_fd=self._descriptor)
        self.sync()

    def remove(self, name: str) -> bool:
        """Remove a file or a link, durably; False when there is none."""
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except (FileNotFoundError, IsADirectoryError):
            return False
        self.sync()
        return True

    def sync(self) -> None:
        """Make the names in this folder durable."""
        os.fsync(self._descriptor)

    def clear(self) -> None:
        """Remove what killed writers left in a spare folder."""
        for name, _ in self.entries():
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._descriptor)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(name, dir_fd=self._descriptor)
                finally:
                    os.close(descriptor)

    @contextlib.contextmanager
    def _draft(self, data: bytes) -> Iterator[str]:
        """A durable file with a name of its own, for as long as it takes to rename it."""
        name, descriptor = self._new()
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
            yield name
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self._descriptor)
            raise
        finally:
            os.close(descriptor)

    def _new(self) -> tuple[str, int]:
        while True:
            name = secrets.token_hex(16)
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o644, dir_fd=self._descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Between the two lines above it looked like a dead writer's file, and may have been cleared away.
            if os.fstat(descriptor).st_nlink:
                return name, descriptor
            os.close(descriptor)


def _sort(entry: os.DirEntry[str]) -> Sort:
    if entry.is_symlink():
        return Sort.LINK
    if entry.is_dir(follow_symlinks=False):
        return Sort.FOLDER
    return Sort.FILE if entry.is_file(follow_symlinks=False) else Sort.OTHER
