"""Clusters in memory, for tests that are about something else than how a cluster keeps its objects."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lockstep import errors
from lockstep.sites.ends import Applied, Change, Gap, Inventory, Selection
from lockstep.values import Json, ObjectKey


@dataclass(slots=True)
class MemoryCluster:
    """Keeps objects exactly as they are applied, tells what was done in which order, and fails where it is told to."""

    objects: dict[ObjectKey, dict[str, Json]] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    failing: frozenset[str] = frozenset()
    done: list[tuple[str, ObjectKey]] = field(default_factory=list)
    writable: bool = True
    runs: bool = False
    address: str = "memory"
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, selection: Selection) -> Inventory:
        """What is selected, as copies."""
        chosen = [copy.deepcopy(manifest) for key, manifest in sorted(self.objects.items()) if selection.covers(key)]
        return Inventory(objects=tuple(chosen), read_at=datetime.now(UTC), method="memory", gaps=self.gaps)

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object, as a copy."""
        return copy.deepcopy(self.objects.get(key))

    def apply(
        self,
        manifest: Mapping[str, Json],
        *,
        dry_run: bool = False,
        force: bool = False,
        before: Mapping[str, Json] | None = None,
    ) -> Applied:
        """Keep an object."""
        key = ObjectKey.of(dict(manifest))
        self._do("apply", key)
        with self._lock:
            there = self.objects.get(key)
            if not dry_run:
                self.objects[key] = copy.deepcopy(dict(manifest))
        change = Change.CREATED if there is None else Change.UNCHANGED if there == manifest else Change.CHANGED
        return Applied(change=change, object=copy.deepcopy(dict(manifest)))

    def delete(self, key: ObjectKey, *, api_version: str, uid: str = "") -> bool:
        """Forget an object."""
        self._do("delete", key)
        with self._lock:
            return self.objects.pop(key, None) is not None

    def _do(self, what: str, key: ObjectKey) -> None:
        with self._lock:
            self.done.append((what, key))
        if key.name in self.failing:
            raise errors.ForbiddenError(f"{key} may not be written.", remedy="Ask for the right.")
