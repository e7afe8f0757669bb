"""Reading a directory of manifests: objects, and a gap for everything that is no object where one should be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from lockstep import documents, errors
from lockstep.sites import object_files
from lockstep.sites.ends import Gap, Selection
from lockstep.sites.folder import Folder, Sort
from lockstep.values import Json, ObjectKey

_MOST_BYTES = documents.Limits().size
# Ten thousand objects of ordinary size, so that a scan of files that did not change parses none of them.
_MEMORY = documents.Memory(most_bytes=64 * 2**20)
_WRONG_PLACE = "a manifest does not belong here: move it to <namespace or _cluster>/<kind>.<group or core>/."


class MisplacedError(errors.InputError):
    """A file holds another object than the one that its place is for; ``holds`` is that object."""

    def __init__(self, message: str, *, remedy: str, holds: ObjectKey) -> None:
        super().__init__(message, remedy=remedy)
        self.holds = holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file in the folder of a kind in the folder of a namespace (``""`` for none)."""

    namespace: str
    group: str
    kind: str
    file: str

    def __str__(self) -> str:
        folder = object_files.folder(self.namespace)
        return f"{folder}/{object_files.kind_folder(self.group, self.kind)}/{self.file}"

    @property
    def name(self) -> str:
        """The name that an object has here; ``*`` when only the file can tell."""
        return object_files.of_stem(self.file.rpartition(".")[0])

    def gap(self, why: str) -> Gap:
        """What is not known because of this file."""
        return Gap(
            what=str(self), why=why, group=self.group, kind=self.kind, namespace=self.namespace, name=self.name or "*"
        )


def parse(folder: Folder, place: Place) -> dict[str, Json]:
    """The object in a file; without a namespace of its own it gets the one of its folder.

    Raises:
        FileNotFoundError: It has gone meanwhile.
        MisplacedError: It is another object than its place says.
        InputError: It cannot be understood.
    """
    try:
        data = folder.read(place.file, most=_MOST_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise errors.InputError(
            f"it cannot be read: {error.strerror}.", remedy="Only regular files are read; links are not followed."
        ) from error
    found = _MEMORY.values(data, file=str(place))
    if len(found) != 1:
        count = f"{len(found)} objects" if found else "nothing"
        raise errors.InputError(f"the file holds {count}.", remedy="Write one object to each file.")
    value = found[0]
    manifest: dict[str, Json] = value if isinstance(value, dict) else {}
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or not all(
        isinstance(text, str) for text in (manifest.get("apiVersion"), manifest.get("kind"), metadata.get("name"))
    ):
        raise errors.InputError("this is no object.", remedy="Write apiVersion, kind and metadata.name, each as text.")
    if not isinstance(metadata.get("namespace"), str | None):
        raise errors.InputError("metadata.namespace is no text.", remedy="Put it in quotes, or leave it out.")
    if not metadata.get("namespace") and place.namespace:
        manifest = {**manifest, "metadata": {**metadata, "namespace": place.namespace}}
    _require_place(manifest, place)
    return manifest


def files_of(root: Folder, key: ObjectKey) -> list[str]:
    """The files that stand where the object may stand, by their names in its kind's folder."""
    with kind_folder(root, key) as folder:
        if folder is None:
            return []
        return [name for name in object_files.spellings(key.name) if folder.sort_of(name)]


def one(root: Folder, key: ObjectKey) -> dict[str, Json] | None:
    """One object; None when it is not there.

    Raises:
        InputError: Its file cannot be understood, or several files say what it is.
    """
    found = []
    with kind_folder(root, key) as folder:
        if folder is None:
            return None
        for file in object_files.spellings(key.name):
            place = Place(namespace=key.namespace, group=key.group, kind=key.kind, file=file)
            with contextlib.suppress(FileNotFoundError):
                try:
                    found.append((place, parse(folder, place)))
                except errors.DocumentError:
                    raise
                except errors.InputError as error:
                    raise errors.InputError(f"{place}: {error.message}", remedy=error.remedy) from error
    if len(found) > 1:
        raise errors.InputError(_doubled(key, [place for place, _ in found]), remedy="Keep one of them.")
    return found[0][1] if found else None


_Kept = TypeVar("_Kept")


@dataclass(slots=True, kw_only=True)
class Reading(Generic[_Kept]):
    """One reading of a directory; ``keep`` says what stays of an object."""

    root: Folder
    keep: Callable[[dict[str, Json]], _Kept]
    _found: dict[ObjectKey, list[tuple[Place, _Kept]]] = field(default_factory=dict)
    _gaps: list[Gap] = field(default_factory=list)
    _misplaced: list[tuple[ObjectKey, Place]] = field(default_factory=list)

    def select(self, selection: Selection) -> None:
        """Read what is selected."""
        entries = self.root.entries()
        for name, sort in entries:
            if _stray(name, sort) and sort not in (Sort.FOLDER, Sort.LINK):
                self._gaps.append(Gap(what=name, why=_WRONG_PLACE))
        for namespace in self._every(entries) if selection.namespaces is None else sorted(selection.namespaces):
            self._namespace(namespace)
        if selection.cluster_scoped is None:
            self._namespace("")
        for key in sorted(selection.cluster_scoped or ()):
            self._one(key)

    def _every(self, entries: Sequence[tuple[str, Sort]]) -> Iterator[str]:
        """The namespaces that have a folder; one that cannot be a namespace's is a gap."""
        for name, sort in sorted(entries, key=lambda entry: entry[0]):
            if name == object_files.CLUSTER or name.startswith(".") or sort not in (Sort.FOLDER, Sort.LINK):
                continue
            try:
                object_files.folder(name)
            except errors.InputError as error:
                self._gaps.append(Gap(what=name, why=f"{error.message} {error.remedy}"))
            else:
                yield name

    def _one(self, key: ObjectKey) -> None:
        try:
            with kind_folder(self.root, key) as folder:
                if folder is not None:
                    self._spellings(folder, key)
        except OSError as error:
            what = object_files.path(key)
            self._gaps.append(Gap(what=what, why=f"it cannot be read: {error.strerror}.", **_narrow(key)))

    def _spellings(self, folder: Folder, key: ObjectKey) -> None:
        for file in object_files.spellings(key.name):
            sort = folder.sort_of(file)
            if sort is not None:
                self._file(folder, Place(namespace=key.namespace, group=key.group, kind=key.kind, file=file), sort)

    def kept(self) -> Iterator[tuple[ObjectKey, _Kept]]:
        """What was kept of the objects that are written exactly once, in the order of their keys."""
        return ((key, self._found[key][0][1]) for key in sorted(self._found) if len(self._found[key]) == 1)

    def gaps(self) -> tuple[Gap, ...]:
        """Everything that is not known: what could not be understood, and what is written more than once."""
        gaps = set(self._gaps)
        for key, found in self._found.items():
            if len(found) > 1:
                gaps.add(found[0][0].gap(f"{_doubled(key, [place for place, _ in found])} Keep one of them."))
        for key, place in self._misplaced:
            # The object in the wrong file may be the very one that is missing in its own.
            if key not in self._found:
                why = f"{key} stands in {place}."
                gaps.add(Gap(what=object_files.path(key), why=why, **_narrow(key)))
        return tuple(sorted(gaps))

    def _namespace(self, namespace: str) -> None:
        where = object_files.folder(namespace)
        with self._entered(self.root, where, Gap(what=where, why="", namespace=namespace)) as folder:
            if folder is None:
                return
            for name, sort in folder.entries():
                kind = object_files.of_kind_folder(name)
                if kind and sort in (Sort.FOLDER, Sort.LINK):
                    self._kind(folder, name, namespace=namespace, kind=kind)
                elif _stray(name, sort):
                    self._gaps.append(Gap(what=f"{where}/{name}", why=_WRONG_PLACE, namespace=namespace))

    def _kind(self, parent: Folder, name: str, *, namespace: str, kind: tuple[str, str]) -> None:
        where = f"{object_files.folder(namespace)}/{name}"
        unread = Gap(what=where, why="", group=kind[0], kind=kind[1], namespace=namespace)
        with self._entered(parent, name, unread) as folder:
            if folder is None:
                return
            for file, sort in folder.entries():
                if _stray(file, sort):
                    self._file(folder, Place(namespace=namespace, group=kind[0], kind=kind[1], file=file), sort)

    def _file(self, folder: Folder, place: Place, sort: Sort) -> None:
        if sort is not Sort.FILE:
            self._gaps.append(place.gap(f"it is {sort.value}: only regular files are read."))
            return
        try:
            manifest = parse(folder, place)
        except FileNotFoundError:
            return
        except MisplacedError as error:
            self._misplaced.append((error.holds, place))
            self._gaps.append(place.gap(f"{error.message} {error.remedy}"))
        except errors.DocumentError as error:
            self._gaps.append(place.gap(f"line {error.line}: {error.bare} {error.remedy}"))
        except errors.InputError as error:
            self._gaps.append(place.gap(f"{error.message} {error.remedy}"))
        else:
            self._found.setdefault(ObjectKey.of(manifest), []).append((place, self.keep(manifest)))

    @contextlib.contextmanager
    def _entered(self, parent: Folder, name: str, unread: Gap) -> Iterator[Folder | None]:
        """A folder below; None when it is not there, or with a gap when it cannot be entered."""
        try:
            folder = parent.below(name)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            why = f"it cannot be entered: {error.strerror}. Only folders are read; links are not followed."
            self._gaps.append(replace(unread, why=why))
            yield None
            return
        with folder:
            yield folder


@contextlib.contextmanager
def kind_folder(root: Folder, key: ObjectKey) -> Iterator[Folder | None]:
    """The folder of an object's kind; None when it is not there.

    Raises:
        InputError: No object can have this key.
        OSError: A file or a link stands in its place, or it may not be entered.
    """
    object_files.path(key)
    with contextlib.ExitStack() as opened:
        folder: Folder | None = root
        for name in (object_files.folder(key.namespace), object_files.kind_folder(key.group, key.kind)):
            try:
                folder = opened.enter_context(folder.below(name)) if folder else None
            except FileNotFoundError:
                folder = None
        yield folder


def _require_place(manifest: dict[str, Json], place: Place) -> None:
    """Refuse an object that is not the one that its place is for."""
    holds = ObjectKey.of(manifest)
    wanted = (place.group, place.kind, place.namespace)
    try:
        belongs = object_files.path(holds)
    except errors.InputError as error:
        raise errors.InputError(f"it holds {holds}, which cannot be: {error.message}", remedy=error.remedy) from error
    if (holds.group, holds.kind, holds.namespace) != wanted or place.file not in object_files.spellings(holds.name):
        raise MisplacedError(f"it holds {holds}.", remedy=f"Move it to {belongs}, or correct it.", holds=holds)


def _stray(name: str, sort: Sort) -> bool:
    """Whether an entry must not be passed over: anything that could hold a manifest."""
    if name.startswith("."):
        return False
    return name.endswith(object_files.ENDINGS) or sort in (Sort.FOLDER, Sort.LINK)


def _doubled(key: ObjectKey, places: list[Place]) -> str:
    return f"{' and '.join(str(place) for place in places)} say what {key} is."


def _narrow(key: ObjectKey) -> dict[str, Json]:
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}
