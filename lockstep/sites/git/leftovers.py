"""What a killed process of ours, or the git that it ran, left on a disk: nobody would ever look at it again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_NEW = ".new-"
# What tempfile.mkdtemp adds to a prefix: a folder that a person named looks otherwise.
_OURS = re.compile(r"\.new-[a-z0-9_]{8}")
# A repository is made in milliseconds; a folder older than this is nobody's, whoever else may be at work beside it.
_OLD_SECONDS = 600.0
# Git would prune what begins so, after two weeks (git-prune(1)); the rest of it says that it is ours.
_APART = "tmp_objdir-lockstep-"
# What a git that was killed leaves in a repository that it wrote to. Nobody writes to one of these for a day.
_OF_GIT = ("tmp_objdir-*", "pack/tmp_*")
_DEAD_SECONDS = 86400.0
# Packs and objects that never got their name, and marks that keep a pack that arrived from being packed with
# others (git-index-pack(1), "--keep"): git takes them away itself unless it is killed.
_UNFINISHED = ("pack/tmp_*", "pack/.tmp-*", "pack/*.keep", "[0-9a-f][0-9a-f]/tmp_obj_*")


@contextlib.contextmanager
def making(folder: Path, *, alone: bool = False) -> Iterator[Path]:
    """A path at which nobody looks, to make a repository at while the block lasts; abandoned ones are swept first.

    Args:
        folder: Where it will have its place.
        alone: Nobody else makes one here: the caller holds the lock.
    """
    before = time.time() - (0.0 if alone else _OLD_SECONDS)
    for place in folder.glob(f"{_NEW}*"):
        if _is_abandoned(place, before):
            shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_NEW) as made:
        yield Path(made) / "git"


def sweep_objects(objects: Path) -> int:
    """Take away what fetches that were killed left among the objects of a repository of ours; how many files.

    The caller is the one who writes there: it holds the lock, so whatever is unfinished is nobody's.
    """
    left = [path for pattern in _UNFINISHED for path in objects.glob(pattern)]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


@contextlib.contextmanager
def apart(objects: Path) -> Iterator[Path]:
    """A folder among the objects of a repository at which no git looks, while the block lasts.

    It is locked as long as its process lives, so that the next one knows at once whether it is nobody's.
    """
    while True:
        with tempfile.TemporaryDirectory(dir=objects, prefix=_APART) as made, _owned(Path(made)):
            if not Path(made).exists():  # it was swept before it was locked
                continue
            yield Path(made)
            return


def sweep_site(objects: Path) -> int:
    """Take away what processes that were killed left in a repository that we push to; how many files and folders.

    What is ours goes at once, what any git leaves after a day: others may push there too.
    """
    ours = [place for place in objects.glob(f"{_APART}*") if _is_nobodys(place)]
    before = time.time() - _DEAD_SECONDS
    left = [place for pattern in _OF_GIT for place in objects.glob(pattern) if _last_change(place) < before]
    for place in {*ours, *left}:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
    return len({*ours, *left})


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: then age alone tells
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_nobodys(folder: Path) -> bool:
    """Whether the process that made a folder is gone: it would hold its lock."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _last_change(place: Path) -> float:
    """When something of it was last written; never, when it goes away meanwhile."""
    try:
        within = list(place.rglob("*")) if place.is_dir() and not place.is_symlink() else []
        return max(path.lstat().st_mtime for path in [place, *within])
    except OSError:
        return float("inf")


def _is_abandoned(place: Path, before: float) -> bool:
    """Whether this is such a folder, and nobody is at work in it any more."""
    if not _OURS.fullmatch(place.name) or place.is_symlink():
        return False
    try:
        return {path.name for path in place.iterdir()} <= {"git"} and place.stat().st_mtime <= before
    except OSError:  # somebody else swept it, or it is no folder
        return False
