"""Writes the tree of a commit to a folder, and runs nothing on the way.

No hook, filter, attribute or submodule of the repository takes part: files are written byte for byte as they
are in git, each checked against its id. Files that are only pointers (git LFS), and submodules, are said; they
are not fetched.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lockstep import errors
from lockstep.sites import trees
from lockstep.sites.git import blobs, failures, process
from lockstep.sites.git.cache import Cache

# git-lfs, docs/spec.md, "The Pointer": it begins so, and is smaller than 1024 bytes.
_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What was written, and what a reader of it should know."""

    files: int
    bytes: int
    lfs: tuple[str, ...] = ()
    """Files that are pointers to content elsewhere."""
    submodules: tuple[str, ...] = ()
    """Folders whose content is in another repository: it is not there."""
    alike: tuple[tuple[str, ...], ...] = ()
    """Paths that some file systems take for one."""


def extract(cache: Cache, oid: str, into: Path, *, path: str = ".", bounds: trees.Bounds | None = None) -> Extracted:
    """Write the tree of a commit to a folder: all of it, or nothing.

    Args:
        cache: Our own copy of the repository.
        oid: The commit's whole id.
        into: The folder; it is made, and must be empty if it is there.
        path: Only what is below this path of the repository; paths stay as they are in the repository.
        bounds: How large it may be.

    Raises:
        NotFoundError: There is no such commit or path here.
        RefusedError: The tree would do harm, or is too large; names the file.
        IntegrityError: Our copy is damaged.
        TemporaryError: The disk does not take it.
    """
    path = posixpath.normpath(path)
    bounds = bounds or trees.Bounds()
    entries = trees.parse(_list(cache.repository, cache.commit(oid).oid, path, bounds))
    if not entries and path != ".":
        raise errors.NotFoundError(f"There is no {path} in commit {oid[:12]}.", remedy="Mend the path.")
    trees.check(entries, bounds)
    files = [entry for entry in entries if entry.is_file]
    links = _targets(cache.repository, [entry for entry in entries if entry.is_link])
    trees.check_links(links)
    with _appearing(into) as folder:
        lfs = _write(cache.repository, files, links, folder)
    return Extracted(
        files=len(files),
        bytes=sum(file.size for file in files),
        lfs=lfs,
        submodules=tuple(entry.path for entry in entries if entry.is_submodule),
        alike=trees.alike(entries),
    )


def _list(repository: Path, commit: str, path: str, bounds: trees.Bounds) -> bytes:
    """The listing of a tree, given up as soon as it is too long: a few small trees can name themselves for ever."""
    listing = bytearray()
    files = 0

    def take(chunk: bytes) -> None:
        nonlocal files
        listing.extend(chunk)
        files += chunk.count(b"\0")
        if files > bounds.most_files:
            raise errors.RefusedError(
                f"The tree holds more than {bounds.most_files} files.",
                remedy="Check out a folder of it, or raise the bound.",
            )

    only = [] if path == "." else ["--", path]
    call = process.Call(arguments=["ls-tree", "-r", "-z", "-l", "--full-tree", commit, *only], directory=repository)
    finished = process.run(call, on_stdout=take)
    if finished.code:
        raise failures.failure(finished, address=str(repository))
    return bytes(listing)


def _targets(repository: Path, links: Sequence[trees.Entry]) -> dict[str, str]:
    """Where each link points."""
    contents = {link.path: bytearray() for link in links}
    wanted = [blobs.Wanted(oid=link.oid, size=link.size, open=partial(_keep, contents[link.path])) for link in links]
    blobs.read(repository, wanted)
    return {path: os.fsdecode(bytes(content)) for path, content in contents.items()}


@contextlib.contextmanager
def _appearing(into: Path) -> Iterator[Path]:
    """A folder that takes its place, whole, when the block ends well, and leaves nothing when it does not."""
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into.parent, prefix=".new-") as temporary:
            folder = Path(temporary) / "tree"
            folder.mkdir()
            yield folder
            folder.rename(into)
    except OSError as error:
        raise errors.TemporaryError(
            f"{into} cannot be written: {error.strerror}.", remedy="Free space there; the folder must be empty."
        ) from error


def _write(repository: Path, files: Sequence[trees.Entry], links: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """Write files, then links, so that no file can go through a link; the paths of LFS pointers."""
    lfs: list[str] = []
    for parent in sorted({path.rpartition("/")[0] for path in [*links, *(file.path for file in files)]}):
        (folder / parent).mkdir(parents=True, exist_ok=True)
    blobs.read(
        repository,
        [blobs.Wanted(oid=file.oid, size=file.size, open=partial(_open, folder, file, lfs)) for file in files],
    )
    for path, target in links.items():
        (folder / path).symlink_to(target)
    return tuple(lfs)


@contextlib.contextmanager
def _keep(content: bytearray) -> Iterator[blobs.Sink]:
    yield content.extend


@contextlib.contextmanager
def _open(folder: Path, file: trees.Entry, lfs: list[str]) -> Iterator[blobs.Sink]:
    """A new file to write to; one that turns out to be a pointer is added to ``lfs``."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(folder / file.path, flags, file.permissions), "wb") as written:
        if file.size >= _LFS_BYTES:
            yield written.write
            return
        content = bytearray()
        yield content.extend
        written.write(content)
        if content.startswith(_LFS):
            lfs.append(file.path)
