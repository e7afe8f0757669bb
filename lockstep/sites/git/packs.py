"""Copies a pack to a repository on disk, each byte hashed on its way, and nobody sees it before git has vouched for it.

A pack ends with the hash of everything in it, its index with the hash of the index (gitformat-pack(5)). Both were made
by the git that checked each object when it came to us. So a copy with the same hash holds the same objects, and need
not be taken apart again, which is most of what a push of many bytes spends. What remains to be known is whether these
are the objects that are wanted: all that the refs reach, and nothing else. The git of the receiving repository says.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from lockstep import errors
from lockstep.sites import disk
from lockstep.sites.ends import Movement, Stage
from lockstep.sites.git import leftovers, process
from lockstep.sites.git.progress import Heard
from lockstep.sites.git.remote import Remote

_CHUNK = 2**18
# Said to the kernel after so many bytes, it writes them while the next ones are hashed, and not all of them at the end.
_WRITTEN = 2**25
# gitformat-pack(5), version 2 of an index: a head of eight bytes, then 256 counts; the last is of all objects.
_INDEX_HEAD = b"\xfftOc\x00\x00\x00\x02"
_LAST_COUNT = slice(8 + 255 * 4, 8 + 256 * 4)
_INDEX_BEGIN = _LAST_COUNT.stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack with its index."""

    path: Path
    """Of the pack; the index stands beside it."""

    @property
    def index(self) -> Path:
        """Of its index."""
        return self.path.with_suffix(".idx")


def only_one(repository: Path) -> Pack | None:
    """The pack of a repository that has one, as a first fetch leaves it; None when it has none or several."""
    found = list((repository / "objects/pack").glob("pack-*.pack"))
    pack = Pack(path=found[0]) if len(found) == 1 else None
    return pack if pack and pack.index.exists() else None


def bring(pack: Pack, remote: Remote, oids: Iterable[str], *, heard: Heard | None = None) -> bool:
    """Copy a pack to a repository on disk if it holds exactly what some ids reach there; whether it did.

    Args:
        pack: What to copy.
        remote: Where to; a repository of ours, on disk.
        oids: Ids of commits, tags and whatever else refs name.
        heard: Is told how far it is.

    Raises:
        IntegrityError: The pack is not what it was when it came to us.
        UnreachableError: The disk is full, or broken.
        LostWorkError: The job is not ours any longer.
    """
    objects = Path(remote.location) / "objects"
    try:
        with leftovers.apart(objects) as folder:
            aside = Pack(path=folder / "pack" / pack.path.name)
            aside.path.parent.mkdir()
            count = _copied(pack, aside, heard)
            if count != _reached(remote, oids, apart=folder):
                return False
            _put(aside, objects / "pack")
    except OSError as error:
        raise disk.told(remote.address, error) from error
    return True


def _copied(pack: Pack, target: Pack, heard: Heard | None) -> int:
    """Copy both files to the disk; how many objects they hold."""
    size = 32 if "sha256" in (pack.path.parents[2] / "config").read_text() else 20
    whole = _copy(pack.path, target.path, hash_bytes=size, heard=heard)
    _copy(pack.index, target.index, hash_bytes=size)
    with target.index.open("rb") as index:
        begin = index.read(_INDEX_BEGIN)
        index.seek(-2 * size, os.SEEK_END)
        if not begin.startswith(_INDEX_HEAD) or index.read(size) != whole:
            raise _damaged(pack.index)
    return int.from_bytes(begin[_LAST_COUNT])


def _copy(source: Path, target: Path, *, hash_bytes: int, heard: Heard | None = None) -> bytes:
    """Copy a file that ends with the hash of everything before it; that hash."""
    digest = hashlib.new("sha256" if hash_bytes == 32 else "sha1", usedforsecurity=False)
    # As git makes them: for reading only, as far as the umask allows it.
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o444)
    with os.fdopen(descriptor, "wb", buffering=0) as out, source.open("rb", buffering=0) as opened:
        left = whole = os.fstat(opened.fileno()).st_size - hash_bytes
        at = 0
        while left > 0 and (chunk := opened.read(min(_CHUNK, left))):
            digest.update(chunk)
            _write(out, chunk)
            left -= len(chunk)
            if out.tell() - at >= _WRITTEN:
                os.posix_fadvise(descriptor, at, _WRITTEN, os.POSIX_FADV_DONTNEED)
                at += _WRITTEN
                if heard:
                    heard(Movement(stage=Stage.COPYING, done=at, total=whole, size=at))
        told = opened.read(hash_bytes)
        _write(out, told)
        os.fsync(descriptor)
    if digest.digest() != told:
        raise _damaged(source)
    return told


def _write(out: FileIO, chunk: bytes) -> None:
    written = 0
    while written < len(chunk):  # a raw file may take less than it is given
        written += out.write(memoryview(chunk)[written:])


def _reached(remote: Remote, oids: Iterable[str], *, apart: Path) -> int:
    """How many objects some ids reach in what stands apart, as git's own check after a push counts them; -1 if not all.

    Each is looked for, files too (git-rev-list(1), ``--objects``).
    """
    with remote.environment() as env:
        finished = process.run(
            process.Call(
                arguments=["rev-list", "--objects", "--count", "--stdin"],
                directory=Path(remote.location),
                env={**env, "GIT_OBJECT_DIRECTORY": str(apart)},
                stdin="".join(f"{oid}\n" for oid in sorted(set(oids))).encode(),
                timeout_seconds=remote.patience.transfer_seconds,
            )
        )
    return -1 if finished.code else int(finished.out)


def _put(pack: Pack, folder: Path) -> None:
    """Make a pack visible: the index last, because by that git finds it."""
    folder.mkdir(exist_ok=True)
    for path in (pack.path, pack.index):
        path.replace(folder / path.name)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(path: Path) -> errors.IntegrityError:
    return errors.IntegrityError(
        f"Our copy of {path.name} is damaged: it is not what its hash says.",
        remedy="Delete the copy under the state folder; it is fetched anew.",
    )
