"""Manifests that are kept for long and looked at rarely: as bytes, a tenth of what they are as mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from lockstep import documents
from lockstep.values import Json, ObjectKey


class Packed(Mapping[ObjectKey, dict[str, Json]]):
    """Manifests by key. What is asked for is made anew each time, so it is the asker's own.

    Args:
        objects: The manifests.
        pool: Equal ones are kept once in all that share a pool: renderings of two sites, and of many commits.
    """

    def __init__(self, objects: Mapping[ObjectKey, dict[str, Json]], *, pool: dict[bytes, bytes]) -> None:
        self._kept = {key: _pooled(pack(manifest), pool) for key, manifest in objects.items()}

    @classmethod
    def of(cls, kept: dict[ObjectKey, bytes | dict[str, Json]]) -> Packed:
        """Of manifests that are packed already."""
        made = cls({}, pool={})
        made._kept = kept
        return made

    def __getitem__(self, key: ObjectKey) -> dict[str, Json]:
        kept = self._kept[key]
        if isinstance(kept, dict):
            return kept
        manifest: dict[str, Json] = orjson.loads(kept)
        return manifest

    def has_same(self, other: Mapping[ObjectKey, dict[str, Json]], key: ObjectKey) -> bool:
        """Whether another one of the same pool has the very bytes of an object; False when nobody knows."""
        kept = self.bytes_of(key)
        return kept is not None and isinstance(other, Packed) and other.bytes_of(key) is kept

    def bytes_of(self, key: ObjectKey) -> bytes | None:
        """The bytes that an object is kept as; None when it is not there, or is kept as it is."""
        kept = self._kept.get(key)
        return kept if isinstance(kept, bytes) else None

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def __iter__(self) -> Iterator[ObjectKey]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def pack(manifest: dict[str, Json]) -> bytes | dict[str, Json]:
    """A manifest as bytes; as it is where it has none."""
    try:
        return documents.pack(manifest)
    except TypeError:
        # A number of more than 64 bits, half a surrogate, nested too deeply.
        return manifest


def _pooled(kept: bytes | dict[str, Json], pool: dict[bytes, bytes]) -> bytes | dict[str, Json]:
    return pool.setdefault(kept, kept) if isinstance(kept, bytes) else kept
