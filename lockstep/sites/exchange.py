"""Two folders change places in one step."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

_AT_CWD = -100  # fcntl.h, AT_FDCWD
_EXCHANGE = 2  # linux/fs.h, RENAME_EXCHANGE
_CANNOT = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EXDEV})


def exchange(one: Path, other: Path) -> bool:
    """Give two folders each other's names (renameat2(2)); False where it cannot be done, and nothing has changed.

    It cannot be done when one is not there, on network file systems, and without glibc 2.28 or musl 1.2.6.

    Raises:
        OSError: It could be done, and failed.
    """
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT or number == errno.ENOENT:
        return False
    raise OSError(number, os.strerror(number), str(one))
