"""What one site has of the images that are to be brought to it, asked with as few questions as that takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lockstep import errors
from lockstep.sites import ends
from sync import beside
from sync.buffers import is_small
from sync.copy import Have, Want
from sync.graph import Graph
from sync.stock import Shelf

# Before so many manifests are asked for one by one, it is asked whether there are any tags.
_MANY = 8
# More of one size than are ever under way at once (``Bounds.streams`` and ``small``).
_FIRST = 16


@dataclass(slots=True)
class Stocktaking:
    """One site's repository, looked at portion by portion while images are brought to it. For one thread at a time.

    ``looks`` is how many questions are asked at once. ``deep`` takes nothing for granted and asks for each blob;
    without it, what a manifest names is taken to be where the manifest is: that was written last.
    """

    shelf: Shelf
    looks: int = 8
    deep: bool = False
    # A repository without tags, when it was first looked at, has nothing that was ever finished but what we bring.
    _without_tags: bool | None = None
    _empty: bool = False

    def of(
        self,
        graph: Graph,
        wanted: Sequence[Want],
        tags: Iterable[str],
        *,
        known: Mapping[str, str] | None = None,
        counted_on: Have | None = None,
    ) -> Have:
        """What is here of some images and tags.

        Args:
            graph: What the images consist of.
            wanted: The images.
            tags: The tags that they are to have here.
            known: What tags name here, where that was asked a moment ago.
            counted_on: What is not asked for, because it is here or on its way.

        Raises:
            LockstepError: The site does not say.
        """
        before = counted_on or Have()
        roots = [root for root in dict.fromkeys(want.root for want in wanted) if root not in before.manifests]
        everything = dict.fromkeys(one for want in wanted for one in graph.order(want.root))
        manifests = [digest for digest in everything if digest not in before.manifests]
        blobs = [blob for blob in graph.blobs(manifests) if blob.digest not in before.blobs]
        named = {tag: digest for tag in tags if (digest := (known or {}).get(tag)) is not None}
        asked = [tag for tag in tags if tag not in named]
        named |= zip(asked, beside.answers(self.shelf.named, asked, looks=self.looks), strict=True)
        if not self.deep and self._has_no_tags(named, len(manifests)):
            return Have(tags=named, blobs=self._begun(blobs))
        here = self._here(graph, roots)
        granted = here if self.deep else {below for digest in here for below in graph.below(digest)}
        known_of = {*granted, *roots}
        here = granted | self._here(graph, [digest for digest in manifests if digest not in known_of])
        trusted = set() if self.deep else {blob.digest for blob in graph.blobs(here)}
        found = trusted | self._blobs_here([blob for blob in blobs if blob.digest not in trusted])
        return Have(tags=named, manifests=here, blobs=found)

    def _has_no_tags(self, named: Mapping[str, str], count: int) -> bool:
        """Whether a registry says that nothing was ever finished here, by one question instead of hundreds."""
        if self._without_tags is None and count >= _MANY and not self.shelf.store.lists_digests:
            self._without_tags = not any(named.values()) and not self.shelf.store.tags(self.shelf.repository)
        return bool(self._without_tags)

    def _begun(self, blobs: Sequence[ends.Descriptor]) -> set[str]:
        """Which blobs are in a repository without tags: none, unless a mirroring was broken off before its first tag.

        Blobs are sent in this order, the small ones beside the large ones, a few at once of both: such a mirroring
        has finished some of the first.
        """
        if self._empty:
            return set()
        small = [blob for blob in blobs if is_small(blob)]
        large = [blob for blob in blobs if not is_small(blob)]
        first = self._blobs_here([*small[:_FIRST], *large[:_FIRST]])
        self._empty = bool(blobs) and not first
        return first | self._blobs_here([*small[_FIRST:], *large[_FIRST:]]) if first else first

    def _blobs_here(self, asked: Sequence[ends.Descriptor]) -> set[str]:
        store, repository = self.shelf.store, self.shelf.repository
        found = beside.answers(
            lambda blob: store.has_blob(repository, blob, recall=not self.deep), asked, looks=self.looks
        )
        return {blob.digest for blob, here in zip(asked, found, strict=True) if here}

    def _here(self, graph: Graph, asked: Sequence[str]) -> set[str]:
        found = beside.answers(lambda digest: self._has(graph.nodes[digest].manifest), asked, looks=self.looks)
        return {digest for digest, here in zip(asked, found, strict=True) if here}

    def _has(self, manifest: ends.Manifest) -> bool:
        store, repository = self.shelf.store, self.shelf.repository
        try:
            if self.deep:
                return store.manifest(repository, manifest.digest) == manifest
            found = store.resolve(repository, manifest.digest)
        except errors.IntegrityError:  # damaged: it is written again
            return False
        return found is not None and found.size == len(manifest.raw)
