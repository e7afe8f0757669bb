"""What is in a directory, read without ever leaving it.

Every name is opened relative to the open directory above it and never through a symbolic link, so that what
changes under our hands cannot lead us out.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lockstep import errors

# Directories inside directories; each costs an open file while it is read.
_DEEPEST = 128
# A file of this name would remove others when the layer is unpacked (image specification, "Whiteouts").
_WHITEOUT = ".wh."


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in the directory: ``path`` is relative to it, ``target`` is a symbolic link's text.

    A regular file is open while its entry is the current one: ``descriptor`` reads ``size`` bytes.
    """

    path: str
    kind: int
    executable: bool = False
    size: int = 0
    target: str = ""
    descriptor: int = -1


def walk(root: Path, path: str = ".") -> Iterator[Entry]:
    """The entries of a directory below ``root``, sorted, each directory before what is in it.

    Raises:
        InputError: The path leaves the root, is no directory, or holds what cannot be part of an image.
        NotFoundError: There is no such directory.
    """
    with contextlib.ExitStack() as opened:
        yield from _inside(_open_below(root, path, opened), "", 0)


def _open_below(root: Path, path: str, opened: contextlib.ExitStack) -> int:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise errors.InputError(f"{path!r} leaves the workspace.", remedy="Name a directory inside it.")
    directory = _open_directory(str(root), None, shown=str(root))
    opened.callback(os.close, directory)
    for place, part in enumerate(parts):
        directory = _open_directory(part, directory, shown="/".join(parts[: place + 1]))
        opened.callback(os.close, directory)
    return directory


def _open_directory(name: str, above: int | None, *, shown: str) -> int:
    # Only what was configured (the root) may be reached through a link.
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (os.O_NOFOLLOW if above is not None else 0)
    try:
        return os.open(name, flags, dir_fd=above)
    except FileNotFoundError:
        raise errors.NotFoundError(f"There is no directory {shown!r}.", remedy="Make it in an earlier step.") from None
    except OSError as error:
        raise errors.InputError(
            f"{shown!r} cannot be read as a directory: {error.strerror}.", remedy="It must be a directory, not a link."
        ) from error


def _inside(directory: int, prefix: str, depth: int) -> Iterator[Entry]:
    if depth > _DEEPEST:
        raise errors.InputError(f"{prefix[:200]!r} is nested deeper than {_DEEPEST} directories.")
    with _reading(prefix or "."), os.scandir(directory) as listing:
        names = sorted((entry.name for entry in listing), key=os.fsencode)
    for name in names:
        path = f"{prefix}{name}"
        if name.startswith(_WHITEOUT):
            raise errors.InputError(
                f"{path!r} has a name that removes files when an image is unpacked.", remedy="Rename or remove it."
            )
        with _reading(path):
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            target = os.readlink(name, dir_fd=directory) if stat.S_ISLNK(found.st_mode) else ""
        if stat.S_ISDIR(found.st_mode):
            yield Entry(path=path, kind=stat.S_IFDIR)
            below = _open_directory(name, directory, shown=path)
            try:
                yield from _inside(below, f"{path}/", depth + 1)
            finally:
                os.close(below)
        elif stat.S_ISLNK(found.st_mode):
            yield Entry(path=path, kind=stat.S_IFLNK, target=target)
        else:
            with _regular(directory, name, path) as entry:
                yield entry


@contextlib.contextmanager
def _regular(directory: int, name: str, path: str) -> Iterator[Entry]:
    with _reading(path):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise errors.InputError(
                f"{path!r} is a device, a socket or a pipe; an image holds none.", remedy="Remove it."
            )
        executable = bool(found.st_mode & 0o111)
        yield Entry(path=path, kind=stat.S_IFREG, executable=executable, size=found.st_size, descriptor=descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _reading(path: str) -> Iterator[None]:
    """A name that vanishes, changes its kind or is not ours to read is the directory's fault, and told as such."""
    try:
        yield
    except OSError as error:
        raise errors.InputError(
            f"{path!r} cannot be read: {error.strerror}.", remedy="Remove it, or let nothing write here meanwhile."
        ) from error
