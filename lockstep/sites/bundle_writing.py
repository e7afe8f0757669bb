"""Writes a bundle: one tar of OCI layouts, streamed, the same bytes for the same images."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from lockstep import errors
from lockstep.sites import bundle_list, disk, layout_files
from lockstep.sites.bundle_list import Member, TransferList

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
"""What ends a tar (POSIX pax)."""

Reading = Callable[[Member], AbstractContextManager[Iterable[bytes]]]
"""Gives the bytes of a member that has a digest, verified as they end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an archive is: its size in bytes, and the SHA-256 of the whole in hexadecimal."""

    size: int
    sha256: str


def header(name: str, size: int, *, link: str = "") -> bytes:
    """The header of a member: nothing in it comes from this machine or this moment."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.linkname = size, 0o644, link
    info.type = tarfile.LNKTYPE if link else tarfile.REGTYPE
    return info.tobuf(tarfile.PAX_FORMAT)


def padding(size: int) -> int:
    """The bytes between the end of a member and the next block."""
    return -size % BLOCK


def write(path: Path, listed: TransferList, read: Reading) -> Written:
    """Write an archive, and its transfer list beside it (``list_beside``). Nobody sees either before it is whole.

    Args:
        path: The archive; one that is there is replaced.
        listed: What it holds.
        read: Where the bytes come from. What it raises ends the writing, and is raised.

    Raises:
        IntegrityError: A member has another size than the list says.
        UnreachableError, ForbiddenError: The file cannot be written.
    """
    with disk.typed(path):
        draft = layout_files.Draft(path.parent)
    with draft:
        out = _Hashed(draft, path)
        raw = bundle_list.dump(listed)
        out.member(Member(name=bundle_list.NAME, size=len(raw), data=raw), ())
        for member in bundle_list.members(listed):
            if member.data is not None or member.link:
                out.member(member, ())
            else:
                with read(member) as chunks:
                    out.member(member, chunks)
        out.put(END)
        written = Written(size=out.size, sha256=out.sha256)
        with disk.typed(path):
            # Never an archive beside the list of another one.
            list_beside(path).unlink(missing_ok=True)
            draft.publish(path)
    with disk.typed(path):
        said = bundle_list.dump(listed, archive={"size": written.size, "sha256": written.sha256})
        layout_files.place(list_beside(path), said, home=path.parent)
    return written


def list_beside(path: Path) -> Path:
    """The transfer list that is written beside an archive."""
    return path.with_name(f"{path.name}.json")


class _Hashed:
    """A file that is written and hashed at once."""

    def __init__(self, draft: layout_files.Draft, path: Path) -> None:
        self._draft = draft
        self._path = path
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._hash.hexdigest()

    def put(self, data: bytes) -> None:
        """Append bytes."""
        self._hash.update(data)
        self.size += len(data)
        with disk.typed(self._path):
            self._draft.write(data)

    def member(self, member: Member, chunks: Iterable[bytes]) -> None:
        """Append a member."""
        self.put(header(member.name, member.size, link=member.link))
        begin = self.size
        for chunk in chunks if member.data is None else (member.data,):
            self.put(chunk)
        if self.size - begin != member.size:
            raise errors.IntegrityError(f"{member.digest} has another size than its image says.")
        self.put(bytes(padding(member.size)))
