"""The archive of a site: for each application the full-size rendering, from which a warm site is started.

``<directory>/<application>/`` is laid out like a directory cluster, with a note that says what it is and how to
start it. A rendering is replaced whole: the new one is written beside it, made durable, and exchanged with it
in one step, so that neither a reader nor a power cut ever finds half of one. The one before it is set aside
until the next comes, for readers that are in the middle of it; a reader that is slower than that reads again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from lockstep import clock, errors, values
from lockstep.sites import archive_note, directory, exchange, marks, object_files
from lockstep.sites.archive_note import Record
from lockstep.sites.disk import typed
from lockstep.sites.ends import Applied, Change, Inventory, Selection
from lockstep.values import Json, ObjectKey

_SPARE = ".archive"
_PATIENCE_SECONDS = 60.0
_MOST_NOTE = 2**20
_TRIES = 100
_Seen = TypeVar("_Seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The archive at ``root``, which must be there. Safe between threads and processes."""

    root: Path
    clock: clock.Clock = field(default_factory=clock.SystemClock)

    @property
    def address(self) -> str:
        """The path."""
        return str(self.root)

    def rendering(self, application: str) -> ArchivedRendering:
        """What is kept of an application, as a cluster that is only read.

        Raises:
            InputError: No application can have this name.
        """
        # A label is neither hidden nor a path. The stance of pairs stands beside the applications.
        if not application or application == marks.NAMESPACE:
            raise errors.InputError(f"No application can be called {application!r}.", remedy="Give it another name.")
        return ArchivedRendering(archive=self, application=object_files.folder(application))

    def record(self, application: str) -> Record | None:
        """What is kept of an application; None when nothing is.

        Raises:
            InputError: Its note is damaged.
            UnreachableError, ForbiddenError: The archive cannot be read.
        """
        return self.rendering(application).record()

    def write(self, record: Record, objects: Sequence[Mapping[str, Json]]) -> Change:
        """Keep a rendering in the place of the one before; one that is there already stays as it is.

        Args:
            record: What it is; the number of objects and the digest of their content are filled in.
            objects: All its objects.

        Raises:
            InputError: An object or the application has a name that cannot be.
            ConflictError: Somebody else is writing to the archive, for longer than is waited.
            UnreachableError, ForbiddenError: It cannot be written to.
        """
        there = self.rendering(record.application)
        files = {object_files.path(ObjectKey.of(dict(manifest))): directory.dump(manifest) for manifest in objects}
        whole = replace(record, objects=len(files), content=content_of(files))
        with typed(self.address), self._alone():
            self._restore(record.application)
            change = there.compare(whole, files)
            if change is not Change.UNCHANGED:
                self._replace(whole, files)
        return change

    def _restore(self, application: str) -> None:
        """Put back what was set aside by a writer that was killed before it had put the next in its place."""
        with contextlib.suppress(FileNotFoundError):
            if not (self.root / application).exists():
                (self.root / _SPARE / f"{application}.before").rename(self.root / application)

    def _replace(self, record: Record, files: Mapping[str, bytes]) -> None:
        aside = self.root / _SPARE
        _discard(aside, record.application)
        new = aside / f"{record.application}.{secrets.token_hex(8)}"
        _fill(new, record, files)
        target, before = self.root / record.application, aside / f"{record.application}.before"
        if exchange.exchange(new, target):
            new.rename(before)
        else:
            # Neither is seen for a moment: a reader then takes the one that is set aside.
            with contextlib.suppress(FileNotFoundError):
                target.rename(before)
            new.rename(target)
        _sync(aside)
        _sync(self.root)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the archive alone; the lock ends with its process."""
        if not self.root.is_dir():
            raise errors.UnreachableError(
                f"The archive {self.root} is not there.", remedy="Mount its disk, or make the directory."
            )
        aside = self.root / _SPARE
        aside.mkdir(exist_ok=True)
        descriptor = os.open(aside, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        until = self.clock.monotonic() + _PATIENCE_SECONDS
        try:
            while not _locked(descriptor):
                if self.clock.monotonic() >= until:
                    raise errors.ConflictError(f"Somebody else is writing to {self.root}.", remedy="Try again later.")
                time.sleep(0.05)
            yield
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedRendering:
    """One application's rendering in an archive, as a cluster that nothing runs in and that is only read.

    Every reading is of one rendering, whole, even while the next is put in its place.
    """

    archive: Archive
    application: str

    @property
    def address(self) -> str:
        """The path."""
        return str(self.archive.root / self.application)

    @property
    def writable(self) -> bool:
        """Only whole renderings are written, by the archive."""
        return False

    @property
    def runs(self) -> bool:
        """Nothing runs here."""
        return False

    def read(self, selection: Selection) -> Inventory:
        """What is kept; nothing when no rendering was ever written.

        Raises:
            UnreachableError, ForbiddenError: The archive cannot be read.
        """
        found = self._whole(lambda folder: _cluster(folder, self.archive.clock).read(selection))
        if found is None:
            return Inventory(objects=(), read_at=self.archive.clock.now(), method="archive")
        return replace(found, method="archive")

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object; None when it is not there. Raises as a directory cluster does."""
        return self._whole(lambda folder: _cluster(folder, self.archive.clock).get(key, api_version=api_version))

    def apply(
        self,
        manifest: Mapping[str, Json],  # noqa: ARG002 - refused
        *,
        dry_run: bool = False,  # noqa: ARG002 - refused
        force: bool = False,  # noqa: ARG002 - refused
        before: Mapping[str, Json] | None = None,  # noqa: ARG002 - refused
    ) -> Applied:
        """Objects are not written one by one. Raises UnsupportedError."""
        raise self._refusal()

    def delete(self, key: ObjectKey, *, api_version: str, uid: str = "") -> bool:  # noqa: ARG002 - refused
        """Objects are not deleted one by one. Raises UnsupportedError."""
        raise self._refusal()

    def record(self) -> Record | None:
        """What is kept; None when nothing is.

        Raises:
            InputError: The note is damaged.
            UnreachableError, ForbiddenError: The archive cannot be read.
        """
        data = self._whole(_note)
        return archive_note.read(data, file=f"{self.address}/{archive_note.NAME}") if data is not None else None

    def compare(self, record: Record, files: Mapping[str, bytes]) -> Change:
        """What writing these files would do: nothing when they are there, with a sound note and no other file."""
        try:
            kept = self.record()
        except errors.InputError:
            return Change.CHANGED
        if kept is None:
            return Change.CREATED
        # The time is not a difference.
        same = replace(kept, written_at=record.written_at) == record
        return Change.UNCHANGED if same and self._whole(_files_in) == files else Change.CHANGED

    def _refusal(self) -> errors.UnsupportedError:
        return errors.UnsupportedError(
            f"{self.address} is an archive: whole renderings are written to it.", remedy="Deploy the application."
        )

    def _whole(self, look: Callable[[Path], _Seen]) -> _Seen | None:
        """What a look at the rendering's folder says, of one rendering; None when there is none."""
        root = self.archive.root
        with typed(str(root)):
            if not root.is_dir():
                raise errors.UnreachableError(
                    f"The archive {root} is not there.", remedy="Mount its disk, or make the directory."
                )
            for _ in range(_TRIES):
                descriptor = self._open()
                if descriptor is None:
                    return None
                try:
                    # A name that keeps leading to the folder while another takes its place.
                    seen = look(Path(f"/proc/self/fd/{descriptor}"))
                except (OSError, errors.LockstepError):
                    if self._is_kept(descriptor):
                        raise
                else:
                    if self._is_kept(descriptor):
                        return seen
                finally:
                    os.close(descriptor)
        raise errors.ConflictError(f"{self.address} is written faster than it is read.", remedy="Try again later.")

    @property
    def _folders(self) -> tuple[Path, Path]:
        """Where the rendering is, and where it is in the moment in which neither of two has its name."""
        return self.archive.root / self.application, self.archive.root / _SPARE / f"{self.application}.before"

    def _open(self) -> int | None:
        # Twice, for a rendering may move from the first to the second between the two looks.
        for folder in (*self._folders, *self._folders):
            with contextlib.suppress(FileNotFoundError):
                return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        return None

    def _is_kept(self, descriptor: int) -> bool:
        """Whether nothing of the folder has been removed yet: before that it loses both its names."""
        ours = os.fstat(descriptor)
        for folder in (*self._folders, *self._folders):
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(folder.stat(), ours):
                    return True
        return False


def content_of(files: Mapping[str, bytes]) -> str:
    """The digest of some files by their names."""
    return values.sha256(b"".join(f"{name} {values.sha256(data)}\n".encode() for name, data in sorted(files.items())))


def _cluster(folder: Path, time_: clock.Clock) -> directory.DirectoryCluster:
    return directory.DirectoryCluster(root=folder, clock=time_)


def _note(folder: Path) -> bytes | None:
    try:
        with (folder / archive_note.NAME).open("rb") as note:
            return note.read(_MOST_NOTE)
    except FileNotFoundError:
        return None


def _discard(aside: Path, application: str) -> None:
    """Remove what earlier writers left, and the rendering before; it loses its name before it loses a file."""
    for stray in aside.glob(f"{application}.*"):
        doomed = aside / f"{application}.{secrets.token_hex(8)}"
        stray.rename(doomed)
        shutil.rmtree(doomed)


def _files_in(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path, without the note; what is no regular file is there without content."""
    found = {path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    return {
        path.relative_to(folder).as_posix(): b"" if path.is_symlink() or not path.is_file() else path.read_bytes()
        for path in found - {folder / archive_note.NAME}
    }


def _fill(folder: Path, record: Record, files: Mapping[str, bytes]) -> None:
    """Write a whole rendering durably: first every file, then each to the disk, which costs less in this order."""
    whole = {
        **{folder / name: data for name, data in files.items()},
        folder / archive_note.NAME: archive_note.write(record),
    }
    folders = {folder, *(parent for path in whole for parent in path.parents if parent.is_relative_to(folder))}
    for parent in sorted(folders):
        parent.mkdir()
    for path, data in whole.items():
        path.write_bytes(data)
    for path in (*whole, *folders):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
