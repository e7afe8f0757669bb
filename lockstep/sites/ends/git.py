"""What may be asked of a repository at a place, and of our own copy of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertised:
    """What ``git ls-remote --symref`` says of a repository.

    ``head`` is the full ref that HEAD points to, empty when it dangles or is detached; ``refs`` maps full
    ref names to object ids (a tag's own id, not the peeled one).
    """

    head: str
    refs: Mapping[str, str]
    unsound: tuple[str, ...] = ()
    """Lines that name no ref that git would allow, escaped: what they meant is unknown, and never equal."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Refs beside HEAD that are symbolic, each with the ref that it follows: who writes to one writes to that."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RefUpdate:
    """One ref to push: ``new`` and ``old`` are full object ids, ``""`` for "not there".

    ``old`` is the lease: the push is refused when the site has something else.
    """

    ref: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LargeFile:
    """A file that git LFS keeps beside git: the SHA-256 of its content in hexadecimal, and its size in bytes."""

    oid: str
    size: int


class LargeFiles(Protocol):
    """The large files of one repository at one place."""

    @property
    def address(self) -> str:
        """Where they are, fit to be shown."""
        ...

    def lacks(self, files: Sequence[LargeFile]) -> set[LargeFile]:
        """Those of some files that are not here. Raises UnsupportedError when none are kept here."""
        ...

    def read(self, file: LargeFile) -> AbstractContextManager[Iterator[bytes]]:
        """The content of one in chunks, verified as it ends. Raises NotFoundError, IntegrityError."""
        ...

    def write(self, file: LargeFile, chunks: Iterable[bytes]) -> None:
        """Write one; nobody sees it before it is verified. Raises IntegrityError."""
        ...


class LargeStock(Protocol):
    """What our own copy of a repository knows of its large files."""

    @property
    def shelf(self) -> LargeFiles:
        """Where they stand between the source and the sites."""
        ...

    def wanted(self, tips: Iterable[str]) -> frozenset[LargeFile]:
        """Those that some ids reach. Raises IntegrityError, RefusedError."""
        ...

    def seen_at(self, site: str, address: str) -> frozenset[LargeFile]:
        """Those that a site was seen to have at an address not long ago."""
        ...

    def saw_at(self, site: str, address: str, files: Collection[LargeFile], *, all_of_them: bool) -> None:
        """Remember that a site has these at an address; ``all_of_them`` when it was asked about each just now."""
        ...

    def forget(self, site: str) -> None:
        """Forget what a site was seen to have."""
        ...

    def clear(self) -> None:
        """Take the files off the shelf: they are wherever they should be."""
        ...


class Stage(Enum):
    """What of a transfer is going on."""

    COUNTING = "counting"
    COMPRESSING = "compressing"
    RECEIVING = "receiving"
    RESOLVING = "resolving"
    WRITING = "writing"
    COPYING = "copying"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How far a transfer is: what is done of how much, and the bytes that have gone.

    ``done`` and ``total`` are objects, or bytes where a file is copied; ``total`` is 0 while nobody knows it. ``size``
    is in bytes, 0 where no bytes are told.
    """

    stage: Stage
    done: int
    total: int
    size: int = 0


class PushOutcome(Enum):
    """What became of one ref."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"  # by a rule of the other side
    STALE = "stale"  # it holds something else than the lease says
    LOCKED = "locked"  # somebody writes it now, or was killed while writing


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What became of one ref, and what the other side said of it."""

    update: RefUpdate
    outcome: PushOutcome
    message: str


class GitRemote(Protocol):
    """One repository at one place: a forge or a site."""

    @property
    def address(self) -> str:
        """The URL or path, fit to be shown: it holds no secret."""
        ...

    def advertised(self) -> Advertised | None:
        """Its refs; None when there is no such repository.

        Raises:
            UnreachableError, UnauthorisedError, ForbiddenError.
        """
        ...

    def create(self, *, object_format: str) -> bool:
        """Make the repository where that is ours to do (on disk); False when it has to be made by its forge.

        ``object_format`` is ``sha1`` or ``sha256``: that of the source, because ids are mirrored as they are.
        """
        ...

    def set_head(self, ref: str) -> bool:
        """Point HEAD at a ref; False when this place cannot be told (a server without an API for it)."""
        ...

    def large_files(self) -> LargeFiles:
        """Its large files (git LFS). Nobody is asked yet whether it keeps any."""
        ...


class GitCache(Protocol):
    """Our own bare copy of one repository: what was fetched once, to be pushed many times and read."""

    def staged(self) -> Mapping[str, str]:
        """The source's refs as they were last brought here."""
        ...

    def fetch(
        self,
        remote: GitRemote,
        refs: Mapping[str, str],
        *,
        beside: str = "",
        heard: Callable[[Movement], None] | None = None,
    ) -> int:
        """Make the staging namespace hold exactly these refs (name to advertised id); how many ids were fetched.

        ``beside`` names another namespace, for what is kept without being the source's: refs of a site that
        are about to be overwritten. ``heard`` is told how far it is, in any thread.

        Raises:
            UnreachableError, RefusedError, IntegrityError (an object is damaged or missing), ConflictError (a ref moved
            in the meantime, or somebody else is fetching).
        """
        ...

    def push(
        self, remote: GitRemote, updates: Sequence[RefUpdate], *, heard: Callable[[Movement], None] | None = None
    ) -> list[PushResult]:
        """Push exact ids with a lease for each ref; one result for each update, in order.

        A ref that is new there needs no lease: it is not forced. Deletes go last, but for those that stand in
        the way of a new ref.

        Raises:
            UnreachableError, UnauthorisedError, ForbiddenError, NotFoundError, RefusedError: nothing was taken.
        """
        ...

    @property
    def large(self) -> LargeStock:
        """What is known of its large files."""
        ...

    def submodules(self, oid: str) -> list[Submodule]:
        """The other repositories that a commit names; none of them is contacted."""
        ...

    def writer(self, site: str) -> AbstractContextManager[None]:
        """Be the one writer of this repository to a site while the block lasts.

        Raises:
            ConflictError: Somebody else is.
        """
        ...

    def has(self, oid: str) -> bool:
        """Whether the object is here."""
        ...

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` contains ``older``; False when either is not here."""
        ...

    def tidy(self) -> None:
        """Pack what has piled up, if it has."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit, fit to be shown: author and subject hold no control characters."""

    oid: str
    author: str
    email: str
    authored_at: datetime
    committed_at: datetime
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Submodule:
    """Another repository that a commit names: where its files go, where it says that they are, and which commit."""

    path: str
    url: str
    oid: str


class GitHistory(Protocol):
    """Reads our own copy of a repository."""

    def resolve(self, revision: str) -> str | None:
        """The commit that an id (whole or begun), a full ref, a branch or a tag means; None when it is not here."""
        ...

    def commit(self, oid: str) -> Commit:
        """One commit. Raises NotFoundError."""
        ...

    def log(self, revision: str, *, most: int = 20, path: str = ".") -> list[Commit]:
        """The last commits that changed a path, the newest first. Raises NotFoundError."""
        ...

    def changed_paths(self, old: str, new: str) -> list[str]:
        """Paths that differ between two commits, sorted; all of ``new`` when ``old`` is empty. Raises NotFoundError."""
        ...
