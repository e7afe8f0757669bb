"""What an image consists of: its manifests, what refers to them, and the blobs that they name. Pure."""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from lockstep import errors
from lockstep.sites import ends, oci


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large one image may be before it is refused as hostile."""

    depth: int = 16
    """Indexes inside indexes, and referrers of referrers."""
    manifests: int = 2_000
    """Manifests that belong to one image, referrers included."""
    blobs: int = 20_000
    """Blobs that they name."""
    raw_bytes: int = 64 * 2**20
    """All those manifests together, held in memory."""


T = TypeVar("T")

# So many of the manifests of one image are read before it is seen whether they are too many.
_AT_ONCE = 16


class Each(Protocol):
    """Does tasks, perhaps at once, and gives what they gave, in their order."""

    def __call__(self, tasks: Sequence[Callable[[], T]], /) -> list[T]:
        """Raises what the first of them that fails raises."""
        ...


class Look(Protocol):
    """How the walk reads: the source's repository, seen through a small window."""

    def manifest(self, named: ends.Descriptor) -> ends.Manifest:
        """A manifest, verified. Raises NotFoundError."""
        ...

    def referrers(self, digest: str) -> Sequence[ends.Descriptor]:
        """What refers to a manifest."""
        ...

    def leaves_out(self, blob: ends.Descriptor) -> bool:
        """Whether the source itself does not have a blob that may be absent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One manifest and what it names."""

    manifest: ends.Manifest
    contents: oci.Contents


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Manifests by digest, what refers to each, and the blobs that the source leaves elsewhere."""

    nodes: Mapping[str, Node]
    referrers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: AbstractSet[str] = frozenset()

    def below(self, root: str) -> list[str]:
        """A manifest and everything below it, what is named before what names it.

        Raises:
            IntegrityError: A manifest contains itself.
        """
        edges: dict[str, list[str]] = {}
        waiting = [root]
        while waiting:
            digest = waiting.pop()
            if digest not in edges:
                edges[digest] = [child.digest for child in self.nodes[digest].contents.children]
                waiting.extend(reversed(edges[digest]))
        try:
            return list(graphlib.TopologicalSorter(edges).static_order())
        except graphlib.CycleError:
            raise errors.IntegrityError(f"The image {root} contains itself.", remedy="Push it again.") from None

    def order(self, root: str) -> list[str]:
        """Everything that belongs to an image: what is below it, itself, then what refers to any of it."""
        ordered = dict.fromkeys(self.below(root))
        waiting = list(ordered)
        for digest in waiting:
            for referrer in self.referrers.get(digest, ()):
                fresh = [one for one in self.below(referrer) if one not in ordered] if referrer not in ordered else []
                ordered.update(dict.fromkeys(fresh))
                waiting.extend(fresh)
        return list(ordered)

    def blobs(self, digests: Iterable[str]) -> Iterator[ends.Descriptor]:
        """The blobs that some manifests name, each once, without those that the source leaves elsewhere."""
        seen: set[str] = set(self.left_out)
        for digest in digests:
            for blob in self.nodes[digest].contents.blobs:
                if blob.digest not in seen:
                    seen.add(blob.digest)
                    yield blob

    def joined(self, other: Graph) -> Graph:
        """Both."""
        return Graph(
            nodes={**self.nodes, **other.nodes},
            referrers={**self.referrers, **other.referrers},
            left_out=self.left_out | other.left_out,
        )


def in_turn(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Do some tasks, one after the other."""
    return [task() for task in tasks]


def walk(root: ends.Descriptor, look: Look, limits: Limits, *, each: Each = in_turn) -> Graph:
    """Read all manifests of an image, and of what refers to it, level by level; ``each`` reads those of one level.

    What is said to refer to it and is not there is left out: lists that clients keep outlive what they list.

    Raises:
        NotFoundError: The source lacks a manifest that the image, or what refers to it, names.
        IntegrityError: A manifest is damaged, contains itself, or there is more than the limits allow.
        UnsupportedError: A manifest is of a kind that cannot be mirrored.
    """
    found = _Found(root=root.digest, limits=limits)
    level = [_Step(named=root, depth=0)]
    while level:
        following: dict[str, _Step] = {}
        for start in range(0, len(level), _AT_ONCE):
            for step in found.add(level[start : start + _AT_ONCE], look, each):
                before = following.setdefault(step.named.digest, step)
                if not step.only_refers and before.only_refers:  # what is named has to be there
                    following[step.named.digest] = step
        level = [step for digest, step in following.items() if digest not in found.nodes]
    there = {digest: tuple(one for one in about if one in found.nodes) for digest, about in found.referrers.items()}
    blobs = [blob for node in found.nodes.values() for blob in node.contents.blobs]
    optional = list({blob.digest: blob for blob in blobs if oci.is_optional(blob)}.values())
    absent = each([partial(look.leaves_out, blob) for blob in optional])
    left_out = frozenset(blob.digest for blob, is_absent in zip(optional, absent, strict=True) if is_absent)
    graph = Graph(nodes=found.nodes, referrers=there, left_out=left_out)
    graph.order(root.digest)  # refuses an image that contains itself, before anything is sent
    return graph


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A manifest to be read; one that only refers to something may be gone."""

    named: ends.Descriptor
    depth: int
    only_refers: bool = False


@dataclass(slots=True, kw_only=True)
class _Found:
    """What a walk has read so far, within its limits."""

    root: str
    limits: Limits
    nodes: dict[str, Node] = field(default_factory=dict)
    referrers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _size: int = 0
    _blobs: int = 0

    def add(self, steps: Sequence[_Step], look: Look, each: Each) -> list[_Step]:
        """Read some manifests, and what refers to each; what they name and what refers to them, to be read next."""
        limits, following = self.limits, list[_Step]()
        self._size += sum(step.named.size for step in steps)
        if len(self.nodes) + len(steps) > limits.manifests or self._size > limits.raw_bytes:
            raise self._too_large(steps[0])
        for step, read in zip(steps, each([partial(_look_at, step, look) for step in steps]), strict=True):
            if read is None:
                continue
            node, about = read
            self.nodes[step.named.digest] = node
            self.referrers[step.named.digest] = tuple(one.digest for one in about)
            self._blobs += len(node.contents.blobs)
            if step.depth > limits.depth or self._blobs > limits.blobs:
                raise self._too_large(step)
            depth = step.depth + 1
            following += [_Step(named=one, depth=depth) for one in node.contents.children]
            following += [_Step(named=one, depth=depth, only_refers=True) for one in about]
        return following

    def _too_large(self, step: _Step) -> errors.IntegrityError:
        return errors.IntegrityError(
            f"The image {self.root} is deeper or larger than any image: at {step.named.digest} the walk was given up.",
            remedy="Push it again in parts, or leave it out of the mirror.",
        )


def _look_at(step: _Step, look: Look) -> tuple[Node, Sequence[ends.Descriptor]] | None:
    """A manifest and what refers to it; None for one that only refers to something and is gone."""
    try:
        node = _read(step.named, look)
    except errors.NotFoundError:
        if not step.only_refers:
            raise
        return None
    return node, sorted(look.referrers(step.named.digest), key=lambda one: one.digest)


def _read(named: ends.Descriptor, look: Look) -> Node:
    manifest = look.manifest(named)
    if (manifest.digest, manifest.media_type, len(manifest.raw)) != (named.digest, named.media_type, named.size):
        raise errors.IntegrityError(
            f"{named.digest} is named as {named.media_type} of {named.size} bytes, and is {manifest.media_type} "
            f"of {len(manifest.raw)}.",
            remedy="Push the image again.",
        )
    return Node(manifest=manifest, contents=oci.contents(manifest))
