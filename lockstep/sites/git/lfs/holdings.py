"""What our own copy knows of large files: which the mirrored refs reach, and which were seen at which site.

It can be deleted at any time: it is looked for, and asked for, anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from lockstep import errors
from lockstep.sites.ends import LargeFile
from lockstep.sites.git.lfs.scanning import scan
from lockstep.sites.git.lfs.shelf import Shelf

# A site may lose what it had: it is asked about everything again after this.
_SURE_SECONDS = 86400.0


class Holdings:
    """The large files of one repository; implements ``ends.LargeStock``.

    Args:
        folder: Where it keeps what it knows.
        repository: Our bare copy.
    """

    def __init__(self, folder: Path, repository: Path) -> None:
        self._folder = folder
        self._repository = repository
        self.shelf = Shelf(folder / "objects")

    def clear(self) -> None:
        """Take the files off the shelf: they are wherever they should be."""
        self.shelf.clear()

    def wanted(self, tips: Iterable[str]) -> frozenset[LargeFile]:
        """The files that some commits and tags reach; only what is new since the last time is looked through.

        Raises:
            IntegrityError, RefusedError: As ``scanning.scan``.
        """
        now = sorted(set(tips))
        if not now:  # nothing may have been fetched yet, and there is no repository to look through
            return frozenset()
        digest = hashlib.sha256("\n".join(now).encode()).hexdigest()
        known = _read(self._folder / "wanted.json")
        if known.get("digest") == digest:
            return _files(known)
        before = [tip for tip in known.get("tips", []) if isinstance(tip, str)]
        files = self._grown(_files(known), before, now) if before else None
        if files is None:
            files = frozenset(scan(self._repository, now))
        listed = {file.oid: file.size for file in files}
        _write(self._folder / "wanted.json", {"digest": digest, "tips": now, "files": listed})
        return files

    def seen_at(self, site: str, address: str) -> frozenset[LargeFile]:
        """The files that a site was seen to have not long ago; none when it is at another address now."""
        known = _read(self._at(site))
        since = known.get("since")
        if known.get("address") != address or not isinstance(since, float) or time.time() - since >= _SURE_SECONDS:
            return frozenset()
        return _files(known)

    def saw_at(self, site: str, address: str, files: Collection[LargeFile], *, all_of_them: bool) -> None:
        """Remember that a site has these at an address; ``all_of_them`` when it was asked about each just now."""
        since = time.time() if all_of_them else _read(self._at(site)).get("since", time.time())
        listed = {file.oid: file.size for file in files}
        _write(self._at(site), {"address": address, "since": since, "files": listed})

    def forget(self, site: str) -> None:
        """Forget what a site was seen to have."""
        self._at(site).unlink(missing_ok=True)

    def _at(self, site: str) -> Path:
        return self._folder / "at" / f"{site}.json"

    def _grown(self, known: frozenset[LargeFile], before: list[str], now: list[str]) -> frozenset[LargeFile] | None:
        """What is known with what the new tips add; None when it has to be counted anew.

        What only old tips reached is asked for no longer: whether there was any tells whether to count anew.
        """
        gone = sorted(set(before) - set(now))
        try:
            if known and gone and scan(self._repository, gone, without=now):
                return None
            return known | scan(self._repository, set(now) - set(before), without=before)
        except (errors.IntegrityError, errors.RefusedError):  # an old tip is no longer here, or of another format
            return None


def _files(known: Mapping[str, Any]) -> frozenset[LargeFile]:
    listed = known.get("files", {})
    return frozenset(LargeFile(oid=oid, size=size) for oid, size in listed.items())


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def _write(path: Path, known: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(known, file)
    Path(temporary).replace(path)
