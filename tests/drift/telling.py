"""Two sites in memory that tell what changes, with an application whose git is a table."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from drift import doors, redact, scan
from lockstep import errors, work
from lockstep.sites import ends
from lockstep.store.database import Database
from lockstep.store.views import drift as views
from lockstep.topology.model import Topology
from lockstep.values import Json, ObjectKey
from tests.drift.world import Git
from tests.support import topologies
from tests.support.times import Clock

PAIR = "seoul-sejong"
SITES = ("seoul", "sejong")
Manifest = dict[str, Json]


@dataclass(slots=True)
class Watch:
    """What a site has, and what it does not say any longer: kinds that fell silent, with their groups."""

    objects_: dict[ObjectKey, Manifest] = field(default_factory=dict)
    silent: set[tuple[str, str]] = field(default_factory=set)

    def inventory(self) -> ends.Inventory:
        """Everything that does not lie in a gap."""
        there = [one for key, one in self.objects_.items() if (key.group, key.kind) not in self.silent]
        return replace(self.outlook(), objects=tuple(there))

    def outlook(self) -> ends.Inventory:
        """The gaps."""
        gaps = tuple(ends.Gap(what=kind, why="silent", group=group, kind=kind) for group, kind in sorted(self.silent))
        return ends.Inventory(objects=(), read_at=datetime.now(UTC), method="watch", gaps=gaps)

    def objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, Manifest | None]:
        """Some objects, as they were heard of last."""
        return {key: self.objects_.get(key) for key in keys}

    def changed(self, *, seconds: float) -> frozenset[ObjectKey]:
        """Nobody waits here."""
        raise AssertionError(seconds)


@dataclass(slots=True)
class Cluster:
    """A site's end, read through its watch; each reading is counted. ``meanwhile`` happens while it is read.

    ``unheard`` is what the site has otherwise than its watch was ever told.
    """

    watch: Watch
    reads: int = 0
    address: str = "memory"
    runs: bool = True
    meanwhile: Callable[[], None] = lambda: None
    unheard: dict[ObjectKey, Manifest] = field(default_factory=dict)

    def read(self, selection: ends.Selection) -> ends.Inventory:
        """What is selected."""
        self.reads += 1
        self.meanwhile()
        found = self.watch.inventory()
        there = [self.unheard.get(ObjectKey.of(one), one) for one in found.objects]
        return replace(found, objects=tuple(one for one in there if selection.covers(ObjectKey.of(one))))

    def get(self, key: ObjectKey, *, api_version: str) -> Manifest | None:
        """One object."""
        assert api_version
        return self.watch.objects_.get(key)


@dataclass(slots=True)
class Watched:
    """Both sites, with what changed of what a comparison selects."""

    clusters: dict[str, Cluster]
    followed: dict[tuple[str, str], ends.Selection] = field(default_factory=dict)
    changed: dict[str, set[ObjectKey]] = field(default_factory=dict)

    def cluster(self, site: str) -> Cluster:
        """A site."""
        return self.clusters[site]

    def archive(self, _site: str) -> None:
        """There is none."""

    def watch(self, site: str, _selection: ends.Selection) -> Watch:
        """A site's watch."""
        return self.clusters[site].watch

    def follow(self, application: str, pair: str, *, sites: tuple[str, str], selection: ends.Selection) -> None:
        """Begin anew."""
        assert sites == SITES
        self.followed[application, pair] = selection
        self.changed = {}

    def changes(self, application: str, pair: str) -> Mapping[str, frozenset[ObjectKey]]:
        """Those that are selected."""
        selection, (taken, self.changed) = self.followed[application, pair], (self.changed, {})
        return {site: frozenset(key for key in keys if selection.covers(key)) for site, keys in taken.items()}


@dataclass(slots=True, kw_only=True)
class World:
    """A process that compares the application ``shop`` at seoul and sejong by what their watches tell."""

    scanning: doors.Scanning
    watched: Watched
    git: Git
    clock: Clock

    @classmethod
    def make(
        cls, root: Path, database: Database, *documents: tuple[str, str, Manifest], images: Sequence[Json] = ()
    ) -> World:
        """Both sites are empty, and git is too. ``documents`` are more of the configuration."""
        topology = topology_of(root, *documents, images=images)
        git, clock = Git(topology, {"first": []}), Clock()
        watched = Watched({site: Cluster(Watch()) for site in SITES})
        scanning = doors.Scanning(
            topology=lambda: topology,
            database=database,
            sites=watched,
            renderer=git,
            sealer=redact.Sealer(b"a key of this installation"),
            clock=clock,
            watched=watched,
        )
        return cls(scanning=scanning, watched=watched, git=git, clock=clock)

    def put(self, site: str, manifest: Manifest) -> None:
        """Write an object at a site, which tells of it."""
        key = ObjectKey.of(manifest)
        self.watched.clusters[site].watch.objects_[key] = copy.deepcopy(manifest)
        self.watched.changed.setdefault(site, set()).add(key)

    def delete(self, site: str, key: ObjectKey) -> None:
        """Take an object away."""
        self.watched.clusters[site].watch.objects_.pop(key, None)
        self.watched.changed.setdefault(site, set()).add(key)

    def told(self, *, lost: bool = False, scheduled: bool = False) -> bool:
        """Compare what changed, or everything, and store it, unless the transaction is lost. Whether there was news."""
        self.clock.pass_seconds(1)
        job = work.scan("shop", told=not scheduled)
        claim = work.Claim(id=1, kind=job.kind, payload=job.payload, fence="f", attempt=1, crashes=0)
        outcome = scan.handle_scan(self.scanning, claim)
        assert isinstance(outcome, work.Done)
        try:
            with self.scanning.database.write() as connection:
                for effect in outcome.effects:
                    effect(connection)
                if lost:
                    raise errors.ConflictError("Somebody else was faster.", remedy="Again.")
        except errors.ConflictError:
            assert lost
        return bool(outcome.effects)

    def whole(self) -> scan.Scanned:
        """A comparison of everything, by somebody who remembers nothing."""
        forgetful = replace(self.scanning, watched=None, followed={})
        topology = self.scanning.topology()
        return scan.scan(forgetful, topology.applications["shop"], topology.pairs[PAIR])

    @property
    def reads(self) -> int:
        """How often a site was read."""
        return sum(cluster.reads for cluster in self.watched.clusters.values())

    def findings(self) -> list[views.Finding]:
        """What is stored and not resolved."""
        with self.scanning.database.read() as connection:
            return views.page(connection, views.Filter(application="shop", state="unresolved"), limit=10_000)

    def stored(self) -> views.Scan:
        """The comparison that is stored."""
        with self.scanning.database.read() as connection:
            (found,) = views.scans_of(connection)
        return found


def topology_of(root: Path, *documents: tuple[str, str, Manifest], images: Sequence[Json] = ()) -> Topology:
    """Two sites that run, and one application that is hot, with these images."""
    sites = [
        ("Site", name, {"cluster": {"directory": name}, "values": {"host": f"shop.{name}.example"}}) for name in SITES
    ]
    protection = {PAIR: {"tier": "hot", "floor": {"default": 1}}}
    spec = {
        "source": {"repository": "shop"},
        "namespace": "shop",
        "protection": protection,
        "images": list(images),
        "unmirrored": "warn",
    }
    pair = ("Pair", PAIR, {"primary": SITES[0], "standby": SITES[1]})
    return topologies.topology(*sites, pair, ("Application", "shop", spec), *documents, directory=root)
