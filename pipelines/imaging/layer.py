"""A directory as a layer: one tar archive, gzipped, whose bytes depend on nothing but names and contents.

Sorted names, owner and group 0, one moment for all, modes 0755 and 0644 by the executable bit; symbolic links as
they are; long and non-ASCII names by PAX headers. Devices, set-user-id bits and extended attributes are not kept.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from lockstep import errors
from lockstep.settings import Building
from pipelines.imaging.files import Entry, walk

_CHUNK = 2**20
_BLOCK = 512
# RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system. The same whoever compresses.
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LEVEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A packed layer: ``digest`` and ``size`` of the compressed bytes, ``diff_id`` of the archive inside."""

    digest: str
    diff_id: str
    size: int
    entries: int


def pack(root: Path, path: str, into: IO[bytes], *, at: str = "/", epoch: int = 0, limits: Building) -> Layer:
    """Pack the directory ``path`` below ``root`` into a file, to be unpacked at ``at``.

    Raises:
        InputError: It holds what cannot be part of an image, or more than the limits allow.
        NotFoundError: There is no such directory.
        IntegrityError: A file changed while it was read.
    """
    archive = _Archive(into)
    size = entries = 0
    for header, entry in _headers(root, path, at, epoch):
        entries += 1
        size += entry.size
        if entries > limits.most_files or size > limits.most_bytes:
            raise errors.InputError(
                f"At {entry.path!r} the directory has more than {limits.most_files} entries or "
                f"{limits.most_bytes} bytes.",
                remedy="Leave out what the image does not need.",
            )
        archive.write(header)
        if entry.size:
            _copy(entry, archive)
    archive.write(bytes(2 * _BLOCK))
    return archive.finish(entries)


def _headers(root: Path, path: str, at: str, epoch: int) -> Iterator[tuple[bytes, Entry]]:
    prefix = at.strip("/")
    parents = reversed(PurePosixPath(prefix).parents) if prefix else ()
    for parent in [str(one) for one in parents if str(one) != "."] + ([prefix] if prefix else []):
        entry = Entry(path=parent, kind=stat.S_IFDIR)
        yield _header(entry, parent, epoch), entry
    for entry in walk(root, path):
        yield _header(entry, f"{prefix}/{entry.path}" if prefix else entry.path, epoch), entry


def _header(entry: Entry, name: str, epoch: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.mtime = epoch
    info.size = entry.size
    info.mode = 0o644
    if entry.kind == stat.S_IFDIR:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    elif entry.kind == stat.S_IFLNK:
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, entry.target
    elif entry.executable:
        info.mode = 0o755
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _copy(entry: Entry, archive: _Archive) -> None:
    left = entry.size
    while left:
        chunk = os.read(entry.descriptor, min(_CHUNK, left))
        if not chunk:
            raise errors.IntegrityError(f"{entry.path!r} became shorter while it was read.", remedy="Build again.")
        archive.write(chunk)
        left -= len(chunk)
    archive.write(bytes(-entry.size % _BLOCK))


class _Archive:
    """Bytes on their way through gzip into a file, both ends hashed."""

    def __init__(self, into: IO[bytes]) -> None:
        self._into = into
        self._plain = hashlib.sha256()
        self._packed = hashlib.sha256()
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc = self._plain_size = self._packed_size = 0
        self._put(_GZIP_HEAD)

    def write(self, data: bytes) -> None:
        """Append to the archive."""
        self._plain.update(data)
        self._plain_size += len(data)
        self._crc = zlib.crc32(data, self._crc)
        self._put(self._deflate.compress(data))

    def finish(self, entries: int) -> Layer:
        """Close the archive."""
        self._put(self._deflate.flush() + struct.pack("<II", self._crc, self._plain_size % 2**32))
        return Layer(
            digest=f"sha256:{self._packed.hexdigest()}",
            diff_id=f"sha256:{self._plain.hexdigest()}",
            size=self._packed_size,
            entries=entries,
        )

    def _put(self, data: bytes) -> None:
        self._packed.update(data)
        self._packed_size += len(data)
        self._into.write(data)
