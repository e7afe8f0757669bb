"""A cluster that is a backup: a Velero tarball or a dump of lists. It is read and never written."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from lockstep import errors
from lockstep.sites import backup_reading
from lockstep.sites.disk import typed
from lockstep.sites.ends import Applied, Gap, Inventory, Selection
from lockstep.values import Json, ObjectKey


@dataclass(slots=True)
class BackupCluster:
    """The backup in a file; it is read again when the file is another. Safe between threads.

    ``read_at`` of an inventory is the moment that the backup is of, for that is when it was true.
    """

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _seen: tuple[int, ...] = ()
    _contents: backup_reading.Contents | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def writable(self) -> bool:
        """Nothing is written to a backup."""
        return False

    @property
    def runs(self) -> bool:
        """Nothing runs here."""
        return False

    def read(self, selection: Selection) -> Inventory:
        """What the backup holds of a selection; a namespace that it holds nothing of is a gap.

        Raises:
            UnreachableError, ForbiddenError: The file cannot be read.
            InputError: It is no backup.
        """
        contents = self._read()
        chosen = [key for key in contents.objects if selection.covers(key)]
        return Inventory(
            objects=tuple(contents.objects[key] for key in sorted(chosen)),
            read_at=contents.taken_at,
            method="backup",
            gaps=tuple(sorted({*_gaps(contents, selection), *_absent(contents, selection)})),
        )

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:  # noqa: ARG002 - one version is there
        """One object; None when the backup does not hold it.

        Raises:
            UnreachableError, ForbiddenError: The file cannot be read.
            InputError: It is no backup, or what could be this object cannot be understood.
        """
        contents = self._read()
        hidden = next((gap for gap in contents.gaps if gap.hides(key)), None)
        if key not in contents.objects and hidden is not None:
            raise errors.InputError(f"{self.path}: {hidden.what}: {hidden.why}", remedy="Take the backup again.")
        return contents.objects.get(key)

    def apply(
        self,
        manifest: Mapping[str, Json],  # noqa: ARG002 - refused
        *,
        dry_run: bool = False,  # noqa: ARG002 - refused
        force: bool = False,  # noqa: ARG002 - refused
        before: Mapping[str, Json] | None = None,  # noqa: ARG002 - refused
    ) -> Applied:
        """Nothing is written here. Raises UnsupportedError."""
        raise self._refusal()

    def delete(self, key: ObjectKey, *, api_version: str, uid: str = "") -> bool:  # noqa: ARG002 - refused
        """Nothing is written here. Raises UnsupportedError."""
        raise self._refusal()

    def _refusal(self) -> errors.UnsupportedError:
        return errors.UnsupportedError(
            f"{self.path} is a backup: nothing is written to it.", remedy="Restore it, and name the cluster."
        )

    def _read(self) -> backup_reading.Contents:
        with self._lock, typed(str(self.path)), self.path.open("rb") as file:
            status = os.fstat(file.fileno())
            seen = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if self._contents is None or seen != self._seen:
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                try:
                    self._contents = backup_reading.read(file, modified=modified)
                except errors.InputError as error:
                    raise errors.InputError(f"{self.path}: {error.message}", remedy=error.remedy) from error
                self._seen = seen
            return self._contents


def _asks_beside_namespaces(selection: Selection) -> bool:
    return selection.cluster_scoped is None or bool(selection.cluster_scoped)


def _gaps(contents: backup_reading.Contents, selection: Selection) -> list[Gap]:
    if selection.namespaces is None:
        return [gap for gap in contents.gaps if gap.namespace or _asks_beside_namespaces(selection)]
    wanted = {"*", *selection.namespaces, *([""] if _asks_beside_namespaces(selection) else [])}
    return [gap for gap in contents.gaps if gap.namespace in wanted]


def _absent(contents: backup_reading.Contents, selection: Selection) -> list[Gap]:
    """A backup is often of some namespaces only: of one that it holds nothing of, nothing is known.

    Who asks for everything asks for no namespace by name, and misses none.
    """
    held = {key.namespace for key in contents.objects}
    why = "the backup holds nothing of it, so it may not have been backed up."
    missing = [
        Gap(what=f"namespace {name}", why=why, namespace=name) for name in (selection.namespaces or set()) - held
    ]
    if selection.namespaces is not None and _asks_beside_namespaces(selection) and "" not in held:
        missing.append(Gap(what="objects without a namespace", why=why, namespace=""))
    return missing
