"""Our own copy of one repository: fetched once, pushed many times, read by everybody.

The folder holds a bare repository (``repository``), whose refs are one file (see ``packed``), locks between
processes (``locks``) and what pushes start from (``views``). It can be deleted at any time: it is fetched anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from lockstep import children, errors, values
from lockstep.sites import disk, ends
from lockstep.sites.git import failures, fetching, history, leftovers, locks, names, packed, process, submodules
from lockstep.sites.git.lfs.holdings import Holdings
from lockstep.sites.git.progress import Heard
from lockstep.sites.git.pushing import Pusher
from lockstep.sites.git.remote import Remote

_STAGING = "refs/mirror/"
_BESIDE = "refs/beside/"
# How long one process waits while another fetches the same repository; then the job is tried again later.
_WAIT_SECONDS = 20.0
# A view this old is of a push that was killed.
_OLD_SECONDS = 86400.0
# When git itself would pack (git-gc(1), gc.auto and gc.autoPackLimit).
_MOST_LOOSE = 6700
_MOST_PACKS = 50
# Digits that tell the places apart that a repository is pushed to.
_MARK = 16
# A run may wait for its approval long after its branch was rewritten.
_PRUNE = "90.days.ago"


class Cache:
    """A bare copy of one repository in a folder of ours; implements ``ends.GitCache`` and ``ends.GitHistory``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self._contained: set[tuple[str, str]] = set()
        self._asking = threading.Lock()

    @property
    def large(self) -> Holdings:
        """What is known of its large files."""
        return Holdings(self.folder / "lfs", self.repository)

    # --- mirroring

    def staged(self) -> dict[str, str]:
        """The source's refs as they were last brought here."""
        return {
            f"refs/{name.removeprefix(_STAGING)}": oid
            for name, oid in packed.read(self.repository).items()
            if name.startswith(_STAGING)
        }

    def fetch(
        self, remote: ends.GitRemote, refs: Mapping[str, str], *, beside: str = "", heard: Heard | None = None
    ) -> int:
        """Make the staging namespace hold exactly these refs; how many ids had to be fetched.

        Ids are asked for, not names: what comes is what was advertised, or nothing.

        Raises:
            UnreachableError, RefusedError, IntegrityError, ConflictError: As ``ends.GitCache`` says.
        """
        namespace = f"{_BESIDE}{beside}/" if beside else _STAGING
        _check(refs)
        lock = locks.held(self.folder / "locks/fetch", what=str(self.folder), wait_seconds=_WAIT_SECONDS)
        with disk.typed(str(self.folder)), lock:
            if beside and self._object_format:
                self._require(object_format_of(refs.values()), remote)
            else:
                self._prepare(object_format_of(refs.values()))
            known = packed.read(self.repository)
            missing = sorted(set(refs.values()) - set(known.values()))
            if missing:
                leftovers.sweep_objects(self.repository / "objects")
                fetching.fetch(self.repository, _wired(remote), missing, heard=heard)
            staged = {f"{namespace}{name.removeprefix('refs/')}": oid for name, oid in refs.items()}
            others = {name: oid for name, oid in known.items() if not name.startswith(namespace)}
            if known != {**others, **staged}:
                packed.write(self.repository, {**others, **staged})
        return len(missing)

    def push(
        self, remote: ends.GitRemote, updates: Sequence[ends.RefUpdate], *, heard: Heard | None = None
    ) -> list[ends.PushResult]:
        """Push exact ids with a lease for each ref; one result for each update, in order."""
        _check({update.ref: update.new or update.old for update in updates})
        pusher = Pusher(repository=self.repository, views=self.folder / "views", remote=_wired(remote), heard=heard)
        with disk.typed(remote.address):
            if not self._object_format:  # an emptied source was let go, and ours was lost: nothing is fetched any more
                self._make_for(updates)
            mark = self._mark(pusher.remote)
            if died_since := _marked(mark):
                pusher.remote.clear_stale_locks(died_since=died_since)
            results = pusher.push(updates)
            # The mark of one that died stays until nothing is locked there: what it locked is told by its time.
            if not died_since or not pusher.remote.is_locked:
                mark.unlink(missing_ok=True)
        return results

    def writer(self, site: str) -> AbstractContextManager[None]:
        """Be the one writer of this repository to a site while the block lasts. Raises ConflictError."""
        return locks.held(self.folder / "locks" / f"site-{site}", what=f"{self.folder.name} at {site}")

    def tidy(self) -> None:
        """Pack what has piled up, if it has; what nothing names any more is kept for three months."""
        with contextlib.suppress(errors.ConflictError), locks.held(self.folder / "locks/fetch", what=str(self.folder)):
            for view in (self.folder / "views").glob("*"):
                if view.stat().st_mtime < time.time() - _OLD_SECONDS:
                    shutil.rmtree(view, ignore_errors=True)
            if _has_piled_up(self.repository / "objects"):
                self._run(["-c", "gc.packRefs=false", "gc", "--quiet", f"--prune={_PRUNE}"])

    def has(self, oid: str) -> bool:
        """Whether the object is here."""
        return values.is_oid(oid) and self._run(["cat-file", "-e", oid]).code == 0

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` contains ``older``; False when either is not here."""
        if not (values.is_oid(older) and values.is_oid(newer)):
            return False
        # Every site asks the same, at once; a yes stays one, a no may come from an object that is not here yet.
        with self._asking:
            if (older, newer) in self._contained:
                return True
            asked = process.Call(
                arguments=["merge-base", "--is-ancestor", older, newer], directory=self.repository, fleeting=True
            )
            if process.run(asked).code == 0:
                self._contained.add((older, newer))
                return True
        return False

    # --- reading

    def resolve(self, revision: str) -> str | None:
        """The commit that an id (whole or begun), a full ref, a branch or a tag means; None when it is not here."""
        return history.resolve(self.repository, revision, staged=self.staged())

    def commit(self, oid: str) -> ends.Commit:
        """One commit. Raises NotFoundError."""
        return history.log(self.repository, oid, most=1)[0]

    def log(self, revision: str, *, most: int = 20, path: str = ".") -> list[ends.Commit]:
        """The last commits that changed a path, the newest first. Raises NotFoundError."""
        oid = self.resolve(revision)
        if oid is None:
            raise errors.NotFoundError(f"There is no {revision!r} here.", remedy="Mirror the repository again.")
        return history.log(self.repository, oid, most=most, path=path)

    def changed_paths(self, old: str, new: str) -> list[str]:
        """Paths that differ between two commits, sorted; all of ``new`` when ``old`` is empty."""
        return history.changed_paths(self.repository, old, new)

    def submodules(self, oid: str) -> list[ends.Submodule]:
        """The other repositories that a commit names; none of them is contacted."""
        return submodules.read(self.repository, oid) if values.is_oid(oid) else []

    # --- inside

    def _run(self, arguments: Sequence[str]) -> children.Finished:
        return process.run(process.Call(arguments=arguments, directory=self.repository))

    @property
    def _object_format(self) -> str:
        """Of the repository; empty when there is none yet."""
        try:
            config = (self.repository / "config").read_text()
        except FileNotFoundError:
            return ""
        return "sha256" if "sha256" in config else "sha1"

    def _mark(self, remote: Remote) -> Path:
        """What stands as long as a push there goes on, and stays when it dies: then its git may have left locks."""
        name = hashlib.sha256(remote.location.encode()).hexdigest()[:_MARK]
        return self.folder / "pushing" / name

    def _make_for(self, updates: Sequence[ends.RefUpdate]) -> None:
        lock = locks.held(self.folder / "locks/fetch", what=str(self.folder), wait_seconds=_WAIT_SECONDS)
        with disk.typed(str(self.folder)), lock:
            self._prepare(object_format_of(update.new or update.old for update in updates))

    def _require(self, object_format: str, remote: ends.GitRemote) -> None:
        """What comes from a site has to fit to what came from the source, if anything did: all sites live by that."""
        if object_format not in ("", self._object_format):
            raise errors.UnsupportedError(
                f"{remote.address} keeps objects under another hash algorithm than the source.",
                remedy="Make the repository there anew with the format of the source.",
            )

    def _prepare(self, object_format: str) -> None:
        """Make the repository, or make it anew when the source keeps its objects under another hash now."""
        if self._object_format:
            if object_format in ("", self._object_format):
                return
            shutil.rmtree(self.repository)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with leftovers.making(self.folder, alone=True) as made:
            how = ("--bare", "--quiet", "--template=", f"--object-format={object_format or 'sha1'}")
            finished = process.run(process.Call(arguments=["init", *how, str(made)]))
            if finished.code:
                raise failures.failure(finished, address=str(self.folder))
            made.rename(self.repository)


def _marked(mark: Path) -> float:
    """Make a mark; when it was made if it was there already, else 0."""
    try:
        mark.parent.mkdir(exist_ok=True)
        mark.touch(exist_ok=False)
    except FileExistsError:
        return mark.stat().st_mtime
    return 0.0


def _has_piled_up(objects: Path) -> bool:
    packs = sum(1 for _ in (objects / "pack").glob("*.pack"))
    loose = sum(1 for _ in (objects / "17").glob("*")) * 256  # git's own estimate: one folder of all
    return packs > _MOST_PACKS or loose > _MOST_LOOSE


def object_format_of(oids: Iterable[str]) -> str:
    """The object format that ids belong to: ``sha1`` or ``sha256``; empty when there is none to tell by."""
    return next(("sha256" if len(oid) == 64 else "sha1" for oid in oids), "")


def _check(refs: Mapping[str, str]) -> None:
    for name, oid in refs.items():
        if not names.is_ref(name) or not values.is_oid(oid):
            raise errors.InputError(f"{name!a} is no ref that can be mirrored.", remedy="Rename it at its forge.")


def _wired(remote: ends.GitRemote) -> Remote:
    """The remote as this door knows it: git itself connects the two, so both have to be git's."""
    if not isinstance(remote, Remote):
        raise errors.UnsupportedError(f"{remote.address} is not a remote that git can speak to.")
    return remote
