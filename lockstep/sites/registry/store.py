"""A registry as an image store: the same questions as to a directory of layouts (``ends.ImageStore``)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from lockstep import errors, values
from lockstep.sites import oci
from lockstep.sites.ends import Descriptor, Manifest
from lockstep.sites.registry import blobs, listing, manifests, removal
from lockstep.sites.registry.conversation import Conversation
from lockstep.sites.registry.memory import Memory
from lockstep.sites.registry.names import Names
from lockstep.sites.registry.referrers import Referrers
from lockstep.sites.registry.sessions import Sessions
from lockstep.sites.registry.uploads import Uploads


class RegistryStore:
    """The repositories of one registry, or those below a prefix. Safe to share between threads.

    Args:
        said: The conversation with it.
        names: How a repository is called there.
        uploads: Where uploads that were begun are remembered; nowhere when None.
    """

    def __init__(self, said: Conversation, *, names: Names | None = None, uploads: Path | None = None) -> None:
        self._said = said
        self._names = names or Names()
        self._memory = Memory()
        sessions = Sessions(directory=uploads, registry=str(said.guard.home)) if uploads else None
        self._uploads = Uploads(said=said, sessions=sessions)
        self._referrers = Referrers(said=said, tags=self._memory.tags)

    @property
    def address(self) -> str:
        """The URL, with the prefix of its repositories."""
        prefix = self._names.prefix
        return f"{self._said.guard.home}{f'/{prefix}' if prefix else ''}"

    @property
    def lists_digests(self) -> bool:
        """A registry lists names."""
        return False

    def repositories(self) -> list[str]:
        """The repositories that are here, sorted."""
        found = (self._names.inside(name) for name in listing.repositories(self._said))
        return sorted(name for name in found if name)

    def tags(self, repository: str) -> dict[str, str] | None:
        """Tags, with ``""`` for each digest: a registry lists names only."""
        there = self._there(repository)
        found = listing.tags(self._said, there)
        self._memory.listed(there, found or ())
        return None if found is None else dict.fromkeys(found, "")

    def resolve(self, repository: str, reference: str) -> Descriptor | None:
        """What a tag or digest names, by one HEAD; None when it is not here."""
        if not values.is_digest(reference) and not values.is_tag(reference):
            raise errors.InputError(f"{reference[:140]!r} is neither a tag nor a digest.")
        return manifests.resolve(self._said, self._there(repository), reference)

    def manifest(self, repository: str, digest: str) -> Manifest | None:
        """A manifest by digest, verified; None when it is not here."""
        _require_digest(digest)
        return manifests.manifest(self._said, self._there(repository), digest)

    def referrers(self, repository: str, digest: str) -> list[Descriptor]:
        """The manifests whose subject is this one, by the registry's list or by the fallback tag."""
        _require_digest(digest)
        return self._referrers.of(self._there(repository), digest)

    def has_blob(self, repository: str, descriptor: Descriptor, *, recall: bool = False) -> bool:
        """Whether the blob is here, with its size."""
        _require_digest(descriptor.digest)
        there = self._there(repository)
        if recall and self._memory.has(there, descriptor.digest):
            return True
        found = blobs.has(self._said, there, descriptor)
        (self._memory.saw if found else self._memory.lost)(there, descriptor.digest)
        return found

    @contextlib.contextmanager
    def read_blob(self, repository: str, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        """The blob's bytes, verified as they end."""
        _require_digest(descriptor.digest)
        with contextlib.closing(blobs.read(self._said, self._there(repository), descriptor)) as chunks:
            yield chunks

    def writing(self, repository: str) -> contextlib.AbstractContextManager[None]:
        """Be writing: what is asked meanwhile is asked as one who may. A registry's collecting cannot be held."""
        return self._said.writing(self._there(repository))

    def mount_blob(self, repository: str, descriptor: Descriptor, *, origin: str = "") -> bool:
        """Take a blob over from another repository of this registry."""
        _require_digest(descriptor.digest)
        there = self._there(repository)
        source = self._there(origin) if origin else self._memory.elsewhere(there, descriptor.digest)
        if not source or not self._uploads.mount(there, descriptor, origin=source):
            return False
        self._memory.saw(there, descriptor.digest)
        return True

    def write_blob(self, repository: str, descriptor: Descriptor, chunks: Iterable[bytes]) -> None:
        """Write a blob; the registry shows it only when it is whole."""
        _require_digest(descriptor.digest)
        there = self._there(repository)
        self._uploads.send(there, descriptor, chunks)
        self._memory.saw(there, descriptor.digest)

    def write_manifest(self, repository: str, manifest: Manifest, *, tag: str = "", child: bool = False) -> None:  # noqa: ARG002 - a registry lists children like all manifests
        """Write a manifest byte for byte; where the registry keeps no list of referrers, keep it by tag."""
        _require_digest(manifest.digest)
        if tag and not values.is_tag(tag):
            raise errors.InputError(f"{tag[:140]!r} is not a tag.")
        if oci.digest_of(manifest.raw, like=manifest.digest) != manifest.digest:
            raise errors.IntegrityError(f"The bytes given for the manifest {manifest.digest} are others.")
        contents = oci.contents(manifest)
        there = self._there(repository)
        try:
            keeps_list = manifests.write(self._said, there, manifest, tag=tag)
        except errors.NotFoundError:
            self._memory.doubt(there)
            raise
        self._memory.changed(there)
        if contents.subject is not None and not keeps_list:
            self._referrers.attach(there, manifest, contents)

    def untag(self, repository: str, tag: str) -> bool:
        """Take a tag away, never the manifest under it; False when the registry has no way to do that."""
        if not values.is_tag(tag):
            raise errors.InputError(f"{tag[:140]!r} is not a tag.")
        there = self._there(repository)
        self._memory.changed(there)
        return removal.untag(self._said, self._uploads, there, tag)

    def _there(self, repository: str) -> str:
        if not values.is_repository(repository):
            raise errors.InputError(
                f"{repository[:300]!r} is not the name of a repository.",
                remedy="Write it in lower case, as the registry shows it, such as pay/api.",
            )
        return self._names.there(repository)


def _require_digest(digest: str) -> None:
    if not values.is_digest(digest):
        raise errors.InputError(f"{digest[:140]!r} is not a digest.", remedy="Write sha256:<64 hex>.")
