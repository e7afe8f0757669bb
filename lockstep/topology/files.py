"""The files of a configuration directory, read within bounds and never from outside it.

Hidden files and folders are left out (``.git``, and the ``..data`` of a Kubernetes mount). The directory itself
may be a link that is swapped atomically, as git-sync and Kubernetes do; a link inside it may not lead out.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import documents, errors

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
# A configuration of a thousand sites is a few megabytes: beyond these bounds the wrong directory was named.
_MOST_FILES = 10_000
_MOST_ENTRIES = 200_000
_MOST_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file: its path from the directory as it is shown, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What was read of a directory: its files sorted by name, what could not be read, and a digest of it all.

    ``directory`` is absolute, and its links are not followed: relative paths start where a person sees it, and
    not at what the link leads to today.
    """

    directory: Path
    files: tuple[File, ...]
    problems: tuple[errors.Problem, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What differs whenever a configuration does. ``files`` has name, inode, size and time of change in ns."""

    root: Path
    files: tuple[tuple[str, int, int, int], ...]
    problems: tuple[errors.Problem, ...]

    @property
    def youngest_ns(self) -> int:
        """When a file changed last; 0 when there is none."""
        return max((changed for *_, changed in self.files), default=0)


def read(directory: Path) -> Files:
    """Read the configuration files of a directory. What cannot be read is a problem of the result, not an error."""
    walk = _Walk.of(directory)
    files: list[File] = []
    left = _MOST_BYTES
    for name, path in sorted(walk.found.items()):
        data = _data(name, path, left, walk.problems)
        if data is not None:
            files.append(File(name=name, data=data))
            left -= len(data)
    if not files and not walk.problems:
        walk.problem(
            "", "the directory holds no configuration.", "Put documents into it, as *.yaml, *.yml or *.json files."
        )
    return Files(
        directory=directory.absolute(), files=tuple(files), problems=tuple(walk.problems), digest=_digest(files)
    )


def read_one(file: Path) -> Files:
    """Read one file as if it stood alone in its directory. What is wrong with it is a problem of the result."""
    problems: list[errors.Problem] = []
    name = shown(file.name)
    data = _data(name, file, _MOST_BYTES, problems)
    files = [File(name=name, data=data)] if data is not None else []
    return Files(directory=file.parent.absolute(), files=tuple(files), problems=tuple(problems), digest=_digest(files))


def stamp(directory: Path) -> Stamp:
    """Look at the files of a directory without reading one."""
    walk = _Walk.of(directory)
    stamps = []
    for name, path in sorted(walk.found.items()):
        try:
            status = path.stat()
        except OSError:
            continue  # it is gone: its absence tells
        # The time of change, not of modification: nobody can set it back.
        stamps.append((name, status.st_ino, status.st_size, status.st_ctime_ns))
    return Stamp(root=walk.root, files=tuple(stamps), problems=tuple(walk.problems))


@dataclass(slots=True)
class _Walk:
    """One pass through a directory: the files found by name, and what was wrong on the way."""

    root: Path
    found: dict[str, Path] = field(default_factory=dict)
    problems: list[errors.Problem] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    entries: int = 0

    @classmethod
    def of(cls, directory: Path) -> _Walk:
        walk = cls(root=directory)
        try:
            walk.root = directory.resolve(strict=True)
        except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
            walk.problem("", f"the directory cannot be read: {_reason(error)}.", "Name the configuration's directory.")
            return walk
        if not walk.root.is_dir():
            walk.problem("", "this is not a directory.", "Name the directory that the file is in.")
            return walk
        folders = [walk.root]
        while folders and walk.within_bounds():
            folders.extend(walk.folder(folders.pop()))
        return walk

    def problem(self, name: str, message: str, remedy: str) -> None:
        file = name or shown(str(self.root))
        self.problems.append(errors.Problem(file=file, line=0, field="", message=message, remedy=remedy))

    def within_bounds(self) -> bool:
        if len(self.found) <= _MOST_FILES and self.entries <= _MOST_ENTRIES:
            return True
        self.problem(
            "", "there are more files here than any configuration has.", "Name the configuration's own directory."
        )
        return False

    def folder(self, folder: Path) -> Iterator[Path]:
        """Note the files of one folder; the folders inside it."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self.problem(self.name(folder), f"cannot be read: {_reason(error)}.", "Let Lockstep's user read it.")
            return
        self.entries += len(entries)
        for entry in entries:
            if not entry.name.startswith("."):
                yield from self.entry(Path(entry.path))

    def entry(self, path: Path) -> Iterator[Path]:
        wanted = path.suffix.lower() in SUFFIXES
        try:
            real = path.resolve(strict=True)
            mode = real.stat().st_mode
        except (OSError, RuntimeError) as error:  # as above
            if wanted:
                self.problem(self.name(path), f"cannot be read: {_reason(error)}.", "Mend the link or remove it.")
            return
        if not (wanted or stat.S_ISDIR(mode)) or str(real) in self.seen:
            return
        if not real.is_relative_to(self.root):
            self.problem(
                self.name(path),
                "the link leads out of the configuration's directory.",
                "Copy what it leads to into the directory.",
            )
            return
        self.seen.add(str(real))
        if stat.S_ISDIR(mode):
            yield path
        elif stat.S_ISREG(mode):
            self.found[self.name(path)] = path
        else:
            self.problem(self.name(path), "this is not a file.", "Give it another name or remove it.")

    def name(self, path: Path) -> str:
        return "" if path == self.root else shown(path.relative_to(self.root).as_posix())


def shown(name: str) -> str:
    """A file's name as text that can be printed and stored: bytes that are not UTF-8, and controls, are escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _data(name: str, path: Path, left: int, problems: list[errors.Problem]) -> bytes | None:
    most = documents.Limits().size

    def problem(message: str, remedy: str) -> None:
        problems.append(errors.Problem(file=name, line=0, field="", message=message, remedy=remedy))

    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        problem(f"cannot be read: {_reason(error)}.", "Let Lockstep's user read it.")
        return None
    if len(data) > most:
        problem(f"the file is larger than {most // 2**20} MiB.", "Split it, or move it out of the configuration.")
        return None
    if len(data) > left:
        problem(f"the configuration is larger than {_MOST_BYTES // 2**20} MiB.", "Move out of it what is none.")
        return None
    return data


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else "its links go round in a circle"
    return text[:1].lower() + text[1:]


def _digest(files: list[File]) -> str:
    digest = hashlib.sha256()
    for file in files:
        # Lengths first: no two directories give the same bytes to the hash.
        digest.update(f"{len(file.name)}:{len(file.data)}:{file.name}".encode())
        digest.update(file.data)
    return f"sha256:{digest.hexdigest()}"
