"""What may be asked of a registry, or of a directory of OCI image layouts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """OCI content descriptor (image specification 1.1, "Content Descriptors").

    ``size`` is in bytes; ``urls`` says where else the content may be had; ``data`` is the content itself where
    the descriptor carries it, verified; ``artifact_type`` is empty when there is none.
    """

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, Json] | None = None
    urls: tuple[str, ...] = ()
    data: bytes | None = None
    artifact_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest or an index, byte for byte as its registry has it."""

    media_type: str
    digest: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """Chunks whose giver raises, instead of ending, when they are not the blob: they need not be hashed again."""

    chunks: Iterable[bytes]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)


class ImageStore(Protocol):
    """A registry, or a directory of OCI image layouts. Every method may raise what the module's head says."""

    @property
    def address(self) -> str:
        """The URL or path, fit to be shown."""
        ...

    @property
    def lists_digests(self) -> bool:
        """Whether ``tags`` tells digests; a registry names tags only."""
        ...

    def repositories(self) -> list[str]:
        """The repositories that are here, sorted. UnsupportedError where a registry does not tell."""
        ...

    def tags(self, repository: str) -> dict[str, str] | None:
        """Tags, with the digests that they name where that costs nothing and ``""`` otherwise.

        None when there is no such repository.
        """
        ...

    def resolve(self, repository: str, reference: str) -> Descriptor | None:
        """What a tag or digest names, without fetching it; None when it is not here."""
        ...

    def manifest(self, repository: str, digest: str) -> Manifest | None:
        """A manifest by digest, verified; None when it is not here."""
        ...

    def referrers(self, repository: str, digest: str) -> list[Descriptor]:
        """The manifests whose ``subject`` is this one: signatures, bills of materials, attestations."""
        ...

    def has_blob(self, repository: str, descriptor: Descriptor, *, recall: bool = False) -> bool:
        """Whether the blob is here, whole; with ``recall`` it is enough to have seen it here before."""
        ...

    def read_blob(self, repository: str, descriptor: Descriptor) -> AbstractContextManager[Iterator[bytes]]:
        """The blob's bytes in chunks of at most 1 MiB, verified as they end.

        Raises:
            NotFoundError, IntegrityError.
        """
        ...

    def writing(self, repository: str) -> AbstractContextManager[None]:
        """Be writing an image: until the end, nothing that was written or found here is collected as garbage.

        What is asked meanwhile is asked with the rights of one who writes.
        """
        ...

    def mount_blob(self, repository: str, descriptor: Descriptor, *, origin: str = "") -> bool:
        """Take a blob over from another repository of this end; False when it has to be sent instead.

        Without an origin: from any repository that the end remembers to have seen it in.
        """
        ...

    def write_blob(self, repository: str, descriptor: Descriptor, chunks: Iterable[bytes]) -> None:
        """Write a blob; nobody sees it before its size and digest are verified, by this end or by whoever gives it.

        What ``chunks`` raises ends the writing and is raised; no part of the blob is left behind then. Chunks
        that the end turns out not to need are not asked for.

        Raises:
            IntegrityError: The bytes are not the descriptor's.
        """
        ...

    def write_manifest(self, repository: str, manifest: Manifest, *, tag: str = "", child: bool = False) -> None:
        """Write a manifest byte for byte, after its blobs and children; with a tag, move the tag to it.

        ``child`` says that an index still to be written names it, so that a layout need not list it.

        Raises:
            NotFoundError: A blob or a manifest that it names is not here.
            IntegrityError: The bytes are not the digest's, or not what the media type says.
        """
        ...

    def untag(self, repository: str, tag: str) -> bool:
        """Take a tag away, never the manifest under it; False when this end cannot."""
        ...
