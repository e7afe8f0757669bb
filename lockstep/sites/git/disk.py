"""What a file system refuses, as our errors: a disk that is full or broken is one end's problem, never a crash."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from lockstep import errors


@contextlib.contextmanager
def typed(address: str) -> Iterator[None]:
    """Raise for what the file system refuses while the block lasts.

    Args:
        address: The repository that is worked on, fit to be shown.

    Raises:
        ForbiddenError: We may not.
        UnreachableError: Anything else: the disk is full, read-only or broken.
    """
    try:
        yield
    except (PermissionError, NotADirectoryError) as error:
        raise errors.ForbiddenError(
            f"{address} cannot be used: {_said(error, address)}.", remedy="Check the owner and mode of its folders."
        ) from error
    except OSError as error:
        raise errors.UnreachableError(
            f"{address} cannot be used: {_said(error, address)}.", remedy="Check the disk that it is on."
        ) from error


def _said(error: OSError, address: str) -> str:
    """Why, and with which file when that is not the repository itself."""
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return f"{error.strerror}{f' ({name})' if name not in ('', address) else ''}"
