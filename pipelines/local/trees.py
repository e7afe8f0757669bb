"""Folders that a stranger owns a part of: entered, handed over and removed without following a link of theirs."""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import stat
from pathlib import Path

from lockstep import children
from pipelines.admission import Refusal

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def below(base: Path, sub_path: str, identity: children.Identity | None) -> Path:
    """A folder inside a volume, whose owner may put links there at any moment: no step of the way follows one.

    Raises:
        Refusal: Something else stands in the way.
    """
    parts = [part for part in posixpath.normpath(f"/{sub_path}").split("/") if part]
    directory = os.open(base, _DIRECTORY)
    try:
        for part in parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=directory)
            inner = os.open(part, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
            if identity:
                os.fchown(directory, identity.uid, identity.gid)
    except OSError:
        raise Refusal("TaskRunValidationFailed", f'the subPath "{sub_path}" is not a folder') from None
    finally:
        os.close(directory)
    return base.joinpath(*parts)


def remove(folder: Path) -> None:
    """Take a folder away with all that is in it, also where a step took away the permission to."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for path, names, _ in os.walk(folder):
            for name in names:
                with contextlib.suppress(OSError):
                    inner = Path(path) / name
                    if not inner.is_symlink():
                        inner.chmod(0o700)
        # What resists twice is met again at the next pass.
        shutil.rmtree(folder, ignore_errors=True)


def hand_over(folder: Path, identity: children.Identity) -> None:
    """Give what the service put into a workspace to the user of the steps; no link is followed."""
    for _, names, files, directory in os.fwalk(folder, follow_symlinks=False):
        for name in (*names, *files):
            with contextlib.suppress(FileNotFoundError):  # a step that runs beside may take it away
                found = os.stat(name, dir_fd=directory, follow_symlinks=False)
                # A second name of a file may be one that a step made, of a file that is not ours to give.
                if found.st_uid == os.geteuid() and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1):
                    os.chown(name, identity.uid, identity.gid, dir_fd=directory, follow_symlinks=False)


def plain(name: str) -> str:
    """A name as the name of one file: it comes from a document and may be anything."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)[:100].strip(".") or "_"
