"""The task ``Deploy`` on sites in memory, called as the engine calls it, with a clock that a test moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from lockstep import errors, settings, work
from lockstep.manifests import desired, images
from lockstep.sites import archive, ends, git, layout
from lockstep.store import deployments, runs, tasks
from lockstep.store.database import Database
from lockstep.topology import direction, kinds
from lockstep.topology.model import Topology
from lockstep.values import Json, ObjectKey, Stance
from pipelines.delivery import World
from pipelines.delivery.deploy import Deploy
from pipelines.tasks import Context, Outcome
from tests.support import topologies
from tests.support.clusters import MemoryCluster
from tests.support.times import Clock

STANDBYS = ("sejong", "daegu")
SITES = ("seoul", *STANDBYS)
_NOWHERE = Path("/nowhere")


class KilledError(BaseException):
    """SIGKILL, as far as a test of one process can have it."""


@dataclass(slots=True)
class Server(MemoryCluster):
    """A server of which a test plays the controllers: versions of ``bad`` images never run."""

    runs: bool = True
    idle: bool = False
    """Whether no controller does anything."""
    away: bool = False
    kills: str = ""
    """The image whose writing ends the process."""

    def read(self, selection: ends.Selection) -> ends.Inventory:
        """What is there, with the status of now."""
        self._there()
        found = MemoryCluster.read(self, selection)
        return replace(found, objects=tuple(self._status(one) for one in found.objects))

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object."""
        self._there()
        return MemoryCluster.get(self, key, api_version=api_version)

    def apply(
        self,
        manifest: Mapping[str, Json],
        *,
        dry_run: bool = False,
        force: bool = False,
        before: Mapping[str, Json] | None = None,
    ) -> ends.Applied:
        """Keep an object; a dry run is not told."""
        self._there()
        if dry_run:
            return ends.Applied(change=ends.Change.CHANGED, object=dict(manifest))
        if self.kills and manifest["kind"] == "Deployment" and _image(dict(manifest)) == self.kills:
            raise KilledError
        return MemoryCluster.apply(self, manifest)

    def _there(self) -> None:
        if self.away:
            raise errors.UnreachableError("the site does not answer", remedy="Look at the line.")

    def _status(self, manifest: dict[str, Json]) -> dict[str, Json]:
        if manifest["kind"] != "Deployment" or self.idle:
            return manifest
        conditions = (
            [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}] if "bad" in _image(manifest) else []
        )
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 1)
        return {**manifest, "status": {**counts, "conditions": conditions}}

    @property
    def image(self) -> str:
        """What the application's workload is at."""
        found = [one for key, one in self.objects.items() if key.kind == "Deployment"]
        return _image(found[0]) if found else ""


def _image(manifest: dict[str, Json]) -> str:
    return str(manifest["spec"]["template"]["spec"]["containers"][0]["image"])


def app(image: str, **more: Json) -> list[dict[str, Json]]:
    """An application of one Deployment and whatever else."""
    template = {"spec": {"containers": [{"name": "api", "image": image}]}}
    metadata = {"name": "api", "namespace": "pay"}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template, **more}}
    ]


@dataclass(slots=True)
class Moving:
    """A registry whose every tag is of something else each time that it is asked."""

    asked: int = 0

    def resolve(self, repository: str, reference: str) -> ends.Descriptor:
        """Another digest than before."""
        self.asked += 1
        return ends.Descriptor(media_type="", digest=self.digest(self.asked), size=0)

    @staticmethod
    def digest(time: int) -> str:
        """What it said at some time, counted from one."""
        return f"sha256:{time:064x}"


@dataclass(slots=True)
class _Doors:
    servers: Mapping[str, Server]
    store: Moving | None = None

    def git_cache(self, repository: str) -> git.Cache:
        raise AssertionError(repository)

    def images(self, site: str) -> ends.ImageStore:
        assert self.store is not None, site
        return cast("ends.ImageStore", self.store)

    def cluster(self, site: str) -> ends.Cluster:
        return self.servers[site]

    def archive(self, site: str) -> archive.Archive | None:
        return None

    def built(self) -> layout.LayoutStore:
        raise AssertionError


@dataclass(slots=True)
class _Renderings:
    git: dict[str, list[dict[str, Json]]] = field(default_factory=dict)
    names: tuple[images.Wanted, ...] = ()

    def require(self, topology: Topology, application: kinds.Application, revision: str) -> None:
        assert revision in self.git

    def wanted(self, topology: Topology, application: kinds.Application, revision: str) -> tuple[images.Wanted, ...]:
        return self.names

    def desired(
        self,
        topology: Topology,
        application: kinds.Application,
        *,
        place: direction.Place,
        revision: str,
        digests: Mapping[str, str],
    ) -> desired.Desired:
        return desired.desired(
            self.git[revision], application=application, place=place, sites=topology.sites, digests=digests
        )


class _Queue:
    def enqueue(self, connection: object, *jobs: work.Job) -> list[int]:
        return [0 for _ in jobs]


class Delivering:
    """An application ``pay`` of the primary ``seoul`` and two standbys.

    Args:
        database: An empty one.
        spec: What the application says beside its protection.
    """

    def __init__(self, database: Database, **spec: Json) -> None:
        self.database = database
        self.clock = Clock()
        self.servers = {name: Server() for name in SITES}
        self.stances = {f"seoul-{name}": Stance.NORMAL for name in STANDBYS}
        self.renderings = _Renderings()
        self.doors = _Doors(self.servers)
        self.log: list[str] = []
        self._spec = spec
        self._run = 0

    def push(self, revision: str, objects: list[dict[str, Json]]) -> None:
        """What git says at a commit."""
        self.renderings.git[revision] = objects

    def begin(self, revision: str) -> Call:
        """A run that deploys a commit."""
        self._run += 1
        return Call(self, f"run-{self._run}", revision)

    def deploy(self, revision: str) -> Outcome:
        """Deploy a commit to its end, as fast as it goes; a second passes whenever it asks to be called again."""
        return self.begin(revision).end()

    @property
    def images(self) -> dict[str, str]:
        """What every site is at."""
        return {name: server.image for name, server in self.servers.items()}

    @property
    def world(self) -> World:
        """What the task may ask."""
        return World(
            database=self.database,
            topology=self._topology,
            doors=self.doors,
            renderings=self.renderings,
            stances=lambda: self.stances,
            queue=_Queue(),
            places=settings.Places(config=_NOWHERE, state=_NOWHERE, database=""),
            clock=self.clock,
        )

    def _topology(self) -> Topology:
        protection = {f"seoul-{name}": {"tier": "active"} for name in STANDBYS}
        spec = {"source": {"repository": "bank/pay"}, "namespace": "pay", "unmirrored": "warn", **self._spec}
        return topologies.topology(
            *(("Site", name, {"cluster": {"directory": "x"}}) for name in SITES),
            *(("Pair", f"seoul-{name}", {"primary": "seoul", "standby": name}) for name in STANDBYS),
            ("Application", "pay", {**spec, "protection": protection}),
        )


class Call:
    """A run's task, which is called until it has ended."""

    def __init__(self, delivering: Delivering, run: str, revision: str) -> None:
        self._delivering, self._run, self._revision = delivering, run, revision
        self._since = delivering.clock.now()

    def once(self) -> Outcome:
        """Call it; it is called after a second when it asks for that."""
        return Deploy(self._delivering.world).run(self.context())

    def end(self, *, most: int = 5000) -> Outcome:
        """Call it until it has ended, or asks a person."""
        for _ in range(most):
            said = self.once()
            seconds = getattr(said, "seconds", None)
            if seconds is None:
                return said
            self._delivering.clock.pass_seconds(max(1.0, seconds))
        raise AssertionError(f"it goes on for ever: {said}")

    def rows(self) -> dict[str, deployments.Deployment]:
        """What became of the sites."""
        with self._delivering.database.read() as connection:
            return deployments.by_run(connection, self._run)

    def context(self) -> Context:
        """What the task is told this time."""
        empty: dict[str, Any] = {}
        run = dict.fromkeys(runs.Run.__dataclass_fields__) | {"cause": {}}
        run |= {"id": 1, "name": self._run, "application": "pay", "revision": self._revision}
        task = dict.fromkeys(tasks.Task.__dataclass_fields__) | {"started_at": self._since, "pipeline_task": "deploy"}
        return Context(
            run=runs.Run(**cast("Any", run)),
            task=tasks.Task(**cast("Any", task)),
            params={},
            spec=None,
            workspaces={},
            results=empty,
            details=empty,
            plan="",
            answers=(),
            identity=None,
            log=self._delivering.log.append,
            cancelled=lambda: "",
            deadline=None,
            effects=[],
        )
