"""Clusters that tell by themselves what changes: each is watched, and a change that matters starts a comparison.

What a watch knows is read by the comparison that it started, so that nothing is listed for one changed field. The
schedule lists everything anew all the same: a watch that lost an event is found out. A watch that has been silent
for too long knows nothing: what it was about is Unknown, and that is told as a change is.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from drift import exclusions
from drift.doors import Seen, Sites
from drift.normalise import slim
from lockstep import errors
from lockstep.sites import archive, ends
from lockstep.topology.model import Topology
from lockstep.values import Json, ObjectKey

_log = logging.getLogger(__name__)
# More name spaces than this are watched all at once, where one watch for each would be too many.
_MOST_NAMESPACES = 8
# How often it is looked whether the configuration changed or a watch fell silent. Seconds.
_LOOK_SECONDS = 1.0
# The first lists of a large cluster take this long at the most; what is not there by then is a gap. Seconds.
_SETTLE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05
# A cluster that cannot be watched is asked again after this. Seconds.
_AGAIN_SECONDS = 30.0

Tell = Callable[[str], None]
"""Is told the name of an application that is to be compared."""


@runtime_checkable
class _Telling(Seen, ends.Watched, Protocol):
    """A cluster that tells what changes."""


@dataclass(slots=True, kw_only=True)
class _Live:
    """One site that is being watched: with what selection, and what its objects mean, by digest of their contents."""

    watch: ends.Watch
    selection: ends.Selection
    gaps: frozenset[ends.Gap] = frozenset()
    known: dict[ObjectKey, int] = field(default_factory=dict)

    def meaningful(self, keys: Iterable[ObjectKey]) -> set[ObjectKey]:
        """Of some objects that changed, those of which a comparison could say something else now."""
        there = self.watch.objects(keys)
        changed = set()
        for key, manifest in there.items():
            if exclusions.is_excluded(key.group, key.kind):
                continue
            before = self.known.get(key)
            if manifest is None:
                self.known.pop(key, None)
            else:
                self.known[key] = hash(slim(manifest))
            if self.known.get(key) != before:
                changed.add(key)
        return changed


class Watching:
    """Sees sites through watches where they can be watched. Use as a context: it watches until the block ends.

    Args:
        sites: Opens the ends.
        topology: The configuration in force.
        tell: Is told each application that is to be compared.
    """

    def __init__(self, sites: Sites, *, topology: Callable[[], Topology], tell: Tell) -> None:
        self._sites = sites
        self._topology = topology
        self._tell = tell
        self._live: dict[str, _Live] = {}
        self._beside: dict[str, frozenset[str]] = {}
        self._stop = threading.Event()

    # --- what a comparison sees

    def cluster(self, site: str) -> Seen:
        """A site's cluster; reading it costs nothing where a watch covers what is asked for."""
        end = self._sites.cluster(site)
        return _Watched(end, self, site) if isinstance(end, _Telling) else end

    def archive(self, site: str) -> archive.Archive | None:
        """Where a site keeps full-size renderings; None when it has no such place."""
        return self._sites.archive(site)

    def read(self, site: str, selection: ends.Selection) -> ends.Inventory | None:
        """What the watch of a site knows of a selection; None when it does not cover it."""
        live = self._live.get(site)
        wanted = selection.namespaces or frozenset()
        if live is None or not _covers(live.selection, wanted):
            # It does from the next turn on: an application reaches into name spaces that are not its own.
            self._beside[site] = self._beside.get(site, frozenset()) | wanted
            return None
        found = live.watch.inventory()
        objects = tuple(one for one in found.objects if selection.covers(ObjectKey.of(one)))
        gaps = tuple(gap for gap in found.gaps if _concerns(gap, selection))
        return replace(found, objects=objects, gaps=gaps)

    # --- watching

    @contextlib.contextmanager
    def running(self) -> Iterator[Watching]:
        """Watch every site, and each that the configuration gets meanwhile, until the block ends."""
        keeper = threading.Thread(target=self._keep, name="watching", daemon=True)
        keeper.start()
        try:
            yield self
        finally:
            self._stop.set()
            keeper.join()

    def _keep(self) -> None:
        threads: dict[str, threading.Thread] = {}
        while not self._stop.wait(_LOOK_SECONDS):
            for site in self._topology().sites:
                if site not in threads or not threads[site].is_alive():
                    threads[site] = threading.Thread(target=self._site, args=(site,), name=f"watching-{site}")
                    threads[site].start()
        for thread in threads.values():
            thread.join()

    def _site(self, site: str) -> None:
        """Watch one site as long as the configuration and what is to be watched stay the same."""
        try:
            end = self._sites.cluster(site)
            if not isinstance(end, _Telling):
                self._rest_until_changed()
                return
            with end.watch(self._selection(site)) as watch:
                self._follow(site, _Live(watch=watch, selection=self._selection(site)))
        except errors.UnsupportedError as error:
            _log.info("%s is not watched, only read: %s", site, error)
            self._rest_until_changed()
        except errors.LockstepError as error:
            _log.warning("%s cannot be watched now: %s", site, error)
            self._stop.wait(_AGAIN_SECONDS)
        finally:
            self._live.pop(site, None)

    def _follow(self, site: str, live: _Live) -> None:
        digest = self._topology().digest
        self._settle(live)
        self._live[site] = live
        while not self._stop.is_set() and self._topology().digest == digest:
            if not _covers(live.selection, self._beside.get(site, frozenset())):
                return
            changed = live.meaningful(live.watch.changed(seconds=_LOOK_SECONDS))
            gaps = frozenset(live.watch.inventory().gaps)
            if changed or {_hidden(gap) for gap in gaps} != {_hidden(gap) for gap in live.gaps}:
                live.gaps = gaps
                for application in self._concerned(site, changed):
                    self._tell(application)

    def _settle(self, live: _Live) -> None:
        """Wait until everything was listed once, or for as long as that may take: before, nothing is known."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while live.watch.inventory().gaps and time.monotonic() < deadline and not self._stop.wait(_PAUSE_SECONDS):
            pass

    def _rest_until_changed(self) -> None:
        digest = self._topology().digest
        while not self._stop.wait(_LOOK_SECONDS) and self._topology().digest == digest:
            pass

    def _selection(self, site: str) -> ends.Selection:
        topology = self._topology()
        here = [one for one in topology.applications.values() if site in topology.sites_of(one)]
        namespaces = frozenset(one.spec.namespace for one in here) | self._beside.get(site, frozenset())
        return ends.Selection(
            namespaces=namespaces if len(namespaces) <= _MOST_NAMESPACES else None, cluster_scoped=None
        )

    def _concerned(self, site: str, changed: set[ObjectKey]) -> list[str]:
        """The applications to compare: those whose name space changed; all of the site's for everything else."""
        topology = self._topology()
        here = {
            name: one.spec.namespace for name, one in topology.applications.items() if site in topology.sites_of(one)
        }
        places = {key.namespace for key in changed}
        if changed and places <= set(here.values()):
            return [name for name, namespace in here.items() if namespace in places]
        return list(here)


class _Watched:
    """A cluster that is read through its watch."""

    def __init__(self, end: Seen, watching: Watching, site: str) -> None:
        self._end = end
        self._watching = watching
        self._site = site

    @property
    def address(self) -> str:
        """The server."""
        return self._end.address

    @property
    def runs(self) -> bool:
        """Whether what is here runs."""
        return self._end.runs

    def read(self, selection: ends.Selection) -> ends.Inventory:
        """What is there: as the watch knows it, else as the server says now."""
        return self._watching.read(self._site, selection) or self._end.read(selection)

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object, as the server says now."""
        return self._end.get(key, api_version=api_version)


def _covers(selection: ends.Selection, namespaces: frozenset[str]) -> bool:
    return selection.namespaces is None or namespaces <= selection.namespaces


def _concerns(gap: ends.Gap, selection: ends.Selection) -> bool:
    """Whether something that was selected may be in a gap of a watch that sees more."""
    if gap.kind != "*" and not selection.has_kind(gap.group, gap.kind):
        return False
    if gap.namespace not in ("*", ""):
        return selection.namespaces is None or gap.namespace in selection.namespaces
    if gap.namespace == "" and selection.cluster_scoped is not None:
        return any(gap.hides(key) for key in selection.cluster_scoped)
    return True


def _hidden(gap: ends.Gap) -> tuple[str, str, str, str]:
    return gap.group, gap.kind, gap.namespace, gap.name
