"""What an image consists of: its manifests, what refers to them, and the blobs that they name. Pure."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

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


def walk(root: ends.Descriptor, look: Look, limits: Limits) -> Graph:
    """Read all manifests of an image, and of what refers to it.

    What is said to refer to it and is not there is left out: lists that clients keep outlive what they list.

    Raises:
        NotFoundError: The source lacks a manifest that the image, or what refers to it, names.
        IntegrityError: A manifest is damaged, contains itself, or there is more than the limits allow.
        UnsupportedError: A manifest is of a kind that cannot be mirrored.
    """
    nodes: dict[str, Node] = {}
    referrers: dict[str, tuple[str, ...]] = {}
    absent: set[str] = set()
    size = blobs = 0
    waiting = [(root, 0, False)]
    while waiting:
        named, depth, only_refers = waiting.pop()
        if named.digest in nodes:
            continue
        try:
            node = _read(named, look)
        except errors.NotFoundError:
            if not only_refers:
                raise
            absent.add(named.digest)
            continue
        size += len(node.manifest.raw)
        blobs += len(node.contents.blobs)
        nodes[named.digest] = node
        if depth > limits.depth or len(nodes) > limits.manifests or size > limits.raw_bytes or blobs > limits.blobs:
            raise errors.IntegrityError(
                f"The image {root.digest} is deeper or larger than any image: at {named.digest} the walk was given up.",
                remedy="Push it again in parts, or leave it out of the mirror.",
            )
        about = sorted(look.referrers(named.digest), key=lambda one: one.digest)
        referrers[named.digest] = tuple(one.digest for one in about)
        waiting.extend((one, depth + 1, True) for one in about)
        waiting.extend((one, depth + 1, False) for one in node.contents.children)
    there = {digest: tuple(one for one in found if one not in absent) for digest, found in referrers.items()}
    optional = {blob.digest: blob for node in nodes.values() for blob in node.contents.blobs if oci.is_optional(blob)}
    left_out = frozenset(digest for digest, blob in optional.items() if look.leaves_out(blob))
    graph = Graph(nodes=nodes, referrers=there, left_out=left_out)
    graph.order(root.digest)  # refuses an image that contains itself, before anything is sent
    return graph


def _read(named: ends.Descriptor, look: Look) -> Node:
    manifest = look.manifest(named)
    if (manifest.digest, manifest.media_type, len(manifest.raw)) != (named.digest, named.media_type, named.size):
        raise errors.IntegrityError(
            f"{named.digest} is named as {named.media_type} of {named.size} bytes, and is {manifest.media_type} "
            f"of {len(manifest.raw)}.",
            remedy="Push the image again.",
        )
    return Node(manifest=manifest, contents=oci.contents(manifest))
