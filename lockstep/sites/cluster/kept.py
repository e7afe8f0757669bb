"""What is known of one kind in one place, how it came to be known, and how old that is.

An old truth is none: what was heard too long ago is a gap, whatever was known then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lockstep import errors
from lockstep.sites.cluster import listing, moments, refusals
from lockstep.sites.cluster.discovery import Resource
from lockstep.sites.ends import Gap
from lockstep.values import Json, ObjectKey


@dataclass(slots=True, kw_only=True)
class Changes:
    """What changed, for one who waits for it."""

    _keys: set[ObjectKey] = field(default_factory=set)
    _some: threading.Condition = field(default_factory=threading.Condition)

    def add(self, *keys: ObjectKey) -> None:
        """Tell of changes."""
        with self._some:
            self._keys.update(keys)
            self._some.notify_all()

    def take(self, seconds: float) -> frozenset[ObjectKey]:
        """What was told since the last time; waits some seconds for a first one."""
        with self._some:
            self._some.wait_for(lambda: bool(self._keys), timeout=seconds)
            taken, self._keys = frozenset(self._keys), set()
        return taken


@dataclass(slots=True, kw_only=True)
class Kept:
    """What is known of one kind in one namespace, and how old that is. Safe to share between threads.

    ``tell`` hears what changes. ``is_listed`` says that it is listed on a schedule, because it cannot be watched.
    """

    resource: Resource
    namespace: str
    tell: Callable[..., None]
    place: str = ""
    problem: str = "it has not been listed yet."
    spoke_at: float = float("-inf")
    heard_at: datetime | None = None
    is_listed: bool = False
    _newest: moments.Newest = field(default_factory=moments.Newest)
    _objects: dict[ObjectKey, dict[str, Json]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, listed: listing.Listed, now: datetime, *, patience: float) -> None:
        """Take a whole list, which replaces whatever was known.

        Raises:
            FaultError: It is of an earlier moment than what is known; it is believed after ``patience`` seconds.
        """
        version = listed.resource_version
        self._newest.take(version, what=self.resource.plural, now=time.monotonic(), patience=patience)
        fresh = {ObjectKey.of(one): one for one in listed.objects}
        with self._lock:
            old, self._objects = self._objects, fresh
            self.place = listed.resource_version
        self.heard(now)
        gone_or_new = old.keys() ^ fresh.keys()
        self.tell(*gone_or_new, *(key for key in old.keys() & fresh.keys() if old[key] != fresh[key]))

    def heard(self, now: datetime) -> None:
        """Note that the server has spoken."""
        with self._lock:
            self.spoke_at, self.heard_at, self.problem = time.monotonic(), now, ""

    def event(self, event: dict[str, Json], now: datetime) -> None:
        """Take one event of a watch.

        Raises:
            FaultError: It is none.
            ExpiredError: It is of an earlier moment than what was told before: everything has to be listed.
        """
        kind, given = event.get("type"), event.get("object")
        metadata = given.get("metadata") if isinstance(given, dict) else None
        if not isinstance(metadata, dict):
            raise errors.FaultError("A watch told of something that is no object.")
        place = str(metadata.get("resourceVersion") or self.place)
        if moments.is_before(place, self.place):
            raise refusals.ExpiredError(f"A watch of {self.resource.plural} went back from {self.place} to {place}.")
        if kind in ("ADDED", "MODIFIED", "DELETED"):
            (manifest,) = listing.whole([given], self.resource)
            key = ObjectKey.of(manifest)
            with self._lock:
                if kind == "DELETED":
                    self._objects.pop(key, None)
                else:
                    self._objects[key] = manifest
            self.tell(key)
        elif kind != "BOOKMARK":
            raise errors.FaultError(f"A watch told of {refusals.line(kind)}, which nobody knows.")
        self.place = place
        self._newest.take(place, what=self.resource.plural, now=time.monotonic(), patience=0.0)
        self.heard(now)

    def get(self, key: ObjectKey) -> dict[str, Json] | None:
        """One object as it was heard of last."""
        with self._lock:
            return self._objects.get(key)

    def drop(self) -> None:
        """Forget everything, because nobody serves it any longer; each object is told as one that went."""
        with self._lock:
            gone, self._objects = self._objects, {}
        self.tell(*gone)

    def failed(self, error: errors.LockstepError) -> None:
        """Note why nothing is heard."""
        with self._lock:
            self.problem = str(error)

    def objects(self) -> list[dict[str, Json]]:
        """The objects as they were heard of last."""
        with self._lock:
            return list(self._objects.values())

    def gap(self, *, stale_seconds: float) -> Gap | None:
        """What is not known any longer, and why; None when everything is."""
        with self._lock:
            age = time.monotonic() - self.spoke_at
            if age <= stale_seconds:
                return None
            why = self.problem or f"nothing has been heard of it for {age:.0f} s."
        where = f" in {self.namespace}" if self.namespace else ""
        return Gap(
            what=f"{self.resource.plural}{where}",
            why=why,
            group=self.resource.group,
            kind=self.resource.kind,
            namespace=self.resource.gap_of(self.namespace),
        )
