"""What a backup holds: a Velero tarball, or a dump of one or more lists.

Nothing is ever unpacked to disk: names inside an archive decide nothing but where an object says that it is.
Sizes are bounded while they are read, so that a small file cannot become a large one.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO

import orjson

from lockstep import documents, errors
from lockstep.sites.ends import Gap
from lockstep.values import Json, ObjectKey

_MOST_OBJECT = documents.Limits().size
_MOST_DEPTH = documents.Limits().depth
_MOST_BYTES = 2 * 2**30
_MOST_DUMP = 512 * 2**20
_MOST_MEMBERS = 1_000_000
# What tarfile may read to understand one header, long names and extended attributes included.
_HEADER = 2**20
_GZIP = b"\x1f\x8b"
# Velero, "Output file format": version 1, and version 1.1 with a folder for each version of an API.
_MEMBER = re.compile(
    r"(?:\./)?resources/(?P<resource>[^/]+)/(?:(?P<version>v[0-9][a-z0-9]*(?:-preferredversion)?)/)?"
    r"(?:namespaces/(?P<namespace>[^/]+)|cluster)/(?P<name>[^/]+)\.json"
)


@dataclass(slots=True, kw_only=True)
class Contents:
    """Objects by their keys, what could not be understood, and the moment that they are of."""

    taken_at: datetime
    objects: dict[ObjectKey, dict[str, Json]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    _ranks: dict[ObjectKey, int] = field(default_factory=dict)

    def add(self, manifest: dict[str, Json], *, rank: int = 0) -> bool:
        """Take an object; of several versions of one the lowest rank stays. False when two of one rank differ."""
        key = ObjectKey.of(manifest)
        before = self._ranks.get(key)
        if before is not None and before <= rank:
            same = documents.canonical(self.objects[key]) == documents.canonical(manifest)
            return before < rank or same
        self._ranks[key] = rank
        self.objects[key] = manifest
        return True


def read(file: IO[bytes], *, modified: datetime) -> Contents:
    """Read a backup, whichever of the two it is.

    Args:
        file: Opened to be read from its beginning.
        modified: When the file was written: the moment that a dump is of.

    Raises:
        InputError: It is neither a Velero tarball nor a dump, or is too large.
    """
    start = file.read(2)
    file.seek(0)
    if start == _GZIP:
        return _Velero(contents=Contents(taken_at=modified)).read(file)
    return _dump(file.read(_MOST_DUMP + 1), Contents(taken_at=modified))


class _Meter:
    """Decompressed bytes, of which only so many are given as what is being read may need."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = gzip.GzipFile(fileobj=file)
        self._left = _HEADER
        self._total = 0

    def allow(self, count: int) -> None:
        """The next thing that is read may need this much."""
        self._left = count + _HEADER

    def read(self, count: int) -> bytes:
        data = self._file.read(count)
        self._left -= len(data)
        self._total += len(data)
        if self._left < 0 or self._total > _MOST_BYTES:
            raise errors.InputError("it becomes larger than a backup can be.", remedy="Do not use this file.")
        return data


@dataclass(slots=True, kw_only=True)
class _Velero:
    contents: Contents
    _newest: float = 0.0
    _found: bool = False

    def read(self, file: IO[bytes]) -> Contents:
        meter = _Meter(file)
        try:
            with tarfile.open(fileobj=meter, mode="r|", bufsize=tarfile.BLOCKSIZE * 20) as archive:  # type: ignore[call-overload] # the stubs ask for more than read()
                self._members(archive, meter)
        except (tarfile.TarError, zlib.error, EOFError, OSError, errors.InputError) as error:
            if not self._found:
                raise errors.InputError(
                    f"this is no Velero backup: {_why(error)}", remedy="Name the .tar.gz that Velero has stored."
                ) from error
            self.contents.gaps.append(Gap(what="the rest of the backup", why=f"it cannot be read: {_why(error)}"))
        if not self._found:
            raise errors.InputError(
                "this is no Velero backup: it has no folder resources.",
                remedy="Name the .tar.gz that Velero has stored.",
            )
        if self._newest:
            self.contents.taken_at = datetime.fromtimestamp(self._newest, UTC)
        return self.contents

    def _members(self, archive: tarfile.TarFile, meter: _Meter) -> None:
        skipped = 0
        for _ in range(_MOST_MEMBERS):
            meter.allow(skipped)
            member = archive.next()
            if member is None:
                return
            skipped = 0
            if member.isreg() and member.size <= _MOST_OBJECT and self._is_ours(member):
                meter.allow(member.size)
                stream = archive.extractfile(member)
                self._object(member, stream.read() if stream else b"")
            else:
                skipped = member.size
                self._pass_over(member)
        raise errors.InputError("it has too many files.", remedy="Do not use this file.")

    def _is_ours(self, member: tarfile.TarInfo) -> bool:
        return _MEMBER.fullmatch(member.name) is not None

    def _pass_over(self, member: tarfile.TarInfo) -> None:
        """Folders and Velero's own notes hold no objects; what else stands among the resources is a gap."""
        among = member.name.removeprefix("./").startswith("resources/")
        self._found = self._found or among
        if member.isdir() or not (among or ".." in member.name.split("/")):
            return
        if not member.isreg():
            why = "it is no regular file."
        elif member.size > _MOST_OBJECT:
            why = f"it has {member.size} bytes; at most {_MOST_OBJECT} are read."
        else:
            why = "Velero writes no such name."
        self.contents.gaps.append(_gap(member.name, why))

    def _object(self, member: tarfile.TarInfo, data: bytes) -> None:
        self._found = True
        self._newest = max(self._newest, member.mtime)
        named = _MEMBER.fullmatch(member.name)
        assert named is not None  # noqa: S101 - the caller matched it
        try:
            manifest = _manifest(_json(data))
        except errors.InputError as error:
            self.contents.gaps.append(_gap(member.name, error.message))
            return
        key = ObjectKey.of(manifest)
        if (key.namespace, key.name) != (named["namespace"] or "", named["name"]):
            self.contents.gaps.append(_gap(member.name, f"it holds {key}."))
            return
        version = named["version"] or ""
        rank = 0 if not version else 1 if version.endswith("-preferredversion") else 2
        if not self.contents.add(manifest, rank=rank):
            self.contents.gaps.append(_gap(member.name, f"{key} is there twice, and differs."))


def _dump(data: bytes, contents: Contents) -> Contents:
    if len(data) > _MOST_DUMP:
        raise errors.InputError(f"it has more than {_MOST_DUMP // 2**20} MiB.", remedy="Dump fewer namespaces.")
    if data.lstrip()[:1] in (b"{", b"["):
        values = [_json(data)]
    else:
        limits = documents.Limits(size=_MOST_DUMP, values=50_000_000)
        values = [document.value for document in documents.read(data, file="dump", limits=limits)]
    if not values:
        raise errors.InputError("it is empty.", remedy="Name a dump, such as kubectl get ... -o json writes.")
    for place, item in _items(values):
        try:
            manifest = _manifest(item)
        except errors.InputError as error:
            contents.gaps.append(Gap(what=place, why=error.message))
            continue
        if not contents.add(manifest):
            key = ObjectKey.of(manifest)
            contents.gaps.append(Gap(what=place, why=f"{key} is there twice, and differs.", **_narrow(key)))
    return contents


def _items(values: list[Json]) -> Iterator[tuple[str, Json]]:
    """What lists hold, in lists too, and what stands alone; a typed list says what its items do not."""
    waiting: list[tuple[str, Json]] = [(f"document {number}", value) for number, value in enumerate(values, start=1)]
    while waiting:
        place, value = waiting.pop(0)
        kind = value.get("kind") if isinstance(value, dict) else None
        listed = value.get("items") if isinstance(kind, str) and kind.endswith("List") else None
        if not isinstance(listed, list):
            yield place, value
            continue
        told = {"apiVersion": value.get("apiVersion"), "kind": str(kind).removesuffix("List")} if kind != "List" else {}
        inner = [(f"{place}, item {number}", item) for number, item in enumerate(listed, start=1)]
        waiting[:0] = [(where, {**told, **item} if isinstance(item, dict) else item) for where, item in inner]


def _json(data: bytes) -> Json:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise errors.InputError(f"it is not JSON: {error}.", remedy="Take the backup again.") from error
    return value


def _manifest(value: Json) -> dict[str, Json]:
    """A value that is an object, as an API server would have given it."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(metadata, dict) or not all(
        isinstance(text, str) and text for text in (value.get("apiVersion"), value.get("kind"), metadata.get("name"))
    ):
        raise errors.InputError("it is no object.")
    if not isinstance(metadata.get("namespace"), str | None):
        raise errors.InputError("its namespace is no text.")
    if _depth(value) > _MOST_DEPTH:
        raise errors.InputError("it is nested too deeply.")
    manifest: dict[str, Json] = value
    return manifest


def _depth(value: Json) -> int:
    level, depth = [value], 0
    while level:
        inner = [one for one in level if isinstance(one, dict | list)]
        level = [item for one in inner for item in (one.values() if isinstance(one, dict) else one)]
        depth += 1
    return depth


def _gap(name: str, why: str) -> Gap:
    """A file that could not be understood hides what its name says, whatever its kind is."""
    named = _MEMBER.fullmatch(name)
    if named is None:
        return Gap(what=name, why=why)
    return Gap(what=name, why=why, namespace=named["namespace"] or "", name=named["name"])


def _narrow(key: ObjectKey) -> dict[str, Json]:
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}


def _why(error: Exception) -> str:
    if isinstance(error, errors.InputError):
        return error.message
    return f"{str(error) or type(error).__name__}."
