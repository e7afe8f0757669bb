"""An image store in memory, as strict as a registry may be: nothing is taken before what it names is there."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lockstep import errors
from lockstep.sites import ends, oci


@dataclass
class MemoryStore:
    """One repository, whatever it is called; ``piece`` is the size of the chunks in which it is read."""

    address: str
    lists_digests: bool = False
    piece: int = 4
    named: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, ends.Manifest] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def repositories(self) -> list[str]:
        """Nobody asks."""
        raise errors.UnsupportedError("It lists no repositories.")

    def tags(self, _repository: str) -> dict[str, str] | None:
        """With digests, or without."""
        return {tag: digest if self.lists_digests else "" for tag, digest in self.named.items()}

    def resolve(self, _repository: str, reference: str) -> ends.Descriptor | None:
        """What is here."""
        found = self.manifests.get(self.named.get(reference, reference))
        if found is None:
            return None
        return ends.Descriptor(media_type=found.media_type, digest=found.digest, size=len(found.raw))

    def manifest(self, _repository: str, digest: str) -> ends.Manifest | None:
        """What is here."""
        return self.manifests.get(digest)

    def referrers(self, _repository: str, digest: str) -> list[ends.Descriptor]:
        """Every manifest with this subject."""
        found = [one for one in list(self.manifests.values()) if _subject(one) == digest]
        return [ends.Descriptor(media_type=one.media_type, digest=one.digest, size=len(one.raw)) for one in found]

    def has_blob(self, _repository: str, descriptor: ends.Descriptor, *, recall: bool = False) -> bool:
        """Whether it is here."""
        return descriptor.digest in self.blobs

    @contextlib.contextmanager
    def read_blob(self, _repository: str, descriptor: ends.Descriptor) -> Iterator[Iterator[bytes]]:
        """In pieces."""
        if descriptor.digest not in self.blobs:
            raise errors.NotFoundError(f"{self.address} has no {descriptor.digest}.")
        data = self.blobs[descriptor.digest]
        yield (data[at : at + self.piece] for at in range(0, len(data), self.piece))

    @contextlib.contextmanager
    def writing(self, _repository: str) -> Iterator[None]:
        """Nothing is ever collected."""
        yield

    def mount_blob(self, _repository: str, _descriptor: ends.Descriptor, *, origin: str = "") -> bool:
        """There is no other repository."""
        return False

    def write_blob(self, _repository: str, descriptor: ends.Descriptor, chunks: Iterable[bytes]) -> None:
        """Take it when it is what it says."""
        data = b"".join(chunks)
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != descriptor.digest:
            raise errors.IntegrityError(f"The bytes for {descriptor.digest} are others.")
        self.blobs[descriptor.digest] = data

    def write_manifest(self, _repository: str, manifest: ends.Manifest, *, tag: str = "", child: bool = False) -> None:
        """Take it after what it names."""
        contents = oci.contents(manifest)
        lacking = [one.digest for one in contents.children if one.digest not in self.manifests]
        lacking += [one.digest for one in contents.blobs if one.digest not in self.blobs and not oci.is_optional(one)]
        if lacking:
            raise errors.NotFoundError(f"{self.address} has no {lacking[0]}, which {tag or manifest.digest} names.")
        self.manifests[manifest.digest] = manifest
        if tag:
            self.named[tag] = manifest.digest

    def untag(self, _repository: str, tag: str) -> bool:
        """Take it away."""
        self.named.pop(tag, None)
        return True


def everything(store: MemoryStore, digest: str) -> set[str]:
    """What belongs to an image, manifests and blobs: what is below it, and what refers to any of it."""
    found: set[str] = set()
    waiting = [digest]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        contents = oci.contents(store.manifests[one])
        found |= {blob.digest for blob in contents.blobs}
        waiting += [child.digest for child in contents.children]
        waiting += [about.digest for about in store.referrers("", one)]
    return found


def lacking(store: MemoryStore, digests: Iterable[str]) -> list[str]:
    """What of some manifests and blobs is not here."""
    return sorted(one for one in digests if one not in store.manifests and one not in store.blobs)


def below(store: MemoryStore, digest: str) -> list[str]:
    """What of an image is not here, without what refers to it: nothing when it can be run."""
    waiting, missing = [digest], list[str]()
    while waiting:
        one = waiting.pop()
        manifest = store.manifests.get(one)
        if manifest is None:
            missing.append(one)
            continue
        contents = oci.contents(manifest)
        missing += [blob.digest for blob in contents.blobs if blob.digest not in store.blobs]
        waiting += [child.digest for child in contents.children]
    return missing


def _subject(manifest: ends.Manifest) -> str:
    contents = oci.contents(manifest)
    return contents.subject.digest if contents.subject else ""
