"""What each site lacks of an image, and in which order it is sent. Pure.

The order is the law of mirroring: blobs first, then the manifests below an index, then the image itself, then
what refers to it (signatures, bills of materials), and its tags last, so that no tag at a site ever names
something that is incomplete or not yet signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from lockstep import values
from lockstep.sites import ends
from sync.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """An image that sites are to have, under these tags; by its digest alone without any."""

    root: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Have:
    """What one site has of what is wanted."""

    tags: Mapping[str, str] = field(default_factory=dict)
    manifests: AbstractSet[str] = frozenset()
    blobs: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobStep:
    """Read a blob once, and write it to these sites."""

    blob: ends.Descriptor
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestStep:
    """Write a manifest by its digest to these sites; a child is named by an index that follows."""

    digest: str
    sites: tuple[str, ...]
    child: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TagStep:
    """Write a manifest under a tag at these sites."""

    tag: str
    digest: str
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The steps of one image, in their order; ``needs`` are the blobs that must have landed before a manifest.

    ``after`` are the images that must be done before its manifests are written: those that bring a manifest which it
    shares, and what is kept about it under tags of their own.
    """

    root: str
    needs: frozenset[str]
    after: frozenset[str]
    blobs: tuple[BlobStep, ...]
    manifests: tuple[ManifestStep, ...]
    tags: tuple[TagStep, ...]

    @property
    def sites(self) -> set[str]:
        """The sites that something is sent to."""
        steps: list[BlobStep | ManifestStep | TagStep] = [*self.blobs, *self.manifests, *self.tags]
        return {site for step in steps for site in step.sites}

    def size(self, site: str, graph: Graph) -> int:
        """The bytes that go to a site."""
        blobs = sum(step.blob.size for step in self.blobs if site in step.sites)
        steps: list[ManifestStep | TagStep] = [*self.manifests, *self.tags]
        manifests = {step.digest for step in steps if site in step.sites}
        return blobs + sum(len(graph.nodes[digest].manifest.raw) for digest in manifests)


def plan(graph: Graph, wanted: Sequence[Want], haves: Mapping[str, Have]) -> tuple[Unit, ...]:
    """The steps that bring every site to what is wanted; none when every site has it.

    A blob or manifest that several images share is sent with the first of them.
    """
    blobs = {site: set(have.blobs) for site, have in haves.items()}
    manifests = {site: set(have.manifests) for site, have in haves.items()}
    units: list[Unit] = []
    first: dict[str, str] = {}
    about: dict[str, list[str]] = {}
    for want in wanted:
        order = graph.order(want.root)
        earlier = {first.setdefault(digest, want.root) for digest in order}
        earlier.update(root for digest in order for root in about.get(digest, ()))
        for tag in want.tags:
            about.setdefault(values.companion_of(tag), []).append(want.root)
        tops = {want.root, *(referrer for digest in order for referrer in graph.referrers.get(digest, ()))}
        needed = list(graph.blobs(order))
        blob_steps = [BlobStep(blob=blob, sites=_claim(blobs, blob.digest)) for blob in needed]
        tag_steps = [
            TagStep(
                tag=tag,
                digest=want.root,
                sites=tuple(s for s, have in haves.items() if have.tags.get(tag) != want.root),
            )
            for tag in want.tags
        ]
        manifest_steps = [
            ManifestStep(digest=digest, sites=_claim(manifests, digest), child=digest not in tops) for digest in order
        ]
        unit = Unit(
            root=want.root,
            needs=frozenset(blob.digest for blob in needed),
            after=frozenset(earlier - {want.root}),
            blobs=tuple(step for step in blob_steps if step.sites),
            manifests=tuple(step for step in _spared(manifest_steps, tag_steps, want.root) if step.sites),
            tags=tuple(step for step in tag_steps if step.sites),
        )
        units += [unit] if unit.sites else []
    return tuple(units)


def _claim(held: Mapping[str, set[str]], digest: str) -> tuple[str, ...]:
    """The sites that lack a digest; from now on it counts as theirs."""
    lacking = tuple(site for site, digests in held.items() if digest not in digests)
    for site in lacking:
        held[site].add(digest)
    return lacking


def _spared(steps: Sequence[ManifestStep], tags: Sequence[TagStep], root: str) -> list[ManifestStep]:
    """Without writing the image by its digest where its tag, the next write, brings it along."""
    place = next(place for place, step in enumerate(steps) if step.digest == root)
    referred = {site for step in steps[place + 1 :] for site in step.sites}
    tagged = {site for step in tags for site in step.sites}
    kept = tuple(site for site in steps[place].sites if site in referred or site not in tagged)
    own = ManifestStep(digest=root, sites=kept, child=False)
    return [*steps[:place], own, *steps[place + 1 :]]
