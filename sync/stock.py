"""Taking stock: what an image at its source consists of, and what one site has of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lockstep import errors, values
from lockstep.sites import ends, oci
from sync.buffers import is_small
from sync.copy import Have, Want
from sync.graph import Graph, Limits, walk

# So many references are asked for one by one; more are looked up in a listing.
_FEW = 8
# More of one size than are ever under way at once (``Bounds.streams`` and ``small``).
_FIRST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One repository of one end; without ``referrers`` an image is only what is below it."""

    store: ends.ImageStore
    repository: str
    with_referrers: bool = True

    def manifest(self, named: ends.Descriptor) -> ends.Manifest:
        """A manifest, verified.

        Raises:
            NotFoundError: It is not here.
        """
        found = self.store.manifest(self.repository, named.digest)
        if found is None:
            raise self._without(named.digest)
        return found

    def referrers(self, digest: str) -> Sequence[ends.Descriptor]:
        """What refers to a manifest."""
        return self.store.referrers(self.repository, digest) if self.with_referrers else ()

    def leaves_out(self, blob: ends.Descriptor) -> bool:
        """Whether the blob is not here."""
        return blob.data is None and not self.store.has_blob(self.repository, blob)

    def graph(self, digest: str, limits: Limits) -> Graph:
        """Everything that belongs to an image. Raises what ``walk`` raises."""
        root = self.store.manifest(self.repository, digest)
        if root is None:
            raise self._without(digest)
        named = ends.Descriptor(media_type=root.media_type, digest=root.digest, size=len(root.raw))
        return walk(named, _Begun(shelf=self, root=root), limits)

    def have(
        self,
        graph: Graph,
        wanted: Sequence[Want],
        *,
        deep: bool,
        looks: int = 8,
        known: Mapping[str, str] | None = None,
    ) -> Have:
        """What is here of some images, asked with so many questions at once; ``known`` tags are not asked again.

        A manifest that is here was written after everything that it names, so what it reaches is taken to be
        here too; ``deep`` takes nothing for granted and asks for each blob.
        """
        tags = list(dict.fromkeys(tag for want in wanted for tag in want.tags))
        roots = dict.fromkeys(want.root for want in wanted)
        everything = dict.fromkeys(digest for root in roots for digest in graph.order(root))
        with ThreadPoolExecutor(looks) as pool:
            named = {tag: digest for tag, digest in (known or {}).items() if tag in tags}
            asked_tags = [tag for tag in tags if tag not in named]
            named |= zip(asked_tags, pool.map(self._named, asked_tags), strict=True)
            if not deep and len(everything) > _FEW and self._has_no_tags(named):
                return Have(tags=named, blobs=self._begun(pool, list(graph.blobs(everything))))
            manifests = self._here(pool, graph, roots, deep=deep)
            granted = manifests if deep else {below for digest in manifests for below in graph.below(digest)}
            others = [digest for digest in everything if digest not in granted and digest not in roots]
            manifests = granted | self._here(pool, graph, others, deep=deep)
            trusted = set() if deep else {blob.digest for blob in graph.blobs(manifests)}
            asked = [blob for blob in graph.blobs(everything) if blob.digest not in trusted]
            blobs = trusted | self._blobs_here(pool, asked, recall=not deep)
        return Have(tags=named, manifests=manifests, blobs=blobs)

    def _has_no_tags(self, named: Mapping[str, str]) -> bool:
        """Whether a registry says that nothing was ever finished here, by one question instead of hundreds."""
        return not self.store.lists_digests and not any(named.values()) and not self.store.tags(self.repository)

    def _begun(self, pool: ThreadPoolExecutor, blobs: Sequence[ends.Descriptor]) -> set[str]:
        """Which blobs are in a repository without tags: none, unless a mirroring was broken off before its first tag.

        Blobs are sent in this order, the small ones beside the large ones, a few at once of both: such a mirroring
        has finished some of the first.
        """
        small = [blob for blob in blobs if is_small(blob)]
        large = [blob for blob in blobs if not is_small(blob)]
        first = self._blobs_here(pool, [*small[:_FIRST], *large[:_FIRST]], recall=True)
        rest = [*small[_FIRST:], *large[_FIRST:]]
        return first | self._blobs_here(pool, rest, recall=True) if first else first

    def _blobs_here(self, pool: ThreadPoolExecutor, asked: Sequence[ends.Descriptor], *, recall: bool) -> set[str]:
        found = pool.map(lambda blob: self.store.has_blob(self.repository, blob, recall=recall), asked)
        return {blob.digest for blob, here in zip(asked, found, strict=True) if here}

    def digests(self, references: Collection[str], *, looks: int = 8) -> dict[str, str]:
        """What some tags and digests name here; ``""`` for what is not here or damaged.

        Many are asked with one listing, where a listing tells digests; where it does not, a listing saves asking
        for the many that are absent, once the first few were.
        """
        asked = list(references)
        with ThreadPoolExecutor(looks) as pool:
            found: dict[str, str] = {}
            if len(asked) > _FEW and not self.store.lists_digests:
                first, asked = asked[:_FEW], asked[_FEW:]
                found = dict(zip(first, pool.map(self._named, first), strict=True))
            if len(asked) > _FEW and not any(found.values()):
                listed = self.store.tags(self.repository) or {}
                found |= {tag: listed[tag] for tag in asked if listed.get(tag)}
                asked = [one for one in asked if one not in found and (one in listed or values.is_digest(one))]
            found |= zip(asked, pool.map(self._named, asked), strict=True)
        return {one: found.get(one, "") for one in references}

    def _without(self, digest: str) -> errors.NotFoundError:
        return errors.NotFoundError(
            f"{self.store.address} has no manifest {digest} in {self.repository}.",
            remedy="Push the whole image there again, with all its platforms.",
        )

    def _named(self, reference: str) -> str:
        """The digest that a reference names; empty for one that is damaged, which writing it again mends."""
        try:
            found = self.store.resolve(self.repository, reference)
        except errors.IntegrityError:
            return ""
        return found.digest if found else ""

    def _here(self, pool: ThreadPoolExecutor, graph: Graph, digests: Iterable[str], *, deep: bool) -> set[str]:
        asked = list(digests)
        found = pool.map(lambda digest: self._has(graph.nodes[digest].manifest, deep=deep), asked)
        return {digest for digest, here in zip(asked, found, strict=True) if here}

    def _has(self, manifest: ends.Manifest, *, deep: bool) -> bool:
        try:
            if deep:
                return self.store.manifest(self.repository, manifest.digest) == manifest
            found = self.store.resolve(self.repository, manifest.digest)
        except errors.IntegrityError:  # damaged: it is written again
            return False
        return found is not None and found.size == len(manifest.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A shelf of which the first manifest was read already."""

    shelf: Shelf
    root: ends.Manifest

    def manifest(self, named: ends.Descriptor) -> ends.Manifest:
        return self.root if named.digest == self.root.digest else self.shelf.manifest(named)

    def referrers(self, digest: str) -> Sequence[ends.Descriptor]:
        return self.shelf.referrers(digest)

    def leaves_out(self, blob: ends.Descriptor) -> bool:
        return self.shelf.leaves_out(blob)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was found of an image at a site. ``missing`` names what is not there, or not what its digest says."""

    digest: str
    manifests: int = 0
    blobs: int = 0
    size: int = 0
    missing: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything is there."""
        return not self.missing


def verify(store: ends.ImageStore, repository: str, digest: str, *, read: bool = False) -> Proof:
    """Prove that a site has an image whole: its manifest, those below it, every configuration and layer.

    Layers that may be had elsewhere are not asked for. With ``read`` every byte is read and hashed; without it
    the end says which blobs it has, with their sizes.

    Raises:
        UnreachableError and its kin: Nobody could say. That is no proof.
    """
    shelf = Shelf(store=store, repository=repository, with_referrers=False)
    try:
        graph = shelf.graph(digest, Limits())
    except (errors.NotFoundError, errors.IntegrityError) as error:
        return Proof(digest=digest, missing=(error.message,))
    below = graph.below(digest)
    blobs = [blob for blob in graph.blobs(below) if not oci.is_optional(blob)]
    missing = [blob.digest for blob in blobs if not _is_whole(shelf, blob, read=read)]
    size = sum(blob.size for blob in blobs) + sum(len(graph.nodes[one].manifest.raw) for one in below)
    return Proof(digest=digest, manifests=len(below), blobs=len(blobs), size=size, missing=tuple(missing))


def _is_whole(shelf: Shelf, blob: ends.Descriptor, *, read: bool) -> bool:
    if not read:
        return shelf.store.has_blob(shelf.repository, blob)
    try:
        with shelf.store.read_blob(shelf.repository, blob) as chunks:
            for _ in chunks:
                pass
    except (errors.NotFoundError, errors.IntegrityError):
        return False
    return True
