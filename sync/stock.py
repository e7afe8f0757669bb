"""Taking stock: what an image at its source consists of, and what one site has of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from lockstep import errors, values
from lockstep.sites import ends, oci
from sync import beside
from sync.graph import Each, Graph, Limits, in_turn, walk

# So many references are asked for one by one; more are looked up in a listing.
_FEW = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What tags and digests name: ``""`` for what is not here, is damaged, or is refused for a reason of its own.

    What is ``damaged`` is mended by writing it again, where that may be: nobody can say what it names.
    """

    digests: Mapping[str, str]
    refused: Mapping[str, errors.LockstepError] = field(default_factory=dict)
    damaged: Mapping[str, errors.LockstepError] = field(default_factory=dict)


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

    def graph(self, digest: str, limits: Limits, *, each: Each = in_turn) -> Graph:
        """Everything that belongs to an image; ``each`` asks several questions. Raises what ``walk`` raises."""
        (root,) = each([partial(self.store.manifest, self.repository, digest)])
        if root is None:
            raise self._without(digest)
        named = ends.Descriptor(media_type=root.media_type, digest=root.digest, size=len(root.raw))
        return walk(named, _Begun(shelf=self, root=root), limits, each=each)

    def digests(self, references: Collection[str], *, looks: int = 8) -> Told:
        """What some tags and digests name here.

        Many are asked with one listing, where a listing tells digests; where it does not, a listing saves asking
        for the many that are absent, once the first few were.

        Raises:
            LockstepError: Nothing can be asked here now: it does not answer, or does not know us.
        """
        asked = list(references)
        refused: dict[str, errors.LockstepError] = {}
        damaged: dict[str, errors.LockstepError] = {}

        def named(reference: str) -> str:
            try:
                return self._digest(reference)
            except errors.UnauthorisedError:
                raise
            except errors.IntegrityError as error:
                damaged[reference] = error
                return ""
            except (errors.RefusedError, errors.NotFoundError) as error:  # one image, of which others know nothing
                refused[reference] = error
                return ""

        found: dict[str, str] = {}
        if len(asked) > _FEW and not self.store.lists_digests:
            first, asked = asked[:_FEW], asked[_FEW:]
            found = dict(zip(first, beside.answers(named, first, looks=looks), strict=True))
        if len(asked) > _FEW and not (any(found.values()) or refused):
            listed = self.store.tags(self.repository) or {}
            found |= {tag: listed[tag] for tag in asked if listed.get(tag)}
            asked = [one for one in asked if one not in found and (one in listed or values.is_digest(one))]
        found |= zip(asked, beside.answers(named, asked, looks=looks), strict=True)
        return Told(digests={one: found.get(one, "") for one in references}, refused=refused, damaged=damaged)

    def named(self, reference: str) -> str:
        """The digest that a reference names; empty for one that is damaged, which writing it again mends."""
        try:
            return self._digest(reference)
        except errors.IntegrityError:
            return ""

    def _digest(self, reference: str) -> str:
        found = self.store.resolve(self.repository, reference)
        return found.digest if found else ""

    def _without(self, digest: str) -> errors.NotFoundError:
        return errors.NotFoundError(
            f"{self.store.address} has no manifest {digest} in {self.repository}.",
            remedy="Push the whole image there again, with all its platforms.",
        )


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
