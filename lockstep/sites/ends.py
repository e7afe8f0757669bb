"""What the rest of the house may ask of a site's ends.

Three protocols, owned by their callers. An on-disk twin and a server answer the same questions with the same
errors: ``UnreachableError`` when the end did not answer, ``ForbiddenError`` when we may not,
``UnsupportedError`` when this kind of end cannot. "Not there" is a value (``None``, ``False``), not an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol, runtime_checkable

from lockstep.values import Json, ObjectKey

# --- git ------------------------------------------------------------------------------------------


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

    def seen_at(self, site: str) -> frozenset[LargeFile]:
        """Those that a site was seen to have not long ago."""
        ...

    def saw_at(self, site: str, files: Collection[LargeFile], *, all_of_them: bool) -> None:
        """Remember that a site has these; ``all_of_them`` when it was asked about each just now."""
        ...

    def clear(self) -> None:
        """Take the files off the shelf: they are wherever they should be."""
        ...


class PushOutcome(Enum):
    """What became of one ref."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"  # by a rule of the other side
    STALE = "stale"  # it holds something else than the lease says


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

    def fetch(self, remote: GitRemote, refs: Mapping[str, str], *, beside: str = "") -> int:
        """Make the staging namespace hold exactly these refs (name to advertised id); how many ids were fetched.

        ``beside`` names another namespace, for what is kept without being the source's: refs of a site that
        are about to be overwritten.

        Raises:
            UnreachableError, RefusedError, IntegrityError (an object is damaged), ConflictError (a ref moved
            in the meantime, or somebody else is fetching).
        """
        ...

    def push(self, remote: GitRemote, updates: Sequence[RefUpdate]) -> list[PushResult]:
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


# --- images ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """OCI content descriptor (image specification 1.1, "Content Descriptors").

    ``size`` is in bytes; ``urls`` says where else the content may be had; ``data`` is the content itself where
    the descriptor carries it, verified; ``artifact_type`` is empty when there is none.
    """

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, Json] | None = None
    urls: tuple[str, ...] = ()
    data: bytes | None = None
    artifact_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest or an index, byte for byte as its registry has it."""

    media_type: str
    digest: str
    raw: bytes


class ImageStore(Protocol):
    """A registry, or a directory of OCI image layouts. Every method may raise what the module's head says."""

    @property
    def address(self) -> str:
        """The URL or path, fit to be shown."""
        ...

    @property
    def lists_digests(self) -> bool:
        """Whether ``tags`` tells digests; a registry names tags only."""
        ...

    def repositories(self) -> list[str]:
        """The repositories that are here, sorted. UnsupportedError where a registry does not tell."""
        ...

    def tags(self, repository: str) -> dict[str, str] | None:
        """Tags, with the digests that they name where that costs nothing and ``""`` otherwise.

        None when there is no such repository.
        """
        ...

    def resolve(self, repository: str, reference: str) -> Descriptor | None:
        """What a tag or digest names, without fetching it; None when it is not here."""
        ...

    def manifest(self, repository: str, digest: str) -> Manifest | None:
        """A manifest by digest, verified; None when it is not here."""
        ...

    def referrers(self, repository: str, digest: str) -> list[Descriptor]:
        """The manifests whose ``subject`` is this one: signatures, bills of materials, attestations."""
        ...

    def has_blob(self, repository: str, descriptor: Descriptor, *, recall: bool = False) -> bool:
        """Whether the blob is here, whole; with ``recall`` it is enough to have seen it here before."""
        ...

    def read_blob(self, repository: str, descriptor: Descriptor) -> AbstractContextManager[Iterator[bytes]]:
        """The blob's bytes in chunks of at most 1 MiB, verified as they end.

        Raises:
            NotFoundError, IntegrityError.
        """
        ...

    def writing(self, repository: str) -> AbstractContextManager[None]:
        """Be writing an image: until the end, nothing that was written or found here is collected as garbage."""
        ...

    def mount_blob(self, repository: str, descriptor: Descriptor, *, origin: str = "") -> bool:
        """Take a blob over from another repository of this end; False when it has to be sent instead.

        Without an origin: from any repository that the end remembers to have seen it in.
        """
        ...

    def write_blob(self, repository: str, descriptor: Descriptor, chunks: Iterable[bytes]) -> None:
        """Write a blob; nobody sees it before its size and digest are verified.

        What ``chunks`` raises ends the writing and is raised; no part of the blob is left behind then. Chunks
        that the end turns out not to need are not asked for.

        Raises:
            IntegrityError: The bytes are not the descriptor's.
        """
        ...

    def write_manifest(self, repository: str, manifest: Manifest, *, tag: str = "", child: bool = False) -> None:
        """Write a manifest byte for byte, after its blobs and children; with a tag, move the tag to it.

        ``child`` says that an index still to be written names it, so that a layout need not list it.

        Raises:
            NotFoundError: A blob or a manifest that it names is not here.
            IntegrityError: The bytes are not the digest's, or not what the media type says.
        """
        ...

    def untag(self, repository: str, tag: str) -> bool:
        """Take a tag away, never the manifest under it; False when this end cannot."""
        ...


# --- clusters -------------------------------------------------------------------------------------


MOMENTS = frozenset(
    {
        ("", "ComponentStatus"),
        ("", "Event"),
        ("coordination.k8s.io", "Lease"),
        ("coordination.k8s.io", "LeaseCandidate"),
        ("events.k8s.io", "Event"),
        ("metrics.k8s.io", "NodeMetrics"),
        ("metrics.k8s.io", "PodMetrics"),
    }
)
"""Kinds, by group, that say what happened and never what should be: nobody reads them unless they ask to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to read: these namespaces whole, and these cluster-scoped objects; all of them when None.

    ``kinds`` narrows it to some kinds, by group, and ``without`` leaves some out. ``versions`` are pairs of an
    ``apiVersion`` and a kind: such a kind is read in that version where the server has it, else in the one that
    the server prefers.
    """

    namespaces: frozenset[str] | None
    cluster_scoped: frozenset[ObjectKey] | None = frozenset()
    kinds: frozenset[tuple[str, str]] | None = None
    without: frozenset[tuple[str, str]] = MOMENTS
    versions: frozenset[tuple[str, str]] = frozenset()

    def has_kind(self, group: str, kind: str) -> bool:
        """Whether objects of a kind are asked for."""
        return (group, kind) not in self.without and (self.kinds is None or (group, kind) in self.kinds)

    def covers(self, key: ObjectKey) -> bool:
        """Whether an object is asked for."""
        if not self.has_kind(key.group, key.kind):
            return False
        if key.namespace:
            return self.namespaces is None or key.namespace in self.namespaces
        return self.cluster_scoped is None or key in self.cluster_scoped


EVERYTHING = Selection(namespaces=None, cluster_scoped=None)
"""All there is."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Gap:
    """Something that should have been read and was not: what, and why.

    ``group``, ``kind``, ``namespace`` and ``name`` say which objects may hide in it; ``*`` is any. A gap that
    does not narrow itself hides everything.
    """

    what: str
    why: str
    group: str = "*"
    kind: str = "*"
    namespace: str = "*"
    name: str = "*"

    def hides(self, key: ObjectKey) -> bool:
        """Whether the object may be in this gap."""
        sides = ((self.group, key.group), (self.kind, key.kind), (self.namespace, key.namespace), (self.name, key.name))
        return all(mine in ("*", theirs) for mine, theirs in sides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What was read, when, how, and what could not be: what stands in a gap is Unknown, never equal."""

    objects: tuple[dict[str, Json], ...]
    read_at: datetime
    method: str
    gaps: tuple[Gap, ...] = ()


class Change(Enum):
    """What an apply did, or would do."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of an apply, or would become of it.

    ``object`` is the object as it is afterwards: what a directory was given, or what a server made of it.
    ``warnings`` are what the server had to say about it.
    """

    change: Change
    object: dict[str, Json]
    warnings: tuple[str, ...] = ()


class Cluster(Protocol):
    """A Kubernetes API, a directory of manifests, or a backup."""

    @property
    def address(self) -> str:
        """The server or path, fit to be shown."""
        ...

    @property
    def writable(self) -> bool:
        """Whether anything can be written: a backup cannot."""
        ...

    @property
    def runs(self) -> bool:
        """Whether what is here runs: a directory and a backup run nothing, and have no health."""
        ...

    def read(self, selection: Selection) -> Inventory:
        """What is there. A kind or namespace that could not be read is a gap; nothing readable at all raises."""
        ...

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object; None when it is not there."""
        ...

    def apply(
        self,
        manifest: Mapping[str, Json],
        *,
        dry_run: bool = False,
        force: bool = False,
        before: Mapping[str, Json] | None = None,
    ) -> Applied:
        """Make the object be as the manifest says.

        Args:
            manifest: The object; a server sets what it names, a directory makes it exactly this.
            dry_run: Only say what would become of it.
            force: Take over fields that belong to other managers.
            before: The object as it was read last, where the caller has it: that spares asking for it again.

        Raises:
            UnsupportedError: Nothing is written here.
            OwnedError: Fields belong to others, and nobody said to take them over.
            RefusedError, ConflictError, InputError (the server calls the manifest invalid).
        """
        ...

    def delete(self, key: ObjectKey, *, api_version: str, uid: str = "") -> bool:
        """Delete one object; False when it was not there.

        ``uid`` is that of the object that is meant, where the caller knows it: a server then spares another one
        that has taken its name, with a ConflictError.
        """
        ...


@runtime_checkable
class Guarded(Protocol):
    """A cluster that can say what we may do. Not every end is one."""

    def lacks(self, namespace: str) -> dict[str, tuple[str, ...]]:
        """What a deploy may need and we may not do in a namespace: resources, as RBAC names them, by verb.

        Raises:
            LockstepError: It does not say.
        """
        ...


class Watch(Protocol):
    """What is known of a cluster that tells by itself what changes."""

    def inventory(self) -> Inventory:
        """What is there as far as is known now; a kind that has been silent for too long is a gap."""
        ...

    def objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, dict[str, Json] | None]:
        """Some objects as they are known now; None for one that is not there, or that nobody knows of."""
        ...

    def changed(self, *, seconds: float) -> frozenset[ObjectKey]:
        """What has changed since this was asked last; waits some seconds for a first change.

        A hint: what is there now, ``inventory`` says.
        """
        ...


class Watched(Protocol):
    """A cluster that tells what changes. Not every end is one."""

    def watch(self, selection: Selection) -> AbstractContextManager[Watch]:
        """Watch what is selected until the block ends.

        Raises:
            LockstepError: The cluster does not say what it serves.
        """
        ...


def keys_of(objects: Iterable[dict[str, Json]]) -> set[ObjectKey]:
    """The keys of some objects."""
    return {ObjectKey.of(manifest) for manifest in objects}
