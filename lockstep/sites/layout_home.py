"""One OCI image layout on disk: its index, its locks, and what may be removed from it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lockstep import errors
from lockstep.sites import layout_files, layout_index, oci
from lockstep.sites.ends import Descriptor, Manifest
from lockstep.sites.layout_blobs import Blobs
from lockstep.sites.layout_files import Region

# About a hundred thousand entries.
_INDEX_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What ``collect`` removed: digests, sorted, and their size in bytes together."""

    digests: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The layout at ``home``, which need not be there yet."""

    home: Path

    @property
    def blobs(self) -> Blobs:
        """Its blobs."""
        return Blobs(home=self.home)

    @property
    def _lock_file(self) -> Path:
        return self.home / "oci-layout"

    @property
    def _index_file(self) -> Path:
        return self.home / "index.json"

    def make(self) -> None:
        """Make the layout, if it is not there."""
        if layout_files.size_of(self._lock_file) is None:
            layout_files.make_directory(self.home / "blobs" / "sha256")
            with layout_files.Draft(self.home) as draft:
                draft.write(layout_index.LAYOUT_FILE)
                draft.publish(self._lock_file, replace=False)
            layout_files.sync_directory(self.home)
        if layout_files.size_of(self._index_file) is None:
            with self._changing() as index:
                if layout_files.size_of(self._index_file) is None:
                    self._replace(index)

    def index(self) -> layout_index.Index | None:
        """What it lists; None when there is no layout.

        Raises:
            IntegrityError, UnsupportedError.
        """
        said = layout_files.read_whole(self._lock_file, most=2**16)
        if said is None:
            return None
        layout_index.require_version(said, place=str(self._lock_file))
        raw = layout_files.read_whole(self._index_file, most=_INDEX_BYTES)
        return layout_index.parse(raw, place=str(self._index_file))

    def edit(self, change: Callable[[layout_index.Index], layout_index.Index]) -> None:
        """Change what is listed, alone; nothing to do when there is no layout."""
        if self.index() is None:
            return
        with self._changing() as index:
            changed = change(index)
            if changed != index:
                self._replace(changed)

    def add(self, manifest: Manifest, contents: oci.Contents, *, tag: str) -> None:
        """Write a manifest and list it; with a tag, move the tag to it.

        Raises:
            NotFoundError: Something that it reaches is not here.
        """
        named = Descriptor(media_type=manifest.media_type, digest=manifest.digest, size=len(manifest.raw))
        with self._changing() as index:
            self.blobs.put(manifest, contents)
            if not index.says(tag or manifest.digest, named):
                self.blobs.sync()
                self._replace(index.listing(named, tag=tag))

    def kept(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is collected until the end; others may keep it at the same time."""
        return layout_files.locked(self._lock_file, Region.BLOBS, shared=True)

    def collect(self, *, keep: Collection[str]) -> Collected:
        """Remove the blobs that neither a listed manifest nor one of ``keep`` reaches.

        Raises:
            ConflictError: Somebody is writing an image here.
            IntegrityError: A manifest is damaged, so that nobody can say what it reaches.
        """
        if self.index() is None:
            return Collected()
        with layout_files.locked(self._lock_file, Region.BLOBS, wait=False), self._changing() as index:
            kept = [found for digest in keep if (found := index.find(digest) or self.blobs.unlisted(digest))]
            reached = self.blobs.reachable([*index.roots(), *kept]).keys() | set(keep)
            garbage = [(digest, size) for digest, size in self.blobs.listed() if digest not in reached]
            for digest, _ in garbage:
                self.blobs.path(digest).unlink(missing_ok=True)
        return Collected(digests=tuple(sorted(digest for digest, _ in garbage)), size=sum(size for _, size in garbage))

    def subjects(self, index: layout_index.Index) -> dict[str, list[Descriptor]]:
        """For each subject, what refers to it, with the type and notes that a registry's listing would have."""
        found: dict[str, list[Descriptor]] = {}
        # What is damaged could not be read or copied as anybody's referrer either.
        for digest, manifest in sorted(self.blobs.reachable(index.roots(), skip_damaged=True).items()):
            contents = oci.contents(manifest) if manifest is not None else oci.Contents()
            if manifest is None or contents.subject is None:
                continue
            bare = Descriptor(media_type=manifest.media_type, digest=digest, size=len(manifest.raw))
            found.setdefault(contents.subject.digest, []).append(
                replace(bare, artifact_type=contents.artifact_type, annotations=contents.annotations)
            )
        return found

    @contextlib.contextmanager
    def _changing(self) -> Iterator[layout_index.Index]:
        """Hold the index alone, with what it says now."""
        with layout_files.locked(self._lock_file, Region.INDEX):
            layout_files.clear_strays(self.home)
            index = self.index()
            if index is None:
                raise errors.NotFoundError(f"{self.home} is no longer an OCI image layout.")
            yield index

    def _replace(self, index: layout_index.Index) -> None:
        layout_files.place(self._index_file, index.raw(), home=self.home)
