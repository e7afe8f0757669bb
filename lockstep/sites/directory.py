"""A cluster that is a directory of manifests: a warm site, an air gap, the demo.

A person may edit the files by hand. What they write in another way than Lockstep (another ending, JSON, no
escapes, no namespace) is understood; what cannot be understood is a gap, with the file and what to do.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lockstep import clock, documents, errors
from lockstep.sites import directory_reading, object_files
from lockstep.sites.disk import typed
from lockstep.sites.ends import Applied, Change, Inventory, Selection, Sifted
from lockstep.sites.folder import SPARE, Folder
from lockstep.values import Json, ObjectKey

_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryCluster:
    """The directory at ``root``, which must be there: an empty one is an empty cluster. Safe between threads."""

    root: Path
    clock: clock.Clock = field(default_factory=clock.SystemClock)
    _writing: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _cleared: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    @property
    def address(self) -> str:
        """The path."""
        return str(self.root)

    @property
    def writable(self) -> bool:
        """A directory can be written to."""
        return True

    @property
    def runs(self) -> bool:
        """Nothing runs here."""
        return False

    def read(self, selection: Selection) -> Inventory:
        """What is there; every file that cannot be understood is a gap.

        Raises:
            UnreachableError: The directory is not there: an unmounted disk is not an empty cluster.
            ForbiddenError: It cannot be read at all.
        """
        found = self.sift(selection, lambda manifest: manifest)
        return Inventory(objects=found.kept, read_at=found.read_at, method=found.method, gaps=found.gaps)

    def sift(self, selection: Selection, keep: Callable[[dict[str, Json]], _Kept]) -> Sifted[_Kept]:
        """What ``keep`` keeps of what is there; one object at a time is in memory whole. Raises what ``read`` does."""
        now = self.clock.now()
        with self._open() as root:
            reading = directory_reading.Reading(root=root, keep=keep)
            reading.select(selection)
        return Sifted(
            kept=tuple(kept for key, kept in reading.kept() if selection.covers(key)),
            read_at=now,
            method="directory",
            gaps=reading.gaps(),
        )

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:  # noqa: ARG002 - see below
        """One object; None when it is not there. A file has one version, whichever is asked for.

        Raises:
            InputError: Its file cannot be understood, or several files say what it is.
            UnreachableError, ForbiddenError: The directory cannot be read.
        """
        with self._open() as root:
            return directory_reading.one(root, key)

    def apply(
        self,
        manifest: Mapping[str, Json],
        *,
        dry_run: bool = False,
        force: bool = False,  # noqa: ARG002 - nothing in a file belongs to anybody
        before: Mapping[str, Json] | None = None,  # noqa: ARG002 - looking costs nothing here
    ) -> Applied:
        """Make the object's file say exactly what the manifest says; one that says it already is left alone.

        Raises:
            InputError: The manifest's kind, namespace or name cannot be.
            UnreachableError, ForbiddenError: The directory cannot be written to.
        """
        wanted = dict(manifest)
        key = _key(wanted)
        with self._open() as root:
            there, change = _compare(root, key, wanted)
            if change is not Change.UNCHANGED and not dry_run:
                self._write(root, key, wanted, there)
        return Applied(change=change, object=wanted)

    def delete(self, key: ObjectKey, *, api_version: str, uid: str = "") -> bool:  # noqa: ARG002 - a file has neither
        """Delete one object; False when it was not there.

        Raises:
            InputError: No object can have this key.
            UnreachableError, ForbiddenError: The directory cannot be written to.
        """
        with self._open() as root, directory_reading.kind_folder(root, key) as kind:
            removed = [kind.remove(name) for name in object_files.spellings(key.name)] if kind else []
        return any(removed)

    def _write(self, root: Folder, key: ObjectKey, wanted: dict[str, Json], there: list[str]) -> None:
        name = f"{object_files.stem(key.name)}{object_files.ENDINGS[0]}"
        with (
            self._spare(root) as spare,
            root.made(object_files.folder(key.namespace)) as namespace,
            namespace.made(object_files.kind_folder(key.group, key.kind)) as kind,
        ):
            kind.put(name, dump(wanted), spare=spare)
            for other in there:
                if other != name:
                    kind.remove(other)

    def _spare(self, root: Folder) -> Folder:
        spare = root.made(SPARE)
        with self._writing:
            if not self._cleared.is_set():
                spare.clear()
                self._cleared.set()
        return spare

    @contextlib.contextmanager
    def _open(self) -> Iterator[Folder]:
        try:
            root = Folder.at(self.root)
        except FileNotFoundError as error:
            raise errors.UnreachableError(
                f"The directory {self.root} is not there.",
                remedy="Mount its disk, or make it: an empty directory is an empty cluster.",
            ) from error
        except OSError:
            with typed(str(self.root)):
                raise
        with root, typed(str(self.root)):
            yield root


def _key(manifest: dict[str, Json]) -> ObjectKey:
    try:
        key = ObjectKey.of(manifest)
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_object() from error
    if not all(isinstance(part, str) for part in (key.kind, key.namespace, key.name)):
        raise _no_object()
    return key


def _no_object() -> errors.InputError:
    return errors.InputError(
        "A manifest without apiVersion, kind or metadata.name as text cannot be applied.", remedy="Give it all three."
    )


def _compare(root: Folder, key: ObjectKey, wanted: dict[str, Json]) -> tuple[list[str], Change]:
    """The files that say what the object is, and what an apply would do."""
    there = directory_reading.files_of(root, key)
    if not there:
        return there, Change.CREATED
    try:
        current = directory_reading.one(root, key)
    except errors.InputError:
        # It says nothing that anybody understands: whoever applies has decided to replace it.
        return there, Change.CHANGED
    same = current is not None and documents.canonical(current) == documents.canonical(wanted)
    return there, Change.UNCHANGED if same else Change.CHANGED


def dump(manifest: Mapping[str, Json]) -> bytes:
    """The one way in which Lockstep writes an object: what it is first, then everything by name."""
    first = {name: manifest[name] for name in ("apiVersion", "kind", "metadata") if name in manifest}
    return documents.dump({**{name: _sorted(value) for name, value in first.items()}, **_sorted(manifest)}).encode()


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in sorted(value.items())}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
