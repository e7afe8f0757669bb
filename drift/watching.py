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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from drift import exclusions
from drift.doors import Sites
from drift.followers import Followers, Tell
from drift.following import concerns, hidden
from drift.normalise import reading, slim
from drift.seen import Seen
from lockstep import errors
from lockstep.manifests import health
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


@runtime_checkable
class _Telling(Seen, ends.Watched, Protocol):
    """A cluster that tells what changes."""


@dataclass(slots=True, kw_only=True)
class _Live:
    """One site that is being watched: with what selection, and what its objects mean, by digest of their contents."""

    watch: ends.Watch
    selection: ends.Selection
    gaps: set[tuple[str, str, str, str]] = field(default_factory=set)
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
                self.known[key] = _meaning(key, manifest)
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
        self._live: dict[str, _Live] = {}
        self._beside: dict[str, frozenset[str]] = {}
        self._followers = Followers(tell)
        self._stop = threading.Event()

    # --- what a comparison sees

    def cluster(self, site: str) -> Seen:
        """A site's cluster; reading it costs nothing where a watch covers what is asked for."""
        end = self._sites.cluster(site)
        if not isinstance(end, _Telling):
            return end
        return _Foreseeing(end, end, self, site) if isinstance(end, ends.Foreseeing) else _Watched(end, self, site)

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
        gaps = tuple(gap for gap in found.gaps if concerns(gap, selection))
        return replace(found, objects=objects, gaps=gaps)

    # --- what a comparison follows

    def watch(self, site: str, selection: ends.Selection) -> ends.Watch | None:
        """The watch of a site that covers a selection; None when it is not watched, or was not listed whole yet."""
        live = self._live.get(site)
        return live.watch if live is not None and _covers(live.selection, selection.namespaces or frozenset()) else None

    def follow(self, application: str, pair: str, *, sites: tuple[str, str], selection: ends.Selection) -> None:
        """From this moment on note what changes, of what a comparison selects, at its sites."""
        self._followers.follow(application, pair, sites=sites, selection=selection)

    def changes(self, application: str, pair: str) -> Mapping[str, frozenset[ObjectKey]]:
        """What changed at each site since this was asked last, or since it is noted."""
        return self._followers.changes(application, pair)

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
            # No cluster is nothing to be told of: a warm site may have an archive alone.
            has_cluster = self._topology().site(site).spec.cluster is not None
            end = self._sites.cluster(site) if has_cluster else None
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
        topology = self._topology()
        digest = topology.digest
        self._followers.keep(topology.applications.keys())
        self._settle(live)
        self._live[site] = live
        while not self._stop.is_set() and self._topology().digest == digest:
            if not _covers(live.selection, self._beside.get(site, frozenset())):
                return
            changed = live.meaningful(live.watch.changed(seconds=_LOOK_SECONDS))
            gaps = {hidden(gap) for gap in live.watch.outlook().gaps}
            concerned = self._concerned(site, changed, all_of_them=gaps != live.gaps)
            live.gaps = gaps
            self._followers.ask(concerned)

    def _settle(self, live: _Live) -> None:
        """Wait until everything was listed once, or for as long as that may take: before, nothing is known."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while live.watch.outlook().gaps and time.monotonic() < deadline and not self._stop.wait(_PAUSE_SECONDS):
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

    def _concerned(self, site: str, changed: set[ObjectKey], *, all_of_them: bool) -> set[str]:
        """The applications to compare: those that follow what changed, and those of which nobody knows what they need.

        ``all_of_them``: something is not known any longer, or again.
        """
        topology = self._topology()
        here = {
            name: one.spec.namespace for name, one in topology.applications.items() if site in topology.sites_of(one)
        }
        follows = self._followers.note(site, changed)
        if all_of_them:
            return set(here)
        places = {key.namespace for key in changed}
        beyond = not places <= set(here.values())
        unknown = {name for name in here if places and not self._is_followed(name, site)}
        return (follows & here.keys()) | {name for name in unknown if beyond or here[name] in places}

    def _is_followed(self, application: str, site: str) -> bool:
        """Whether all comparisons of an application at a site are kept true."""
        topology = self._topology()
        pairs = [pair for pair, _ in topology.pairs_of(topology.applications[application])]
        return self._followers.has(
            application, [pair.name for pair in pairs if site in (pair.spec.primary, pair.spec.standby)]
        )


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


class _Foreseeing(_Watched):
    """One whose server can say what it would make of an object."""

    def __init__(self, end: Seen, server: ends.Foreseeing, watching: Watching, site: str) -> None:
        super().__init__(end, watching, site)
        self._server = server

    def may_foresee(self, key: ObjectKey, *, api_version: str, seconds: float) -> bool:
        """Whether we may ask, as the server says now."""
        return self._server.may_foresee(key, api_version=api_version, seconds=seconds)

    def foresee(self, manifest: Mapping[str, Json], *, seconds: float) -> dict[str, Json]:
        """The object as it would be if it were applied now."""
        return self._server.foresee(manifest, seconds=seconds)


def _meaning(key: ObjectKey, manifest: dict[str, Json]) -> int:
    """A fingerprint of what could make a comparison say something else.

    With itself for git: what git sets is compared, and nobody here knows what that is. Of a status only how the object
    is says anything, as the truth and as a follower.
    """
    well: tuple[object, ...] = ()
    if health.has_health(key.group, key.kind):
        phase = reading.text(manifest, "status", "phase")
        well = (phase, health.assess(manifest, standby=False), health.assess(manifest, standby=True))
    return hash((slim(manifest, declared=(manifest,)), repr(well)))


def _covers(selection: ends.Selection, namespaces: frozenset[str]) -> bool:
    return selection.namespaces is None or namespaces <= selection.namespaces
