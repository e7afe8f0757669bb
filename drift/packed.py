"""Manifests that are kept for long and looked at rarely: as bytes, a tenth of what they are as mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from lockstep.values import Json, ObjectKey


class Packed(Mapping[ObjectKey, dict[str, Json]]):
    """Manifests by key. What is asked for is made anew each time, so it is the asker's own.

    Args:
        objects: The manifests.
        pool: Equal ones are kept once in all that share a pool: renderings of two sites, and of many commits.
    """

    def __init__(self, objects: Mapping[ObjectKey, dict[str, Json]], *, pool: dict[bytes, bytes]) -> None:
        self._kept = {key: _pack(manifest, pool) for key, manifest in objects.items()}

    def __getitem__(self, key: ObjectKey) -> dict[str, Json]:
        kept = self._kept[key]
        if isinstance(kept, dict):
            return kept
        manifest: dict[str, Json] = orjson.loads(kept)
        return manifest

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def __iter__(self) -> Iterator[ObjectKey]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _pack(manifest: dict[str, Json], pool: dict[bytes, bytes]) -> bytes | dict[str, Json]:
    try:
        packed = orjson.dumps(manifest)
    except TypeError:
        # A number of more than 64 bits, half a surrogate, nested too deeply: kept as it is.
        return manifest
    return pool.setdefault(packed, packed)
