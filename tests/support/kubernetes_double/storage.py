"""What is stored, at every revision since the last compaction: the double's etcd.

Objects are never changed in place, so a list or a watch may hold on to them without a copy. Whoever reads before it
writes holds ``Store.lock`` for both.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.kubernetes_double.types import Object

Bucket = tuple[str, str]
"""What objects are stored under whatever version they are written in: group and plural."""

_FIRST_REVISION = 1


class TooOldError(Exception):
    """What was asked for has been compacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write: ``old`` is None for what is new, ``new`` for what is gone.

    ``seen`` is what a watch is shown: the new object, or the one that is gone with the revision of its removal.
    """

    revision: int
    bucket: Bucket
    key: str
    old: Object | None
    new: Object | None
    seen: Object


@dataclass(slots=True)
class _Objects:
    by_key: dict[str, Object] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    revision: int = 0
    """When one of them was written last."""


class Store:
    """All objects, by bucket and key (``namespace/name``, or the name where there are no namespaces)."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.revision = _FIRST_REVISION
        self.oldest = _FIRST_REVISION
        """The oldest revision that can still be listed, or watched from."""
        self._buckets: dict[Bucket, _Objects] = {}
        self._log: list[Change] = []

    def get(self, bucket: Bucket, key: str) -> Object | None:
        """One object as it is now."""
        found = self._buckets.get(bucket)
        return found.by_key.get(key) if found else None

    def write(self, bucket: Bucket, key: str, new: Object | None) -> Object:
        """Keep an object, or remove it (None); gives it (or what it was) with the revision of this write."""
        with self.lock:
            objects = self._buckets.setdefault(bucket, _Objects())
            old = objects.by_key.get(key)
            self.revision += 1
            objects.revision = self.revision
            left = new if new is not None else old
            assert left is not None
            stamped = left | {"metadata": left["metadata"] | {"resourceVersion": str(self.revision)}}
            if new is not None:
                if old is None:
                    bisect.insort(objects.keys, key)
                objects.by_key[key] = stamped
            else:
                del objects.by_key[key]
                objects.keys.pop(bisect.bisect_left(objects.keys, key))
            kept = stamped if new is not None else None
            change = Change(revision=self.revision, bucket=bucket, key=key, old=old, new=kept, seen=stamped)
            self._log.append(change)
            self.changed.notify_all()
            return stamped

    def listed(self, bucket: Bucket, *, prefix: str = "", start: str = "") -> Iterator[tuple[str, Object]]:
        """The objects that are there now, in order, from a key on."""
        objects = self._buckets.get(bucket)
        if objects is None:
            return
        for index in range(bisect.bisect_left(objects.keys, max(prefix, start)), len(objects.keys)):
            key = objects.keys[index]
            if not key.startswith(prefix):
                return
            yield key, objects.by_key[key]

    def count(self, bucket: Bucket, *, prefix: str, start: str) -> int:
        """How many objects there are behind a key."""
        keys = self._buckets[bucket].keys
        return bisect.bisect_left(keys, f"{prefix}\U0010ffff") - bisect.bisect_right(keys, start)

    def has_changed(self, bucket: Bucket, revision: int) -> bool:
        """Whether anything of a bucket was written after a revision.

        Raises:
            TooOldError: Nobody knows any more.
        """
        if revision < self.oldest:
            raise TooOldError
        found = self._buckets.get(bucket)
        return bool(found and found.revision > revision)

    def listed_at(self, revision: int, bucket: Bucket, *, prefix: str = "") -> list[tuple[str, Object]]:
        """The objects as they were at a revision, in order.

        Raises:
            TooOldError: That is compacted.
        """
        if revision < self.oldest:
            raise TooOldError
        then: dict[str, Object | None] = dict(self.listed(bucket, prefix=prefix))
        for change in reversed(self.since(revision)):
            if change.bucket == bucket and change.key.startswith(prefix):
                then[change.key] = change.old
        return sorted((key, one) for key, one in then.items() if one is not None)

    def since(self, revision: int) -> list[Change]:
        """What was written after a revision, in order.

        Raises:
            TooOldError: Some of it is compacted.
        """
        if revision < self.oldest:
            raise TooOldError
        start = bisect.bisect_right(self._log, revision, key=lambda change: change.revision)
        return self._log[start:]

    def compact(self) -> None:
        """Forget every revision but the present one."""
        with self.lock:
            self.oldest = self.revision
            self._log.clear()
