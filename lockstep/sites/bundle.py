"""Reads a bundle: an archive of images as an image store that is only read.

The whole archive is looked through before anything is handed on: each header must be, byte for byte, the one that
the transfer list asks for, in its place, up to the end; and where a list lies beside it, the archive's SHA-256 must be
the one that this tells. Contents are verified against their digests when they are read. Nothing is unpacked.
"""

from __future__ import annotations

import contextlib
import hashlib
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import IO, NoReturn

from lockstep import errors
from lockstep.sites import bundle_list, bundle_writing, disk, layout_files, oci
from lockstep.sites.bundle_list import Shelved
from lockstep.sites.ends import Descriptor, Manifest

_CHUNK = 2**20
_LIST_BESIDE_BYTES = bundle_list.LIST_BYTES + 2**20


class BundleStore:
    """The images of one archive. Safe to share between threads; what would write raises UnsupportedError."""

    def __init__(self, path: Path, listed: Mapping[str, Shelved], places: Mapping[str, int]) -> None:
        self._path = path
        self._listed = listed
        self._places = places
        self._referrers: dict[str, dict[str, list[Descriptor]]] = {}

    @property
    def address(self) -> str:
        """The file."""
        return str(self._path)

    @property
    def lists_digests(self) -> bool:
        """The transfer list names tags with their digests."""
        return True

    def repositories(self) -> list[str]:
        """The repositories that are here, sorted."""
        return sorted(self._listed)

    def tags(self, repository: str) -> dict[str, str] | None:
        """Tags, with their digests."""
        shelved = self._listed.get(repository)
        return dict(shelved.references) if shelved else None

    def resolve(self, repository: str, reference: str) -> Descriptor | None:
        """What a tag or digest names."""
        shelved = self._listed.get(repository, Shelved())
        return shelved.manifests.get(shelved.references.get(reference, reference))

    def manifest(self, repository: str, digest: str) -> Manifest | None:
        """A manifest. Raises IntegrityError."""
        named = self._listed.get(repository, Shelved()).manifests.get(digest)
        if named is None:
            return None
        with self.read_blob(repository, named) as chunks:
            return Manifest(media_type=named.media_type, digest=digest, raw=b"".join(chunks))

    def referrers(self, repository: str, digest: str) -> list[Descriptor]:
        """What refers to a manifest."""
        if repository not in self._referrers:
            self._referrers[repository] = self._subjects(repository)
        return self._referrers[repository].get(digest, [])

    def has_blob(self, repository: str, descriptor: Descriptor, *, recall: bool = False) -> bool:  # noqa: ARG002 - the list is a memory
        """Whether the blob is in the archive, for this repository."""
        return self._size(repository, descriptor.digest) == descriptor.size

    @contextlib.contextmanager
    def read_blob(self, repository: str, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        """The blob's bytes, verified as they end. Raises NotFoundError, IntegrityError."""
        size, digest = self._size(repository, descriptor.digest), descriptor.digest
        if size is None:
            raise errors.NotFoundError(
                f"{self._path} does not hold {digest}: the site was to have it in {repository} already.",
                remedy="Export again without --since and without --site.",
            )
        if size != descriptor.size:
            raise self._damaged(digest)
        with disk.typed(self._path):
            opened = self._path.open("rb", buffering=0)
        with opened as file:
            file.seek(self._places[digest])
            yield self._verified(file, digest, size)

    def writing(self, repository: str) -> contextlib.AbstractContextManager[None]:
        """Nothing is written here."""
        self._refuse(repository)

    def mount_blob(self, repository: str, descriptor: Descriptor, *, origin: str = "") -> bool:  # noqa: ARG002 - refused
        """Nothing is written here."""
        self._refuse(repository)

    def write_blob(self, repository: str, descriptor: Descriptor, chunks: Iterable[bytes]) -> None:  # noqa: ARG002 - refused
        """Nothing is written here."""
        self._refuse(repository)

    def write_manifest(self, repository: str, manifest: Manifest, *, tag: str = "", child: bool = False) -> None:  # noqa: ARG002 - refused
        """Nothing is written here."""
        self._refuse(repository)

    def untag(self, repository: str, tag: str) -> bool:  # noqa: ARG002 - refused
        """Nothing is written here."""
        self._refuse(repository)

    def _refuse(self, repository: str) -> NoReturn:
        raise errors.UnsupportedError(f"{self._path} is an archive: {repository} cannot be written to in it.")

    def _size(self, repository: str, digest: str) -> int | None:
        shelved = self._listed.get(repository, Shelved())
        named = shelved.manifests.get(digest)
        return named.size if named else shelved.blobs.get(digest)

    def _verified(self, file: IO[bytes], digest: str, size: int) -> Iterator[bytes]:
        hashed, left = hashlib.new(digest.partition(":")[0]), size
        while left:
            with disk.typed(self._path):
                chunk = file.read(min(_CHUNK, left))
            if not chunk:
                raise self._damaged(digest)
            left -= len(chunk)
            hashed.update(chunk)
            yield chunk
        if hashed.hexdigest() != digest.partition(":")[2]:
            raise self._damaged(digest)

    def _damaged(self, digest: str) -> errors.IntegrityError:
        return errors.IntegrityError(
            f"{self._path} is damaged: what it holds as {digest} is something else.",
            remedy="Carry it again, or export it again.",
        )

    def _subjects(self, repository: str) -> dict[str, list[Descriptor]]:
        found: dict[str, list[Descriptor]] = {}
        for digest in sorted(self._listed.get(repository, Shelved()).manifests):
            try:
                manifest = self.manifest(repository, digest)
                inside = oci.contents(manifest) if manifest else oci.Contents()
            except (errors.IntegrityError, errors.UnsupportedError):
                continue  # it cannot be copied as anybody's referrer either; its own image says why
            if manifest is not None and inside.subject is not None:
                found.setdefault(inside.subject.digest, []).append(
                    Descriptor(
                        media_type=manifest.media_type,
                        digest=digest,
                        size=len(manifest.raw),
                        artifact_type=inside.artifact_type,
                        annotations=inside.annotations,
                    )
                )
        return found


def open_bundle(path: Path) -> BundleStore:
    """Open an archive, and look through all of it; through the contents, where a list beside it tells their sum.

    Raises:
        NotFoundError: There is no such file.
        IntegrityError: It is cut, longer than it says, or holds something that its list does not name; or the
            list beside it is another one, or of other bytes.
        UnsupportedError: It was written by a later version.
        UnreachableError, ForbiddenError: It cannot be read.
    """
    if layout_files.size_of(path) is None:
        raise errors.NotFoundError(f"There is no file {path}.", remedy="Name the archive that was exported.")
    with disk.typed(path), path.open("rb") as file:
        looked = _Look(file, path)
        raw = looked.list()
        beside = _compare_beside(path, raw)
        listed = bundle_list.parse(raw, place=f"{path}: its transfer list")
        places: dict[str, int] = {}
        for member in bundle_list.members(listed):
            place = looked.member(member)
            if member.digest and not member.link:
                places[member.digest] = place
        looked.end()
        if beside is not None:
            looked.require(beside)
    return BundleStore(path, listed, places)


def read_list(path: Path) -> dict[str, Shelved]:
    """The transfer list in a file of its own, as it is written beside an archive. Raises as ``open_bundle``."""
    raw = layout_files.read_whole(path, most=_LIST_BESIDE_BYTES)
    if raw is None:
        raise errors.NotFoundError(f"There is no file {path}.", remedy="Name the list of an earlier transfer.")
    return bundle_list.parse(raw, place=str(path))


def _compare_beside(path: Path, raw: bytes) -> bundle_list.Sum | None:
    """Refuse an archive whose list is not the one that lies beside it; what that says the archive is.

    None when there is no list, or one that says nothing of it.
    """
    beside = bundle_writing.list_beside(path)
    said = layout_files.read_whole(beside, most=_LIST_BESIDE_BYTES)
    if said is None:
        return None
    if bundle_list.dump(bundle_list.parse(said, place=str(beside))) != raw:
        raise errors.IntegrityError(
            f"{beside} is the list of another archive than {path}.", remedy="Carry both files of one export."
        )
    return bundle_list.sum_of(said, place=str(beside))


class _Look:
    """Goes through an archive from header to header."""

    def __init__(self, file: BufferedReader, path: Path) -> None:
        self._file = file
        self._path = path
        self._whole = path.stat().st_size

    def list(self) -> bytes:
        """The transfer list, which comes first."""
        first = self._file.read(bundle_writing.BLOCK)
        try:
            said = tarfile.TarInfo.frombuf(first, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError) as error:
            raise self._wrong("is no archive of images") from error
        if first != bundle_writing.header(bundle_list.NAME, said.size) or said.size > bundle_list.LIST_BYTES:
            raise self._wrong("does not begin with a transfer list")
        raw = self._file.read(said.size)
        self._skip(bundle_writing.padding(said.size))
        if len(raw) != said.size:
            raise self._wrong("is cut inside its transfer list")
        return raw

    def member(self, member: bundle_list.Member) -> int:
        """Where the content of the next member begins, which must be this one."""
        expected = bundle_writing.header(member.name, member.size, link=member.link)
        said = self._file.read(len(expected))
        if said != expected:
            cut = len(said) < len(expected)
            raise self._wrong(
                f"is cut before {member.name}" if cut else f"has something else in place of {member.name}"
            )
        place = self._file.tell()
        if member.size > self._whole - place:
            raise self._wrong(f"is cut inside {member.name}")
        if member.data is not None:
            if self._file.read(member.size) != member.data:
                raise self._wrong(f"has another {member.name} than its list says, or is cut there")
        else:
            self._skip(member.size)
        self._skip(bundle_writing.padding(member.size))
        return place

    def end(self) -> None:
        """Nothing more may come."""
        if self._file.read(len(bundle_writing.END) + 1) != bundle_writing.END:
            raise self._wrong("does not end where its list ends")

    def require(self, told: bundle_list.Sum) -> None:
        """The archive as a whole must be what its list tells."""
        self._file.seek(0)
        if self._whole != told.size or hashlib.file_digest(self._file, "sha256").hexdigest() != told.sha256:
            raise self._wrong(f"is not the archive that its list tells, of {told.size} bytes and SHA-256 {told.sha256}")

    def _skip(self, size: int) -> None:
        self._file.seek(size, 1)

    def _wrong(self, what: str) -> errors.IntegrityError:
        return errors.IntegrityError(
            f"{self._path} {what}.", remedy="Nothing was written. Carry it again, or export it again."
        )
