"""A source seen through some platforms: its indexes without the others.

Registries refuse an index that names what is not there, so a site that is to have some platforms only gets an
index that names only those. It is made from the source's own, entry by entry, and always the same way: its
digest is another than at the source, and the same at every site. An index that names no other platform stays
as it is; so does an image that is no index.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import orjson

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.values import Json

# Indexes that are remembered with what became of them; a repository has a few thousand tags.
_MOST_KEPT = 10_000
# BuildKit's attestations: entries about another entry, for no platform of their own.
_ABOUT = "vnd.docker.reference.digest"


@dataclass(slots=True)
class _Kept:
    """What indexes became, by repository and digest, and which ones became another. Forgotten when it is too much."""

    became: dict[tuple[str, str], ends.Manifest] = field(default_factory=dict)
    origins: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, repository: str, digest: str, made: ends.Manifest) -> None:
        """Remember what an index became."""
        with self._lock:
            if len(self.became) >= _MOST_KEPT:
                self.became.clear()
                self.origins.clear()
            self.became[repository, digest] = made
            if made.digest != digest:
                self.origins[repository, made.digest] = digest


@dataclass(slots=True)
class Narrowed:
    """A source of images of which only some platforms are seen. Safe to share between threads.

    What it once named it can read for as long as it lives, however much is forgotten in between.
    """

    inner: ends.ImageStore
    platforms: Collection[str]
    _kept: _Kept = field(default_factory=_Kept)
    _origins: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The inner store's."""
        return self.inner.address

    @property
    def lists_digests(self) -> bool:
        """What is listed are digests of whole indexes."""
        return False

    def repositories(self) -> list[str]:
        """The inner store's."""
        return self.inner.repositories()

    def tags(self, repository: str) -> dict[str, str] | None:
        """The inner store's tags, without digests."""
        found = self.inner.tags(repository)
        return None if found is None else dict.fromkeys(found, "")

    def resolve(self, repository: str, reference: str) -> ends.Descriptor | None:
        """What a tag or digest names, seen through the platforms.

        Raises:
            NotFoundError: The image has none of them.
        """
        digest = self._origin(repository, reference)
        if not digest:
            found = self.inner.resolve(repository, reference)
            if found is None or found.media_type not in oci.INDEXES:
                return found
            digest = found.digest
        made = self._narrowed(repository, digest)
        return ends.Descriptor(media_type=made.media_type, digest=made.digest, size=len(made.raw))

    def manifest(self, repository: str, digest: str) -> ends.Manifest | None:
        """A manifest, which may be one that was made here."""
        origin = self._origin(repository, digest)
        return self._narrowed(repository, origin) if origin else self.inner.manifest(repository, digest)

    def referrers(self, repository: str, digest: str) -> list[ends.Descriptor]:
        """What refers to a manifest at the source; nothing refers to what was made here."""
        return [] if self._origin(repository, digest) else self.inner.referrers(repository, digest)

    def has_blob(self, repository: str, descriptor: ends.Descriptor, *, recall: bool = False) -> bool:
        """The inner store's."""
        return self.inner.has_blob(repository, descriptor, recall=recall)

    def read_blob(self, repository: str, descriptor: ends.Descriptor) -> AbstractContextManager[Iterator[bytes]]:
        """The inner store's."""
        return self.inner.read_blob(repository, descriptor)

    def writing(self, repository: str) -> AbstractContextManager[None]:
        """Nothing is written through a view."""
        raise _only_read(repository)

    def mount_blob(self, repository: str, descriptor: ends.Descriptor, *, origin: str = "") -> bool:  # noqa: ARG002 - the shape is the protocol's
        """Nothing is written through a view."""
        raise _only_read(repository)

    def write_blob(self, repository: str, descriptor: ends.Descriptor, chunks: Iterable[bytes]) -> None:  # noqa: ARG002 - the shape is the protocol's
        """Nothing is written through a view."""
        raise _only_read(repository)

    def write_manifest(self, repository: str, manifest: ends.Manifest, *, tag: str = "", child: bool = False) -> None:  # noqa: ARG002 - the shape is the protocol's
        """Nothing is written through a view."""
        raise _only_read(repository)

    def untag(self, repository: str, tag: str) -> bool:  # noqa: ARG002 - the shape is the protocol's
        """Nothing is written through a view."""
        raise _only_read(repository)

    def _origin(self, repository: str, digest: str) -> str:
        """The index that something was made from; empty for what was not made here."""
        return self._origins.get((repository, digest)) or self._kept.origins.get((repository, digest), "")

    def _narrowed(self, repository: str, digest: str) -> ends.Manifest:
        made = self._kept.became.get((repository, digest))
        if made is None:
            made = self._made_of(repository, digest)
            self._kept.keep(repository, digest, made)
        if made.digest != digest:
            self._origins[repository, made.digest] = digest
        return made

    def _made_of(self, repository: str, digest: str) -> ends.Manifest:
        whole = self.inner.manifest(repository, digest)
        if whole is None:
            raise errors.NotFoundError(
                f"{self.address} has no manifest {digest} in {repository}.", remedy="It is looked at again."
            )
        return narrow(whole, self.platforms)


@dataclass(slots=True)
class Views:
    """The views of a process, so that what an index became is not found out again in each pass."""

    _views: dict[str, Narrowed] = field(default_factory=dict)

    def of(self, name: str, inner: ends.ImageStore, platforms: Collection[str]) -> Narrowed:
        """A view of a mirror for one pass; with another source or other platforms nothing is remembered."""
        last = self._views.get(name)
        same = last is not None and last.inner is inner and last.platforms == platforms
        view = replace(last, _origins={}) if last is not None and same else Narrowed(inner=inner, platforms=platforms)
        self._views[name] = view
        return view


def narrow(index: ends.Manifest, platforms: Collection[str]) -> ends.Manifest:
    """An index without the entries for other platforms; itself when it has none.

    Entries for no platform at all (artifacts, indexes inside) stay; an attestation stays with what it is about.

    Raises:
        NotFoundError: It has none of the platforms.
        IntegrityError: It is no index.
    """
    named = oci.contents(index)
    kept = {one.digest for one in (*named.children, *named.blobs) if _is_for(one.platform, platforms)}
    if not kept:
        raise errors.NotFoundError(
            f"{index.digest} has nothing for {', '.join(sorted(platforms))}.",
            remedy="Push those platforms, or leave the image out of the mirror.",
        )
    body: Json = orjson.loads(index.raw)
    entries = [entry for entry in body["manifests"] if _stays(entry, kept, platforms)]
    if len(entries) == len(body["manifests"]):
        return index
    raw = orjson.dumps({**body, "manifests": entries})
    return ends.Manifest(media_type=index.media_type, digest=oci.digest_of(raw, like=index.digest), raw=raw)


def _only_read(repository: str) -> errors.UnsupportedError:
    return errors.UnsupportedError(f"{repository} is seen through some platforms, and only read.")


def _stays(entry: Json, kept: Collection[str], platforms: Collection[str]) -> bool:
    about = (entry.get("annotations") or {}).get(_ABOUT)
    return about in kept if about else _is_for(entry.get("platform"), platforms)


def _is_for(platform: Json, platforms: Collection[str]) -> bool:
    """Whether an entry is for one of the platforms; without a variant any is meant, without a platform all are."""
    if not isinstance(platform, Mapping) or not platform:
        return True
    own = f"{platform.get('os', '')}/{platform.get('architecture', '')}"
    return own in platforms or f"{own}/{platform.get('variant', '')}" in platforms
