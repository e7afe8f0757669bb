"""Refs of a repository of ours as one file: ``packed-refs``.

Our own copy of a repository keeps all its refs here and none loose. So the whole list changes at once or not
at all, is read without starting a program, needs no locks that a killed git could leave behind, and takes
milliseconds where git writes thousands of files. Git reads it like any other (git-pack-refs(1)).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

# Sorted by name, and without the ids that tags peel to: git looks those up itself.
_HEADER = "# pack-refs with: sorted \n"


def read(repository: Path) -> dict[str, str]:
    """Every ref and its id; empty when there is none yet."""
    try:
        text = (repository / "packed-refs").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    rows = (line.partition(" ") for line in text.split("\n") if line and line[0] not in "#^")
    return {name: oid for oid, _, name in rows}


def write(repository: Path, refs: Mapping[str, str], *, lasting: bool = True) -> None:
    """Replace every ref at once; on the disk when this returns, unless the repository is not to last anyway.

    One writer at a time: callers hold a lock. So what is written first has one name, and what a killed writer left
    is written over; and its mode is what git would give it, for others who serve this repository read it too.
    """
    lines = "".join(f"{oid} {name}\n" for name, oid in sorted(refs.items(), key=lambda item: item[0].encode()))
    temporary = repository / "packed-refs.written"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write((_HEADER + lines).encode())
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        temporary.replace(repository / "packed-refs")
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if lasting:
        _sync(repository)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
