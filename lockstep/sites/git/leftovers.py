"""What a killed process of ours, or the git that it ran, left on a disk: nobody would ever look at it again."""

from __future__ import annotations

import contextlib
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


def _is_abandoned(place: Path, before: float) -> bool:
    """Whether this is such a folder, and nobody is at work in it any more."""
    if not _OURS.fullmatch(place.name) or place.is_symlink():
        return False
    try:
        return {path.name for path in place.iterdir()} <= {"git"} and place.stat().st_mtime <= before
    except OSError:  # somebody else swept it, or it is no folder
        return False
