"""Large files on a disk, where git LFS itself keeps them: ``<repository>/lfs/objects/aa/bb/<oid>``."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lockstep import errors
from lockstep.sites import disk
from lockstep.sites.ends import LargeFile

_CHUNK = 2**20


class Shelf:
    """A folder of large files; implements ``ends.LargeFiles``. Nothing incomplete is ever seen in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def address(self) -> str:
        """The folder."""
        return str(self._folder)

    def lacks(self, files: Sequence[LargeFile]) -> set[LargeFile]:
        """Those that are not here, whole."""
        return {file for file in files if self._size(file) != file.size}

    @contextmanager
    def read(self, file: LargeFile) -> Iterator[Iterator[bytes]]:
        """The content in chunks, verified as it ends. Raises NotFoundError, IntegrityError."""
        try:
            opened = self._path(file).open("rb")
        except FileNotFoundError as error:
            raise errors.NotFoundError(
                f"{self.address} has no large file {file.oid[:12]}.", remedy="Push it there: git lfs push --all."
            ) from error
        except OSError as error:
            raise disk.told(self._folder, error) from error
        with opened:
            yield verified(file, iter(lambda: opened.read(_CHUNK), b""), where=self.address)

    def write(self, file: LargeFile, chunks: Iterable[bytes]) -> None:
        """Write one; it is here when this returns, or not at all. Raises IntegrityError, TemporaryError."""
        path = self._path(file)
        with _typed(self._folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_part(file))
        try:
            with os.fdopen(descriptor, "wb") as out, _typed(self._folder):
                for chunk in verified(file, chunks, where="what was sent"):
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            with _typed(self._folder):
                self._put(file, Path(temporary))
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise

    def clear(self) -> None:
        """Take everything away: for a shelf of ours whose files are everywhere."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _put(self, file: LargeFile, written: Path) -> None:
        """Show a file that is whole, and take away the parts of it that writers left who were killed."""
        path = self._path(file)
        try:
            written.chmod(0o644)
            written.replace(path)
        except FileNotFoundError:
            if self._size(file) != file.size:  # else somebody else put it there, and took ours for such a part
                raise
        for part in path.parent.glob(f"{_part(file)}*"):
            part.unlink(missing_ok=True)

    def _path(self, file: LargeFile) -> Path:
        return self._folder / file.oid[:2] / file.oid[2:4] / file.oid

    def _size(self, file: LargeFile) -> int:
        with contextlib.suppress(FileNotFoundError), _typed(self._folder):
            return self._path(file).stat().st_size
        return -1


def _part(file: LargeFile) -> str:
    """How the name of a file begins while it is written."""
    return f".new-{file.oid}-"


def verified(file: LargeFile, chunks: Iterable[bytes], *, where: str) -> Iterator[bytes]:
    """The same chunks; raises IntegrityError as soon as they cannot be the file, at the latest at their end."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > file.size:
            break
        digest.update(chunk)
        yield chunk
    if size != file.size or digest.hexdigest() != file.oid:
        raise errors.IntegrityError(
            f"The large file {file.oid[:12]} of {where} is not what its id says ({size} of {file.size} bytes).",
            remedy="Push it to the source again: git lfs push --all.",
        )


@contextlib.contextmanager
def _typed(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise disk.told(folder, error) from error
