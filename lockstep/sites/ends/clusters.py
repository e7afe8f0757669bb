"""What may be asked of a Kubernetes API, of a directory of manifests, or of a backup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Generic, Protocol, TypeVar, runtime_checkable

from lockstep.values import Json, ObjectKey

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
    does not narrow itself hides everything. ``denied``: it was refused to us, where another might read it.
    """

    what: str
    why: str
    group: str = "*"
    kind: str = "*"
    namespace: str = "*"
    name: str = "*"
    denied: bool = field(default=False, compare=False)

    def hides(self, key: ObjectKey) -> bool:
        """Whether the object may be in this gap."""
        sides = ((self.group, key.group), (self.kind, key.kind), (self.namespace, key.namespace), (self.name, key.name))
        return all(mine in ("*", theirs) for mine, theirs in sides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What was read, when, how, and what could not be: what stands in a gap is Unknown, never equal.

    ``method`` is empty where there are gaps and nothing else: nothing at all was read. ``ahead_seconds`` is how far the
    clock of whoever answered was ahead of ours, None where nobody said.
    """

    objects: tuple[dict[str, Json], ...]
    read_at: datetime
    method: str
    gaps: tuple[Gap, ...] = ()
    ahead_seconds: float | None = None


_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted(Generic[_Kept]):
    """What was kept of each object that was read; the rest is as in an ``Inventory``."""

    kept: tuple[_Kept, ...]
    read_at: datetime
    method: str
    gaps: tuple[Gap, ...] = ()


@runtime_checkable
class Sifting(Protocol):
    """A cluster whose objects are let go one by one, once what matters of each is kept. Not every end is one."""

    def sift(self, selection: Selection, keep: Callable[[dict[str, Json]], _Kept]) -> Sifted[_Kept]:
        """What is there, as far as ``keep`` keeps it. Raises what ``read`` does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many objects there are, and how that is known; what stands in a gap was not counted.

    ``ahead_seconds`` is how far the clock of whoever answered was ahead of ours, None where nobody said.
    """

    objects: int
    method: str
    gaps: tuple[Gap, ...] = ()
    ahead_seconds: float | None = None


@runtime_checkable
class Countable(Protocol):
    """A cluster that can say how many objects it has without giving them all. Not every end is one."""

    def count(self, selection: Selection) -> Counted:
        """How many there are; a kind or namespace that could not be counted is a gap. Raises what ``read`` does."""
        ...


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


@runtime_checkable
class Foreseeing(Protocol):
    """A cluster with a server that can say what it would make of an object. Not every end is one."""

    def may_foresee(self, key: ObjectKey, *, api_version: str, seconds: float) -> bool:
        """Whether we may ask about objects of this kind and namespace: a server allows a dry run as it does a write.

        Args:
            key: The object.
            api_version: As git writes it.
            seconds: How long the answer may take, with every try.

        Raises:
            NotServedError: The server knows no such kind.
            LockstepError: It does not say.
        """
        ...

    def foresee(self, manifest: Mapping[str, Json], *, seconds: float) -> dict[str, Json]:
        """The object as it would be if it were applied now, with everything taken over; nothing is written.

        Args:
            manifest: The object.
            seconds: How long it may take, with every try.

        Raises:
            InvalidError: The server would refuse it, and says which fields it means.
            LockstepError: It does not say.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """What a server serves: pairs of an ``apiVersion`` and a kind. ``unknown`` are groups that did not say, with why.

    The group ``*`` is any. ``cluster_scoped`` are the kinds that live in no namespace, each a group and a kind.
    """

    served: frozenset[tuple[str, str]]
    unknown: Mapping[str, str] = field(default_factory=dict)
    cluster_scoped: frozenset[tuple[str, str]] = frozenset()


@runtime_checkable
class Serving(Protocol):
    """A cluster with a server that can say what it is. Not every end is one."""

    def kinds(self) -> Kinds:
        """What it serves, in every version. Raises LockstepError."""
        ...

    def version(self) -> str:
        """Major and minor version of the server, such as ``1.34``. Raises LockstepError."""
        ...


class Watch(Protocol):
    """What is known of a cluster that tells by itself what changes."""

    def inventory(self) -> Inventory:
        """What is there as far as is known now; a kind that has been silent for too long is a gap."""
        ...

    def outlook(self) -> Inventory:
        """The inventory without its objects, which costs the same however many there are: since when, and the gaps."""
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
