"""The ``index.json`` of an OCI image layout: pure reading and changing.

What another tool wrote there and we do not understand is kept: entries and annotations of its own, references
that are no tags (the layout's grammar allows more than a registry's does).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from lockstep import errors, values
from lockstep.sites import oci
from lockstep.sites.ends import Descriptor
from lockstep.values import Json

LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'
# Image specification 1.1, "Pre-Defined Annotation Keys".
_TAG = "org.opencontainers.image.ref.name"
# What containerd and docker call the image that an entry is; it moves with the tag.
_NAMES = (_TAG, "io.containerd.image.name")
_EMPTY: dict[str, Json] = {"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An ``index.json`` as it stands. Changing one gives another."""

    body: dict[str, Json]

    @property
    def entries(self) -> list[dict[str, Json]]:
        """Its descriptors, as JSON."""
        listed: list[dict[str, Json]] = self.body["manifests"]
        return listed

    def tags(self) -> dict[str, Descriptor | None]:
        """Tags, with what they name; None for a tag that two entries claim for different things."""
        found: dict[str, Descriptor | None] = {}
        for entry in self.entries:
            tag = _tag_of(entry)
            if not values.is_tag(tag):
                continue
            named = oci.descriptor(entry)
            known = found.setdefault(tag, named)
            if known is not None and known.digest != named.digest:
                found[tag] = None
        return found

    def find(self, reference: str) -> Descriptor | None:
        """What a tag or digest names; None when nothing does.

        Raises:
            IntegrityError: Two entries claim the tag for different things.
        """
        if values.is_digest(reference):
            return next((oci.descriptor(entry) for entry in self.entries if entry.get("digest") == reference), None)
        # Only the entries of this tag are read: a listing of thousands is looked through for each of its tags.
        named = [oci.descriptor(entry) for entry in self.entries if _tag_of(entry) == reference]
        if len({one.digest for one in named}) > 1:
            raise errors.IntegrityError(
                f"The tag {reference} names two different images in one layout.", remedy="Tag one of them again."
            )
        return named[0] if named else None

    def says(self, reference: str, named: Descriptor) -> bool:
        """Whether a tag or digest is listed here, and means nothing but this."""
        digest = values.is_digest(reference)
        entries = [e for e in self.entries if (e.get("digest") if digest else _tag_of(e)) == reference]
        wanted = (named.media_type, named.digest, named.size)
        return bool(entries) and all((e.get("mediaType"), e.get("digest"), e.get("size")) == wanted for e in entries)

    def roots(self) -> Iterator[Descriptor]:
        """What is listed, tagged or not."""
        return (oci.descriptor(entry) for entry in self.entries)

    def listing(self, named: Descriptor, *, tag: str = "") -> Index:
        """With this manifest listed; with a tag, moved to it. What the tag named stays listed, without it."""
        entries = [_without(entry, tag) for entry in self.entries] if tag else list(self.entries)
        if tag:
            entries.insert(_place_of(self.entries, tag), oci.as_json(named) | {"annotations": {_TAG: tag}})
        elif not any(entry.get("digest") == named.digest for entry in entries):
            entries.append(oci.as_json(named))
        return self._with(entries)

    def untagging(self, tag: str) -> Index:
        """Without this tag; what it named stays listed."""
        return self._with([_without(entry, tag) for entry in self.entries])

    def forgetting(self, digest: str) -> Index:
        """Without the untagged entry of this digest."""
        return self._with([entry for entry in self.entries if entry.get("digest") != digest or _tag_of(entry)])

    def raw(self) -> bytes:
        """As it is written."""
        return orjson.dumps(self.body)

    def _with(self, entries: list[dict[str, Json]]) -> Index:
        """With these entries, one that says nothing more than another left out."""
        kept: list[dict[str, Json]] = []
        named = {entry.get("digest") for entry in entries if entry.get("annotations")}
        for entry in entries:
            if not entry.get("annotations"):
                if entry.get("digest") in named:
                    continue
                named.add(entry.get("digest"))
            kept.append(entry)
        return Index(body={**self.body, "manifests": kept})


def listing_of(named: Iterable[tuple[Descriptor, str]]) -> bytes:
    """An index that lists these, each with its tag or ``""``."""
    entries = [oci.as_json(one) | ({"annotations": {_TAG: tag}} if tag else {}) for one, tag in named]
    return Index(body={**_EMPTY, "manifests": entries}).raw()


def parse(raw: bytes | None, *, place: str) -> Index:
    """Read an ``index.json``; an empty one when there is none.

    Raises:
        IntegrityError: It is not one.
    """
    if raw is None:
        return Index(body=_EMPTY)
    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _broken(place, f"is not JSON ({error})") from error
    listed = body.get("manifests") if isinstance(body, dict) else None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise _broken(place, "has no list of manifests")
    return Index(body=body)


def require_version(raw: bytes, *, place: str) -> None:
    """Refuse an ``oci-layout`` file of a version that is not 1.

    Raises:
        IntegrityError: It is no such file.
        UnsupportedError: It is of another version.
    """
    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _broken(place, f"is not JSON ({error})") from error
    version = body.get("imageLayoutVersion") if isinstance(body, dict) else None
    if not isinstance(version, str):
        raise _broken(place, "names no imageLayoutVersion")
    if version.partition(".")[0] != "1":
        raise errors.UnsupportedError(f"{place} is of the version {version[:40]!r}; Lockstep knows 1.0.0.")


def _tag_of(entry: dict[str, Json]) -> str:
    annotations = entry.get("annotations")
    tag = annotations.get(_TAG) if isinstance(annotations, dict) else None
    return tag if isinstance(tag, str) else ""


def _without(entry: dict[str, Json], tag: str) -> dict[str, Json]:
    """An entry without a tag, if it has that one."""
    if _tag_of(entry) != tag:
        return entry
    left = {key: text for key, text in entry["annotations"].items() if key not in _NAMES}
    bare = {key: value for key, value in entry.items() if key != "annotations"}
    return bare | {"annotations": left} if left else bare


def _place_of(entries: list[dict[str, Json]], tag: str) -> int:
    """Where the tag's entry stands, so that a moved tag keeps its place; the end for a new one."""
    return next((place for place, entry in enumerate(entries) if _tag_of(entry) == tag), len(entries))


def _broken(place: str, what: str) -> errors.IntegrityError:
    return errors.IntegrityError(
        f"{place} {what}.", remedy="Restore it, or remove that layout so that it is mirrored again."
    )
