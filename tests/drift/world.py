"""Three sites on disk and an application whose git is a table, for tests of comparing over time."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from drift import doors, redact, scan
from lockstep import errors, settings, values, work
from lockstep.manifests import desired
from lockstep.sites import archive_note, ends
from lockstep.sites import open as sites
from lockstep.store import stances, tables
from lockstep.store.database import Database
from lockstep.store.views import drift as views
from lockstep.topology import direction, kinds, secrets
from lockstep.topology.model import Topology
from lockstep.topology.stances import Record
from lockstep.values import Json, Stance, Verdict
from tests.support import topologies
from tests.support.times import Clock

PAIR, WARM = "seoul-sejong", "seoul-daegu"
DIGESTS = {f"shop/web:{tag}": values.sha256(tag.encode()) for tag in ("1.0", "2.0", "3.0", "latest")}


def deployment(image: str = "shop/web:1.0", replicas: int = 3, **spec: Json) -> dict[str, Json]:
    """A Deployment."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def config(name: str = "settings", **data: str) -> dict[str, Json]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@dataclass(slots=True)
class Git:
    """Commits and what they render to; the last one is the head. ``broken``: it cannot be rendered now.

    ``digests`` are those of tags that anybody knows.
    """

    topology: Topology
    commits: dict[str, list[dict[str, Json]]] = field(default_factory=dict)
    broken: str = ""
    asked: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=lambda: dict(DIGESTS))

    def head(self, application: kinds.Application) -> str:
        """The newest commit."""
        if self.broken:
            raise errors.InputError(self.broken, remedy="Mend it.")
        return list(self.commits)[-1]

    def desired(self, application: kinds.Application, place: direction.Place, revision: str) -> desired.Desired:
        """A commit, finished for a site."""
        self.asked.append(revision)
        raw = copy.deepcopy(self.commits[revision])
        return desired.desired(
            raw, application=application, place=place, sites=self.topology.sites, digests=self.digests
        )

    def declaring(self, application: kinds.Application, sites: Sequence[str], revision: str) -> ends.Commit | None:
        """Somebody's."""
        moment = datetime(2026, 11, 1, tzinfo=UTC)
        return ends.Commit(
            oid="d" * 40, author="Kim", email="k@x", authored_at=moment, committed_at=moment, subject="Less at DR"
        )

    def history(self, application: kinds.Application, revision: str, *, most: int) -> Sequence[str]:
        """The commits before."""
        known = list(self.commits)
        return known[: known.index(revision)][::-1][:most]


@dataclass(slots=True, kw_only=True)
class World:
    """A process that compares the application ``shop`` at its sites."""

    root: Path
    scanning: doors.Scanning
    git: Git
    clock: Clock
    doors: sites.Doors
    _runs: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def make(cls, root: Path, database: Database) -> World:
        """Seoul runs, sejong is hot, daegu keeps an archive."""
        topology = _topology(root)
        for folder in ("seoul/cluster", "sejong/cluster", "daegu/archive"):
            (root / folder).mkdir(parents=True)
        places = settings.Places(config=root, state=root / "state", database="")
        git, clock = Git(topology), Clock()
        opened = sites.Doors(lambda: topology, reader=secrets.Reader(root, {}), places=places)
        return cls(
            root=root,
            git=git,
            clock=clock,
            doors=opened,
            scanning=doors.Scanning(
                topology=lambda: topology,
                database=database,
                sites=opened,
                renderer=git,
                sealer=redact.Sealer(b"a key of this installation"),
                clock=clock,
            ),
        )

    @property
    def shop(self) -> kinds.Application:
        """The application."""
        return self.scanning.topology().applications["shop"]

    def cluster(self, site: str) -> ends.Cluster:
        """A site's cluster."""
        return self.doors.cluster(site)

    def commit(self, revision: str, *manifests: dict[str, Json]) -> None:
        """A newer commit."""
        self.git.commits[revision] = list(manifests)

    def deploy(self, site: str, revision: str = "") -> None:
        """Make a site as git wants it, and write down that it was done."""
        wanted = self.wanted(site, revision)
        if site == "daegu":
            self._archive(wanted, revision or self.git.head(self.shop))
        else:
            for manifest in wanted.objects:
                self.cluster(site).apply(manifest)
        with self.scanning.database.write() as connection:
            connection.execute(
                tables.deployments.insert().values(
                    application="shop",
                    site=site,
                    revision=revision or self.git.head(self.shop),
                    state="done",
                    run=f"deploy-{next(self._runs)}",
                    started_at=self.clock.now(),
                    ended_at=self.clock.now(),
                )
            )

    def edit(self, site: str, kind: str, name: str, change: Callable[[dict[str, Json]], None]) -> None:
        """Change an object at a site by hand."""
        cluster = self.cluster(site)
        found = cluster.read(ends.Selection(namespaces=frozenset({"shop"}))).objects
        (manifest,) = [one for one in found if one["kind"] == kind and one["metadata"]["name"] == name]
        changed = copy.deepcopy(manifest)
        change(changed)
        cluster.apply(changed)

    def stance(self, pair: str, stance: Stance) -> None:
        """Set how a pair faces."""
        with self.scanning.database.write() as connection:
            newest = stances.newest(connection, pair)
            generation = newest.generation + 1 if newest else 1
            record = Record(stance=stance, generation=generation, reason="a test", by="tester", at=self.clock.now())
            stances.append(connection, pair, record)

    def scan(self, pair: str = PAIR) -> list[tuple[str, str, str]]:
        """Compare and store: verdict, site and path of what is found."""
        self.clock.pass_seconds(60)
        job = work.scan("shop", pair=pair)
        claim = work.Claim(id=1, kind=job.kind, payload=job.payload, fence="f", attempt=1, crashes=0)
        outcome = scan.handle_scan(self.scanning, claim)
        assert isinstance(outcome, work.Done)
        with self.scanning.database.write() as connection:
            for effect in outcome.effects:
                effect(connection)
        return [(one.verdict, one.site, one.path) for one in self.findings(pair)]

    def findings(self, pair: str = PAIR, *, state: str = "unresolved") -> list[views.Finding]:
        """What is stored, in the order of their objects."""
        with self.scanning.database.read() as connection:
            found = views.page(connection, views.Filter(application="shop", pair=pair, state=state), limit=1000)
        return sorted(found, key=lambda one: (one.kind, one.name, one.path, one.people_path))

    def verdict(self, pair: str = PAIR) -> Verdict:
        """The verdict that is stored."""
        return Verdict(self.stored(pair).verdict)

    def stored(self, pair: str = PAIR) -> views.Scan:
        """The comparison that is stored."""
        with self.scanning.database.read() as connection:
            (found,) = [one for one in views.scans_of(connection, "shop") if one.pair == pair]
        return found

    def wanted(self, site: str, revision: str = "") -> desired.Desired:
        """What git wants at a site, now or at a commit."""
        stances_ = dict.fromkeys((PAIR, WARM), Stance.NORMAL)
        places = {place.site: place for place in direction.places_of(self.git.topology, self.shop, stances_)}
        return self.git.desired(self.shop, places[site], revision or self.git.head(self.shop))

    def _archive(self, wanted: desired.Desired, revision: str) -> None:
        archive = self.scanning.sites.archive("daegu")
        assert archive is not None
        record = archive_note.Record(
            application="shop",
            site="daegu",
            namespace="shop",
            revision=revision,
            images={},
            written_at=self.clock.now(),
        )
        archive.write(record, wanted.full)


def _topology(root: Path) -> Topology:
    def site(name: str, **spec: Json) -> tuple[str, str, dict[str, Json]]:
        registry = {"layout": f"{name}/images", "imagePrefix": f"registry.{name}.example"}
        return "Site", name, {"registry": registry, "values": {"host": f"shop.{name}.example"}, **spec}

    source = {"repository": "shop"}
    protection = {PAIR: {"tier": "hot", "floor": {"default": 1}}, WARM: {"tier": "warm"}}
    spec = {"source": source, "namespace": "shop", "images": [{"name": "shop/web"}], "protection": protection}
    return topologies.topology(
        site("seoul", cluster={"directory": "seoul/cluster"}),
        site("sejong", cluster={"directory": "sejong/cluster"}),
        site("daegu", archive={"directory": "daegu/archive"}),
        ("Pair", PAIR, {"primary": "seoul", "standby": "sejong"}),
        ("Pair", WARM, {"primary": "seoul", "standby": "daegu"}),
        ("Application", "shop", spec),
        directory=root,
    )
