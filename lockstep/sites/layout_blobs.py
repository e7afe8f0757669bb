"""The blobs of one OCI image layout: reading with proof, writing whole, and what a manifest reaches.

A blob's name is its digest, so a file is right or wrong by itself. Presence is a regular file of the right
size; whoever reads one gets its digest verified.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lockstep import errors, values
from lockstep.sites import disk, layout_files, oci
from lockstep.sites.ends import Descriptor, Manifest

_CHUNK = 2**20
# Manifests that hang below one root; an image has a few dozen.
_MOST_MANIFESTS = 10_000
_DIGESTS = re.compile(rb"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blobs:
    """The blobs of the layout at ``home``."""

    home: Path

    def path(self, digest: str) -> Path:
        """Where a blob is, or would be. The digest is valid: it becomes a path."""
        algorithm, _, encoded = digest.partition(":")
        return self.home / "blobs" / algorithm / encoded

    def holds(self, blob: Descriptor) -> bool:
        """Whether a file of the right size has the blob's name."""
        return layout_files.size_of(self.path(blob.digest)) == blob.size

    def manifest(self, digest: str, *, media_type: str = "") -> Manifest | None:
        """A manifest, verified; None when it is not here, or is no manifest. Its own word stands for the type.

        Raises:
            IntegrityError: The bytes are not the digest's, or too many.
        """
        raw = layout_files.read_whole(self.path(digest), most=oci.MANIFEST_BYTES)
        if raw is None:
            return None
        if oci.digest_of(raw, like=digest) != digest:
            raise _damaged(self.path(digest))
        kind = media_type or oci.kind_of(raw)
        return Manifest(media_type=kind, digest=digest, raw=raw) if kind else None

    @contextlib.contextmanager
    def reading(self, blob: Descriptor) -> Iterator[Iterator[bytes]]:
        """The blob's bytes in chunks, verified as they end.

        Raises:
            NotFoundError, IntegrityError.
        """
        path = self.path(blob.digest)
        with disk.typed(path):
            descriptor = layout_files.open_regular(path)
        if descriptor is None:
            raise errors.NotFoundError(f"{path} is not there.", remedy="Push the image there again.")
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            yield _verified(file, blob, path)

    def write(self, blob: Descriptor, chunks: Iterable[bytes]) -> None:
        """Write a blob; when it is not what was announced, or what gives its bytes raises, nothing of it stays.

        Raises:
            IntegrityError: The bytes are others.
        """
        target = self.path(blob.digest)
        with disk.typed(target):
            layout_files.make_directory(target.parent)
            draft = layout_files.Draft(self.home)
        with draft:
            incoming = _Incoming(draft, blob, target)
            for chunk in chunks:
                incoming.write(chunk)
            incoming.commit()

    def mount(self, blob: Descriptor, *, origin: Blobs) -> bool:
        """Give another layout's blob a name here too; False when it is not whole there or cannot be shared."""
        target = self.path(blob.digest)
        if not origin.holds(blob):
            return False
        layout_files.make_directory(target.parent)
        try:
            os.link(origin.path(blob.digest), target)
        except FileExistsError:
            return self.holds(blob)
        except OSError:  # another file system, or one without hard links: then it is copied
            return False
        return True

    def missing(self, contents: oci.Contents) -> str:
        """The digest of something that a manifest reaches and that is not here whole; empty when all is."""
        seen: set[str] = set()
        waiting = [contents]
        while waiting:
            named = waiting.pop()
            for blob in named.blobs:
                if not self.holds(blob) and not oci.is_optional(blob):
                    return blob.digest
            for child in named.children:
                if child.digest in seen:
                    continue
                seen.add(child.digest)
                found = self.manifest(child.digest, media_type=child.media_type) if self.holds(child) else None
                if found is None:
                    return child.digest
                waiting.append(oci.contents(found))
            _bounded(seen, self.home)
        return ""

    def reachable(self, roots: Iterable[Descriptor], *, skip_damaged: bool = False) -> dict[str, Manifest | None]:
        """Everything that these reach, themselves included: the digest, and the manifest if it is one.

        What is of an unknown kind counts as reaching every digest that is written in it.

        Raises:
            IntegrityError: A manifest is damaged, so that nobody can say what it reaches; unless those are skipped.
        """
        found: dict[str, Manifest | None] = {}
        waiting = list(roots)
        while waiting:
            named = waiting.pop()
            if named.digest in found:
                continue
            found[named.digest] = None
            if named.media_type not in oci.MANIFESTS:
                waiting.extend(self._mentioned(named.digest))
                continue
            try:
                manifest = self.manifest(named.digest, media_type=named.media_type)
                inside = oci.contents(manifest) if manifest is not None else oci.Contents()
            except (errors.IntegrityError, errors.UnsupportedError):
                if not skip_damaged:
                    raise
                continue
            found[named.digest] = manifest
            waiting.extend(inside.children)
            if named.media_type in oci.INDEXES:  # an index may name documents of any kind
                waiting.extend(inside.blobs)
            else:
                found.update({blob.digest: None for blob in inside.blobs if blob.digest not in found})
        return found

    def unlisted(self, digest: str) -> Descriptor | None:
        """What a manifest's own bytes say of it; None when there is no manifest of that digest."""
        size = layout_files.size_of(self.path(digest))
        if size is None or size > oci.MANIFEST_BYTES:
            return None
        manifest = self.manifest(digest)
        return Descriptor(media_type=manifest.media_type, digest=digest, size=size) if manifest else None

    def put(self, manifest: Manifest, contents: oci.Contents) -> None:
        """Write a manifest.

        Raises:
            NotFoundError: Something that it reaches is not here.
        """
        missing = self.missing(contents)
        if missing:
            raise errors.NotFoundError(
                f"{self.home} has no {missing}, which the manifest {manifest.digest} names.",
                remedy="Write the blobs and the manifests below it first.",
            )
        path = self.path(manifest.digest)
        if layout_files.size_of(path) == len(manifest.raw) and path.read_bytes() == manifest.raw:
            return
        layout_files.make_directory(path.parent)
        with layout_files.Draft(self.home) as draft:
            draft.write(manifest.raw)
            draft.publish(path)

    def _mentioned(self, digest: str) -> Iterator[Descriptor]:
        """The digests that are written anywhere in a small blob, as manifests where they are some."""
        path = self.path(digest)
        if (layout_files.size_of(path) or 0) > oci.MANIFEST_BYTES:
            return
        raw = layout_files.read_whole(path, most=oci.MANIFEST_BYTES) or b""
        for found in {match.decode() for match in _DIGESTS.findall(raw)}:
            yield self.unlisted(found) or Descriptor(media_type="", digest=found, size=0)

    def listed(self) -> Iterator[tuple[str, int]]:
        """The digests and sizes of all blobs that are here; files that are no blobs are left out."""
        for algorithm in ("sha256", "sha512"):
            with contextlib.suppress(FileNotFoundError), os.scandir(self.home / "blobs" / algorithm) as entries:
                for entry in entries:
                    digest = f"{algorithm}:{entry.name}"
                    if values.is_digest(digest) and entry.is_file(follow_symlinks=False):
                        yield digest, entry.stat(follow_symlinks=False).st_size

    def sync(self) -> None:
        """Make the names of all blobs durable."""
        for algorithm in ("sha256", "sha512"):
            with contextlib.suppress(FileNotFoundError):
                layout_files.sync_directory(self.home / "blobs" / algorithm)


class _Incoming:
    """A blob that is being written."""

    def __init__(self, draft: layout_files.Draft, blob: Descriptor, target: Path) -> None:
        self._draft = draft
        self._blob = blob
        self._target = target
        self._hash = hashlib.new(blob.digest.partition(":")[0])
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Append the next bytes; more than were announced are refused."""
        self._size += len(chunk)
        if self._size > self._blob.size:
            raise self._wrong()
        self._hash.update(chunk)
        with disk.typed(self._target):
            self._draft.write(chunk)

    def commit(self) -> None:
        """Let the blob be seen, if it is what was announced."""
        if self._size != self._blob.size or self._hash.hexdigest() != self._blob.digest.partition(":")[2]:
            raise self._wrong()
        with disk.typed(self._target):
            self._draft.publish(self._target)

    def _wrong(self) -> errors.IntegrityError:
        return errors.IntegrityError(
            f"What arrived for {self._target} is not the blob of that digest and {self._blob.size} bytes.",
            remedy="Try again; if it stays, what it comes from is damaged.",
        )


def _verified(file: IO[bytes], blob: Descriptor, path: Path) -> Iterator[bytes]:
    hashed = hashlib.new(blob.digest.partition(":")[0])
    size = 0
    while True:
        with disk.typed(path):
            chunk = file.read(_CHUNK)
        if not chunk:
            break
        size += len(chunk)
        if size > blob.size:
            raise _damaged(path)
        hashed.update(chunk)
        yield chunk
    if size != blob.size or hashed.hexdigest() != blob.digest.partition(":")[2]:
        raise _damaged(path)


def _bounded(seen: set[str], home: Path) -> None:
    if len(seen) > _MOST_MANIFESTS:
        raise errors.IntegrityError(f"An image in {home} has more than {_MOST_MANIFESTS} manifests.")


def _damaged(path: Path) -> errors.IntegrityError:
    return errors.IntegrityError(
        f"{path} is not what its digest and size say.", remedy="Push the image there again, or restore the file."
    )
