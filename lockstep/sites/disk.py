"""What a file system refuses, as our errors: a disk that is full or broken is one end's problem, never a crash."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from lockstep import errors

_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_FOLDER = frozenset({errno.ENOTDIR, errno.ELOOP, errno.EISDIR})


@contextlib.contextmanager
def typed(place: str | Path) -> Iterator[None]:
    """Raise for what the operating system refuses while the block lasts; ``place`` is what it is about.

    Raises:
        ForbiddenError: We may not.
        UnreachableError: The disk is full, gone or broken, or something else stands in the way.
    """
    try:
        yield
    except OSError as error:
        raise told(place, error) from error


def told(place: str | Path, error: OSError) -> errors.LockstepError:
    """The error of the house for one of the operating system, about a place that is fit to be shown."""
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    where = "" if name in ("", str(place)) else f" ({name})"
    message = f"{place}: {error.strerror or error}{where}."
    if error.errno in _FORBIDDEN:
        return errors.ForbiddenError(message, remedy="Let the user that runs Lockstep read and write it.")
    if error.errno in _NO_FOLDER:
        remedy = "Remove the file or link that stands in the place of a folder: links are not followed."
        return errors.UnreachableError(message, remedy=remedy)
    if error.errno in _FULL:
        return errors.UnreachableError(message, remedy="Make room on that disk.")
    return errors.UnreachableError(message, remedy="Check that the disk is mounted and whole.")
