"""What the operating system refuses is one end's problem, with its place and what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import disk


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        (errno.EACCES, errors.ForbiddenError, "read and write"),
        (errno.EROFS, errors.ForbiddenError, "read and write"),
        (errno.ENOSPC, errors.UnreachableError, "Make room"),
        (errno.ENOTDIR, errors.UnreachableError, "links are not followed"),
        (errno.EIO, errors.UnreachableError, "mounted and whole"),
    ],
)
def test_each_refusal_says_where_and_what_to_do(code: int, kind: type[errors.LockstepError], remedy: str) -> None:
    """The place, the words of the operating system, the file where that is another, and a remedy that fits."""
    with (
        pytest.raises(kind, match=f"/srv/images: {os.strerror(code)} \\(/srv/images/x\\)") as caught,
        disk.typed("/srv/images"),
    ):
        raise OSError(code, os.strerror(code), "/srv/images/x")
    assert remedy in caught.value.remedy


def test_what_is_no_matter_of_the_disk_passes(tmp_path: Path) -> None:
    """Errors of the house come out as they are; the place is not said twice."""
    with pytest.raises(errors.IntegrityError), disk.typed(tmp_path):
        raise errors.IntegrityError("Other bytes.")
    assert str(tmp_path) not in disk.told(tmp_path, OSError(errno.EIO, "lost", str(tmp_path))).message.partition(":")[2]
