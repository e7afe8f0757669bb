"""A directory of OCI image layouts: one for each repository (image specification 1.1, "Image Layout").

It answers the same questions as a registry (``ends.ImageStore``), and other tools read and write it beside us
(``oci:<directory>:<tag>``). Several processes may write at once. Killed at any instant, it holds whole blobs
and a whole index, and nothing else that stays.

Two locks for each layout (``layout_files``): whoever changes ``index.json`` holds its region alone, for
milliseconds; whoever writes an image holds the blobs' region with others, and ``collect`` holds it alone. A
manifest is listed only when everything that it reaches is there, so that a writer that held no lock cannot
list what was collected under it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from lockstep import errors, values
from lockstep.sites import disk, layout_files, oci
from lockstep.sites.ends import Descriptor, Manifest
from lockstep.sites.layout_home import Collected, Layout

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

# A layout's own names. As part of a repository's name they are written with a mark that no name can end with.
_OWN = frozenset({"blobs", "index.json", "oci-layout"})
_MARK = "_"
# Repositories whose referrers are remembered.
_MOST_SCANNED = 64


def _typed(
    method: Callable[Concatenate[LayoutStore, _Given], _Result],
) -> Callable[Concatenate[LayoutStore, _Given], _Result]:
    """Refuse a root that is not there, and let the errors of the operating system come out as those of the house."""

    @functools.wraps(method)
    def wrapped(self: LayoutStore, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        with _reachable(self.root):
            return method(self, *args, **kwargs)

    return wrapped


@contextlib.contextmanager
def _reachable(root: Path) -> Iterator[None]:
    if not root.is_dir():
        # An unmounted disk is not an empty registry, and nothing may be written under its mount point.
        raise errors.UnreachableError(
            f"There is no directory {root}.", remedy="Mount it, or make it for a registry that is new."
        )
    with disk.typed(root):
        yield


class LayoutStore:
    """The layouts below ``root``: ``<root>/<repository>``. Safe to share between threads.

    Every method raises UnreachableError while there is no such directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._scanned: dict[str, tuple[bytes, dict[str, list[Descriptor]]]] = {}

    @property
    def address(self) -> str:
        """The directory."""
        return str(self.root)

    @property
    def lists_digests(self) -> bool:
        """An index names tags with their digests."""
        return True

    @_typed
    def repositories(self) -> list[str]:
        """The repositories that are here, sorted."""
        found: list[str] = []
        seen: set[tuple[int, int]] = set()
        waiting: list[tuple[Path, str]] = [(self.root, "")]
        while waiting:
            directory, name = waiting.pop()
            for below in _directories(directory, seen):
                repository = f"{name}/{_shown(below.name)}" if name else _shown(below.name)
                if not values.is_repository(repository):
                    continue
                waiting.append((below, repository))
                if layout_files.size_of(below / "oci-layout") is not None:
                    found.append(repository)
        return sorted(found)

    @_typed
    def tags(self, repository: str) -> dict[str, str] | None:
        """Tags and their digests; ``""`` for one whose manifest is not here whole, or that is claimed twice."""
        layout = self._layout(repository)
        index = layout.index()
        if index is None:
            return None
        whole = layout.blobs.holds
        return {tag: named.digest if named and whole(named) else "" for tag, named in index.tags().items()}

    @_typed
    def resolve(self, repository: str, reference: str) -> Descriptor | None:
        """What a tag or digest names; None when it is not here, or its manifest is not here whole."""
        if not values.is_digest(reference) and not values.is_tag(reference):
            raise errors.InputError(f"{reference[:140]!r} is neither a tag nor a digest.")
        layout = self._layout(repository)
        index = layout.index()
        if index is None:
            return None
        named = index.find(reference)
        if named is not None:
            return named if layout.blobs.holds(named) else None
        return layout.blobs.unlisted(reference) if values.is_digest(reference) else None

    @_typed
    def manifest(self, repository: str, digest: str) -> Manifest | None:
        """A manifest by digest, verified; None when it is not here."""
        _require_digest(digest)
        layout = self._layout(repository)
        index = layout.index()
        if index is None:
            return None
        named = index.find(digest)
        return layout.blobs.manifest(digest, media_type=named.media_type if named else "")

    @_typed
    def referrers(self, repository: str, digest: str) -> list[Descriptor]:
        """The manifests of this layout whose ``subject`` is this one, by digest."""
        _require_digest(digest)
        layout = self._layout(repository)
        index = layout.index()
        if index is None:
            return []
        key = hashlib.sha256(index.raw()).digest()
        scanned = self._scanned.get(repository)
        if scanned is None or scanned[0] != key:
            # A layout lists what refers: a scan of what is listed holds as long as the listing does.
            scanned = (key, layout.subjects(index))
            if len(self._scanned) >= _MOST_SCANNED:
                self._scanned.clear()
            self._scanned[repository] = scanned
        return scanned[1].get(digest, [])

    @_typed
    def has_blob(self, repository: str, descriptor: Descriptor, *, recall: bool = False) -> bool:  # noqa: ARG002 - a look at the disk is as cheap as a memory
        """Whether the blob is here, with its size."""
        _require_digest(descriptor.digest)
        return self._layout(repository).blobs.holds(descriptor)

    @contextlib.contextmanager
    def read_blob(self, repository: str, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        """The blob's bytes in chunks of at most 1 MiB, verified as they end."""
        _require_digest(descriptor.digest)
        with self._layout(repository).blobs.reading(descriptor) as chunks:
            yield chunks

    @contextlib.contextmanager
    def writing(self, repository: str) -> Iterator[None]:
        """Be writing an image: nothing here is collected until the end."""
        with contextlib.ExitStack() as held:
            with _reachable(self.root):
                layout = self._layout(repository)
                layout.make()
                held.enter_context(layout.kept())
            yield

    @_typed
    def mount_blob(self, repository: str, descriptor: Descriptor, *, origin: str = "") -> bool:
        """Give another repository's blob a name here too, without a copy; False without an origin."""
        _require_digest(descriptor.digest)
        if not origin:
            return False
        layout = self._layout(repository)
        layout.make()
        return layout.blobs.mount(descriptor, origin=self._layout(origin).blobs)

    def write_blob(self, repository: str, descriptor: Descriptor, chunks: Iterable[bytes]) -> None:
        """Write a blob; nobody sees it before it is whole."""
        _require_digest(descriptor.digest)
        layout = self._layout(repository)
        with _reachable(self.root):
            layout.make()
        layout.blobs.write(descriptor, chunks)

    @_typed
    def write_manifest(self, repository: str, manifest: Manifest, *, tag: str = "", child: bool = False) -> None:
        """Write a manifest after what it names; list it unless it is a child, and move the tag to it."""
        _require_digest(manifest.digest)
        if tag and not values.is_tag(tag):
            raise errors.InputError(f"{tag[:140]!r} is not a tag.")
        if oci.digest_of(manifest.raw, like=manifest.digest) != manifest.digest:
            raise errors.IntegrityError(f"The bytes given for the manifest {manifest.digest} are others.")
        contents = oci.contents(manifest)
        layout = self._layout(repository)
        layout.make()
        if child and not tag:
            layout.blobs.put(manifest, contents)
        else:
            layout.add(manifest, contents, tag=tag)

    @_typed
    def untag(self, repository: str, tag: str) -> bool:
        """Take a tag away; what it named stays listed by its digest."""
        self._layout(repository).edit(lambda index: index.untagging(tag))
        return True

    @_typed
    def forget(self, repository: str, digest: str) -> None:
        """List a digest no longer that no tag names; ``collect`` then removes what only it reached."""
        self._layout(repository).edit(lambda index: index.forgetting(digest))

    @_typed
    def collect(self, repository: str, *, keep: Iterable[str] = ()) -> Collected:
        """Remove the blobs that nothing reaches: no tag, no listed digest, none of ``keep``.

        Raises:
            ConflictError: Somebody is writing an image here.
            IntegrityError: A manifest is damaged, so that nobody can say what it reaches.
        """
        return self._layout(repository).collect(keep=frozenset(keep))

    def _layout(self, repository: str) -> Layout:
        return Layout(home=self.root / folder(repository))


def folder(repository: str) -> str:
    """Where a repository's layout is below the directory of layouts.

    Raises:
        InputError: No repository has such a name.
    """
    if not values.is_repository(repository):
        raise errors.InputError(
            f"{repository[:300]!r} is not the name of a repository.",
            remedy="Write it in lower case, as the registry shows it, such as pay/api.",
        )
    return "/".join(part + _MARK if part in _OWN else part for part in repository.split("/"))


def _directories(directory: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """The directories below one that can be repositories, each once however it is linked."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name in _OWN or not entry.is_dir():
                continue
            found = entry.stat()
            if (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                yield Path(entry.path)


def _shown(component: str) -> str:
    bare = component.removesuffix(_MARK)
    return bare if bare in _OWN else component


def _require_digest(digest: str) -> None:
    if not values.is_digest(digest):
        raise errors.InputError(f"{digest[:140]!r} is not a digest.", remedy="Write sha256:<64 hex>.")
