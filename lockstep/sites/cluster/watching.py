"""Being told what changes in everything that a selection covers, and what a server begins to serve meanwhile.

One list and one watch for each kind and namespace. A watch that has been silent beyond its deadline is stale, and what
it was about is unknown. What is served is asked again now and then, and whenever a definition changes: a kind that
was installed while others were watched is not passed over in silence.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime

from lockstep import errors
from lockstep.sites.cluster.api import Api
from lockstep.sites.cluster.discovery import Resource, Served
from lockstep.sites.cluster.following import Follower
from lockstep.sites.cluster.kept import Changes, Kept
from lockstep.sites.ends import Gap, Inventory, Selection
from lockstep.values import Json, ObjectKey

_WATCHED = "watch"
_WATCHED_AND_LISTED = "watch, and lists where none is allowed"
# What says that a server serves something else from now on.
_DEFINING = frozenset({"CustomResourceDefinition", "APIService"})
# How long threads are waited for that should have ended.
_FAREWELL_SECONDS = 5.0
_Place = tuple[Resource, str]


class Watching:
    """Everything that a selection covers, kept true by watches.

    Args:
        api: The server.
        served: What it serves.
        selection: What to watch; named objects without a namespace are not watched.
        discover: Asks again what it serves; without it, that is taken to stay.

    Raises:
        UnsupportedError: It is more than may be watched at once.
    """

    def __init__(
        self, api: Api, served: Served, selection: Selection, *, discover: Callable[[], Served] | None = None
    ) -> None:
        self._api = api
        self._selection = selection
        self._discover = discover
        self._changes = Changes()
        self._ended = threading.Event()
        self._ask_again = threading.Event()
        self._lock = threading.Lock()
        self._gaps: tuple[Gap, ...] = ()
        self._taken_at = float("-inf")
        self._problem = ""
        self._followers: dict[_Place, Follower] = {}
        # Replaced, never changed: who has taken it may read it without the lock.
        self._by_kind: Mapping[tuple[str, str], list[Kept]] = {}
        self._take(served)

    def inventory(self) -> Inventory:
        """What is there as far as is known now; a kind that has been silent for too long is a gap."""
        return self._known(whole=True)

    def outlook(self) -> Inventory:
        """The inventory without its objects, at a cost that does not grow with their number."""
        return self._known(whole=False)

    def _known(self, *, whole: bool) -> Inventory:
        objects: list[dict[str, Json]] = []
        heard: list[datetime] = []
        with self._lock:
            gaps, followers = [*self._gaps, *self._unasked()], list(self._followers.values())
        for follower in followers:
            gap = follower.kept.gap(stale_seconds=self._api.limits.stale_seconds)
            if gap is not None:
                gaps.append(gap)
                continue
            objects += follower.kept.objects() if whole else ()
            heard += [follower.kept.heard_at] if follower.kept.heard_at else []
        method = _WATCHED_AND_LISTED if any(one.kept.is_listed for one in followers) else _WATCHED
        return Inventory(
            objects=tuple(objects),
            read_at=min(heard, default=self._api.clock.now()),
            # A server that says nothing, or has said nothing yet, is not read at all.
            method=method if heard or not gaps else "",
            gaps=tuple(sorted(set(gaps))),
            ahead_seconds=self._api.skew_seconds,
        )

    def objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, dict[str, Json] | None]:
        """Some objects as they are known now; None for one that is not there, or that nobody knows of."""
        with self._lock:
            by_kind = self._by_kind
        return {key: _found(by_kind.get((key.group, key.kind), ()), key) for key in keys}

    def changed(self, *, seconds: float) -> frozenset[ObjectKey]:
        """What has changed since this was asked last; waits some seconds for a first change."""
        return self._changes.take(seconds)

    @contextlib.contextmanager
    def running(self) -> Iterator[Watching]:
        """Watch until the block ends."""
        asking = threading.Thread(target=self._keep_asking, name="watch-discovery", daemon=True)
        for follower in self._followers.values():
            follower.start()
        asking.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._ask_again.set()
            asking.join(_FAREWELL_SECONDS)
            _end(self._followers.values())

    # --- what is served

    def _take(self, served: Served) -> list[Follower]:
        """Follow what is served; gives those that are new, not yet started, and ends those of what is gone."""
        wanted = list(_places(served, self._selection))
        if len(wanted) > self._api.limits.most_watches:
            raise errors.UnsupportedError(
                f"{len(wanted)} kinds and namespaces cannot be watched at once.", remedy="Watch fewer, or read them."
            )
        with self._lock:
            if self._ended.is_set():
                return []
            self._gaps, self._taken_at, self._problem = served.gaps, time.monotonic(), ""
            gone = {place: one for place, one in self._followers.items() if place not in wanted}
            new = {place: self._follower(*place) for place in wanted if place not in self._followers}
            self._followers = {place: (self._followers | new)[place] for place in wanted}
            self._by_kind = _by_kind(self._followers)
        for follower in gone.values():
            follower.kept.drop()
        _end(gone.values())
        return list(new.values())

    def _unasked(self) -> Iterator[Gap]:
        """The gap that is left when nobody says any more what is served: by now it may be anything."""
        if self._problem and time.monotonic() - self._taken_at > self._api.limits.stale_seconds:
            yield Gap(what="kinds that may be new", why=self._problem)

    def _follower(self, resource: Resource, namespace: str) -> Follower:
        return Follower(api=self._api, kept=Kept(resource=resource, namespace=namespace, tell=self._tell))

    def _tell(self, *keys: ObjectKey) -> None:
        self._changes.add(*keys)
        if any(key.kind in _DEFINING for key in keys):
            self._ask_again.set()

    def _keep_asking(self) -> None:
        if self._discover is None:
            return
        while not self._ended.is_set():
            self._ask_again.wait(self._api.limits.relist_seconds)
            self._ask_again.clear()
            if self._ended.is_set():
                return
            try:
                new = self._take(self._discover())
            except errors.LockstepError as error:
                with self._lock:
                    self._problem = str(error)
                continue
            for follower in new:
                follower.start()


def _by_kind(followers: Mapping[_Place, Follower]) -> dict[tuple[str, str], list[Kept]]:
    by_kind: dict[tuple[str, str], list[Kept]] = {}
    for (resource, _), follower in followers.items():
        by_kind.setdefault((resource.group, resource.kind), []).append(follower.kept)
    return by_kind


def _found(lists: Iterable[Kept], key: ObjectKey) -> dict[str, Json] | None:
    return next((found for one in lists if (found := one.get(key)) is not None), None)


def _end(followers: Collection[Follower]) -> None:
    """End them all, and wait for them together: a server that hangs holds nobody up for each of its kinds."""
    for one in followers:
        one.end()
    until = time.monotonic() + _FAREWELL_SECONDS
    for one in followers:
        one.join(max(0.0, until - time.monotonic()))


def _places(served: Served, selection: Selection) -> Iterator[_Place]:
    """What to follow: every kind that is read without a watch too, so that both see the same."""
    for resource in served.kinds(selection.versions):
        if not resource.is_readable or not selection.has_kind(resource.group, resource.kind):
            continue
        if resource.namespaced and selection.namespaces is not None:
            yield from ((resource, namespace) for namespace in sorted(selection.namespaces))
        elif resource.namespaced or selection.cluster_scoped is None:
            yield resource, ""
