"""What each site lacks of an image, and in which order it is sent. Pure.

The order is the law of mirroring: blobs first, then the manifests below an index, then the image itself, then
what refers to it (signatures, bills of materials), and its tags last, so that no tag at a site ever names
something that is incomplete or not yet signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from lockstep import values
from lockstep.sites import ends
from sync.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """An image that is wanted: ``at`` which sites, at each under which tags; by its digest alone without any."""

    root: str
    at: Mapping[str, tuple[str, ...]]

    @property
    def tags(self) -> list[str]:
        """The tags that it is to have somewhere."""
        return sorted({tag for tags in self.at.values() for tag in tags})

    def joined(self, other: Want | None) -> Want:
        """Wanted for both reasons."""
        before = other.at if other is not None else {}
        return replace(
            self, at={site: (*self.at.get(site, ()), *before.get(site, ())) for site in {**self.at, **before}}
        )


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
    """Write a manifest by its digest to these sites; a child is named by an index that follows.

    ``with_others`` are the sites to which an image before this one brings it: there it is written when that failed.
    """

    digest: str
    sites: tuple[str, ...]
    child: bool
    with_others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TagStep:
    """Write a manifest under a tag at these sites."""

    tag: str
    digest: str
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The steps of one image, in their order; ``needs`` are the blobs that must have landed before a manifest.

    ``coming`` are the sites to which some of these blobs are sent, with this image or with one before it.

    ``after`` are the images that must be done before its manifests are written: those that bring a manifest which it
    shares, and what is kept about it under tags of their own.
    """

    root: str
    needs: frozenset[str]
    coming: frozenset[str]
    after: frozenset[str]
    blobs: tuple[BlobStep, ...]
    manifests: tuple[ManifestStep, ...]
    tags: tuple[TagStep, ...]

    @property
    def sites(self) -> set[str]:
        """The sites that something is sent to."""
        steps: list[BlobStep | ManifestStep | TagStep] = [*self.blobs, *self.manifests, *self.tags]
        return {site for step in steps for site in step.sites}

    @property
    def lacking(self) -> set[str]:
        """The sites that do not have all of it yet, whoever brings it."""
        return self.sites | self.coming | {site for step in self.manifests for site in step.with_others}

    def size(self, site: str, graph: Graph) -> int:
        """The bytes that go to a site."""
        blobs = sum(step.blob.size for step in self.blobs if site in step.sites)
        steps: list[ManifestStep | TagStep] = [*self.manifests, *self.tags]
        manifests = {step.digest for step in steps if site in step.sites}
        return blobs + sum(len(graph.nodes[digest].manifest.raw) for digest in manifests)


def plan(graph: Graph, wanted: Sequence[Want], haves: Mapping[str, Have]) -> tuple[Unit, ...]:
    """The steps that bring every site to what is wanted there; none when every site has it.

    A blob or manifest that several images share is sent with the first of them.
    """
    return Planner().plan(graph, wanted, haves)


@dataclass(slots=True)
class Planner:
    """Plans some images after others: what is on its way with an earlier one is not sent with a later one again."""

    _blobs: dict[str, dict[str, bool]] = field(default_factory=dict)  # and whether each is sent, or was there
    _manifests: dict[str, dict[str, str]] = field(default_factory=dict)  # with the image that brings each, or ""
    _about: dict[str, list[str]] = field(default_factory=dict)

    def counted_on(self, site: str) -> Have:
        """What a site has or will have, by what was learnt and planned so far."""
        return Have(manifests=self._manifests.get(site, {}).keys(), blobs=self._blobs.get(site, {}).keys())

    def plan(self, graph: Graph, wanted: Sequence[Want], haves: Mapping[str, Have]) -> tuple[Unit, ...]:
        """The steps for these, which come after those before them. Of a site without a ``Have`` nothing is planned."""
        for site, have in haves.items():
            blobs = self._blobs.setdefault(site, {})
            for digest in have.blobs:
                blobs.setdefault(digest, False)
            brought = self._manifests.setdefault(site, {})
            for digest in have.manifests:
                brought.setdefault(digest, "")
        return tuple(unit for want in wanted if (unit := self._unit(graph, want, haves)).lacking)

    def _unit(self, graph: Graph, want: Want, haves: Mapping[str, Have]) -> Unit:
        order = graph.order(want.root)
        sites = [site for site in haves if site in want.at]
        tops = {want.root, *(referrer for digest in order for referrer in graph.referrers.get(digest, ()))}
        needed = list(graph.blobs(order))
        blobs = [BlobStep(blob=blob, sites=self._lacking_blob(sites, blob.digest)) for blob in needed]
        tags = [
            TagStep(
                tag=tag,
                digest=want.root,
                sites=tuple(site for site in sites if tag in want.at[site] and haves[site].tags.get(tag) != want.root),
            )
            for tag in want.tags
        ]
        manifests = [
            ManifestStep(
                digest=digest,
                sites=self._lacking(sites, digest, want.root),
                child=digest not in tops,
                with_others=tuple(site for site in sites if self._manifests[site][digest] not in ("", want.root)),
            )
            for digest in order
        ]
        return Unit(
            root=want.root,
            needs=frozenset(blob.digest for blob in needed),
            coming=frozenset(site for site in sites if any(self._blobs[site][blob.digest] for blob in needed)),
            after=self._before(want, sites, order),
            blobs=tuple(step for step in blobs if step.sites),
            manifests=tuple(step for step in _spared(manifests, tags, want.root) if step.sites or step.with_others),
            tags=tuple(step for step in tags if step.sites),
        )

    def _before(self, want: Want, sites: Sequence[str], order: Sequence[str]) -> frozenset[str]:
        """The images before this one that bring a part of it, or that are kept about a part of it."""
        before = {self._manifests[site][digest] for site in sites for digest in order}
        before.update(root for digest in order for root in self._about.get(digest, ()))
        for tag in want.tags:
            if subject := values.companion_of(tag):
                self._about.setdefault(subject, []).append(want.root)
        return frozenset(before - {"", want.root})

    def _lacking_blob(self, sites: Sequence[str], digest: str) -> tuple[str, ...]:
        """The sites that lack a blob; from now on it counts as theirs."""
        lacking = tuple(site for site in sites if digest not in self._blobs[site])
        for site in lacking:
            self._blobs[site][digest] = True
        return lacking

    def _lacking(self, sites: Sequence[str], digest: str, root: str) -> tuple[str, ...]:
        """The sites that lack a manifest; from now on this image brings it there."""
        lacking = tuple(site for site in sites if digest not in self._manifests[site])
        for site in lacking:
            self._manifests[site][digest] = root
        return lacking


def _spared(steps: Sequence[ManifestStep], tags: Sequence[TagStep], root: str) -> list[ManifestStep]:
    """Without writing the image by its digest where its tag, the next write, brings it along."""
    place = next(place for place, step in enumerate(steps) if step.digest == root)
    referred = {site for step in steps[place + 1 :] for site in step.sites}
    tagged = {site for step in tags for site in step.sites}
    kept = tuple(site for site in steps[place].sites if site in referred or site not in tagged)
    return [*steps[:place], replace(steps[place], sites=kept), *steps[place + 1 :]]
