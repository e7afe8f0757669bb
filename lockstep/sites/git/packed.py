"""Refs of a repository of ours as one file: ``packed-refs``.

Our own copy of a repository keeps all its refs here and none loose. So the whole list changes at once or not
at all, is read without starting a program, needs no locks that a killed git could leave behind, and takes
milliseconds where git writes thousands of files. Git reads it like any other (git-pack-refs(1)).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
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


def write(repository: Path, refs: Mapping[str, str]) -> None:
    """Replace every ref at once; on the disk when this returns."""
    lines = "".join(f"{oid} {name}\n" for name, oid in sorted(refs.items(), key=lambda item: item[0].encode()))
    descriptor, temporary = tempfile.mkstemp(dir=repository, prefix="packed-refs.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write((_HEADER + lines).encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, repository / "packed-refs")  # noqa: PTH105 - a name, not a Path
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    _sync(repository)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
