"""A cluster that tells what changes is compared when it matters, by what its watch knows."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from drift.watching import Watching
from lockstep import errors
from lockstep.sites import ends
from lockstep.topology.model import Topology
from lockstep.values import Json, ObjectKey
from tests.support.topologies import topology

_SECONDS = 20.0


def _config(name: str, namespace: str = "shop", **data: str) -> dict[str, Json]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


@dataclass(slots=True)
class Telling:
    """A cluster in memory that tells what changes; ``silent`` says why nobody hears of it."""

    objects_: dict[ObjectKey, dict[str, Json]] = field(default_factory=dict)
    silent: str = ""
    refused: str = ""
    reads: list[ends.Selection] = field(default_factory=list)
    selections: list[ends.Selection] = field(default_factory=list)
    _told: set[ObjectKey] = field(default_factory=set)
    _some: threading.Condition = field(default_factory=threading.Condition)
    address: str = "memory"
    runs: bool = True

    def put(self, manifest: dict[str, Json]) -> None:
        """Write an object, and tell of it."""
        key = ObjectKey.of(manifest)
        with self._some:
            self.objects_[key] = manifest
            self._told.add(key)
            self._some.notify_all()

    def read(self, selection: ends.Selection) -> ends.Inventory:
        """A list, which is counted."""
        self.reads.append(selection)
        return self.inventory()

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object."""
        return self.objects_.get(key)

    @contextlib.contextmanager
    def watch(self, selection: ends.Selection) -> Iterator[Telling]:
        """A watch, which knows everything."""
        if self.refused:
            raise errors.UnsupportedError(self.refused)
        self.selections.append(selection)
        self._told |= self.objects_.keys()
        yield self

    def outlook(self) -> ends.Inventory:
        """What is not known."""
        return replace(self.inventory(), objects=())

    def inventory(self) -> ends.Inventory:
        """Everything, or nothing with the reason."""
        gaps = (ends.Gap(what="configmaps", why=self.silent, kind="ConfigMap", group=""),) if self.silent else ()
        there = () if self.silent else tuple(self.objects_.values())
        return ends.Inventory(objects=there, read_at=datetime.now(UTC), method="watch", gaps=gaps)

    def objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, dict[str, Json] | None]:
        """Some objects."""
        return {key: self.objects_.get(key) for key in keys}

    def changed(self, *, seconds: float) -> frozenset[ObjectKey]:
        """What changed."""
        with self._some:
            self._some.wait_for(lambda: bool(self._told), timeout=min(seconds, 0.05))
            taken, self._told = frozenset(self._told), set()
        return taken


@dataclass(slots=True)
class Sites:
    """One site, ``seoul``."""

    cluster_: Any

    def cluster(self, site: str) -> Any:
        """Its cluster; the other site's cannot be opened."""
        if site != "seoul":
            raise errors.UnsupportedError(f"{site} has none.")
        return self.cluster_

    def archive(self, _site: str) -> None:
        """It has none."""


class Told:
    """Hears which applications are to be compared."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._some = threading.Condition()

    def __call__(self, name: str) -> None:
        """Hear one."""
        with self._some:
            self.names.append(name)
            self._some.notify_all()

    def wait(self, *names: str) -> None:
        """Wait until exactly these were told, in any order, and forget them."""
        with self._some:
            assert self._some.wait_for(lambda: set(self.names) >= set(names), timeout=_SECONDS), self.names
            assert set(self.names) == set(names)
            self.names.clear()


def _topology(**applications: str) -> Topology:
    """Applications with their name spaces."""
    source = {"repository": "r", "path": "."}
    apps = [
        ("Application", name, {"source": source, "namespace": namespace, "protection": {"pair": {"tier": "hot"}}})
        for name, namespace in applications.items()
    ]
    sites = [("Site", name, {"cluster": {"directory": name}}) for name in ("seoul", "sejong")]
    sites.append(("Site", "daegu", {"archive": {"directory": "daegu"}}))
    return topology(*sites, ("Pair", "pair", {"primary": "seoul", "standby": "sejong"}), *apps)


@pytest.fixture
def cluster() -> Telling:
    """A cluster with one object in each of two name spaces."""
    made = Telling()
    made.put(_config("settings", a="1"))
    made.put(_config("settings", "pay", a="1"))
    return made


@contextlib.contextmanager
def _watching(cluster: Any, found: Topology) -> Iterator[tuple[Watching, Told]]:
    told = Told()
    with Watching(Sites(cluster), topology=lambda: found, tell=told).running() as watching:
        yield watching, told


def test_a_change_compares_the_applications_of_its_name_space(cluster: Telling) -> None:
    """First everything, then only what a change may concern."""
    with _watching(cluster, _topology(shop="shop", pay="pay")) as (watching, told):
        told.wait("shop", "pay")
        watching.changes("shop", "pair")
        cluster.put(_config("settings", a="2"))
        told.wait("shop")


def test_a_change_that_says_nothing_compares_nothing(cluster: Telling) -> None:
    """A status, a resource version and a kind that every cluster makes for itself change all the time."""
    with _watching(cluster, _topology(shop="shop", pay="pay")) as (watching, told):
        told.wait("shop", "pay")
        watching.changes("pay", "pair")
        noisy = _config("settings", a="1")
        noisy["metadata"] |= {"resourceVersion": "7", "managedFields": []}
        cluster.put({**noisy, "status": {"phase": "x"}})
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "l", "namespace": "shop"},
        }
        cluster.put(lease)
        cluster.put(_config("settings", "pay", a="2"))
        told.wait("pay")


def test_how_what_runs_is_is_told_as_a_change_is(cluster: Telling) -> None:
    """A status says nothing, until it says that something is not well."""
    web: dict[str, Json] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "generation": 1},
        "spec": {"replicas": 1},
    }
    up = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    cluster.put({**web, "status": up})
    with _watching(cluster, _topology(shop="shop", pay="pay")) as (watching, told):
        told.wait("shop", "pay")
        for name in ("shop", "pay"):
            watching.changes(name, "pair")
        cluster.put({**web, "status": {**up, "collisionCount": 1}})
        cluster.put(_config("settings", "pay", a="2"))
        told.wait("pay")
        cluster.put({**web, "status": {**up, "availableReplicas": 0}})
        told.wait("shop")


def test_what_is_followed_is_told_with_what_changed(cluster: Telling) -> None:
    """A comparison hears of what it selects, each change once, and nobody is asked for one about anything else."""
    with _watching(cluster, _topology(shop="shop")) as (watching, told):
        told.wait("shop")
        selection = ends.Selection(namespaces=frozenset({"shop", "pay"}))
        watching.follow("shop", "pair", sites=("seoul", "sejong"), selection=selection)
        cluster.put(_config("elsewhere", "other", a="2"))
        cluster.put(_config("settings", "pay", a="2"))
        told.wait("shop")
        (changed,) = watching.changes("shop", "pair")["seoul"]
        assert (changed.namespace, changed.name) == ("pay", "settings")
        assert watching.changes("shop", "pair") == {}
        assert watching.watch("seoul", ends.Selection(namespaces=frozenset({"shop"}))) is cluster
        # It watches one name space, and there is no other site.
        assert watching.watch("seoul", selection) is None
        assert watching.watch("sejong", selection) is None


def test_a_storm_asks_for_one_comparison_at_a_time(cluster: Telling) -> None:
    """As long as none has begun nobody is asked again; what changed meanwhile comes with the one that begins."""
    with _watching(cluster, _topology(shop="shop", pay="pay")) as (watching, told):
        told.wait("shop", "pay")
        selection = ends.Selection(namespaces=frozenset({"shop"}))
        watching.follow("shop", "pair", sites=("seoul", "sejong"), selection=selection)
        watching.changes("pay", "pair")
        cluster.put(_config("first", a="1"))
        told.wait("shop")
        for number in range(300):
            cluster.put(_config(f"settings-{number}", a=str(number)))
        cluster.put(_config("settings", "pay", a="2"))
        told.wait("pay")
        assert len(watching.changes("shop", "pair")["seoul"]) == 301


def test_what_a_watch_knows_is_not_read_again(cluster: Telling) -> None:
    """A comparison that a watch started asks the server for nothing, and sees only what it asked for."""
    with _watching(cluster, _topology(shop="shop")) as (watching, told):
        told.wait("shop")
        seen = watching.cluster("seoul").read(ends.Selection(namespaces=frozenset({"shop"})))
        assert [one["metadata"]["namespace"] for one in seen.objects] == ["shop"]
        assert (seen.method, cluster.reads) == ("watch", [])


def test_what_a_watch_does_not_cover_is_read_and_watched_from_then_on(cluster: Telling) -> None:
    """An application may reach into a name space that nobody knew of."""
    with _watching(cluster, _topology(shop="shop")) as (watching, told):
        told.wait("shop")
        selection = ends.Selection(namespaces=frozenset({"shop", "edge"}))
        watching.cluster("seoul").read(selection)
        assert cluster.reads == [selection]
        watching.changes("shop", "pair")
        told.wait("shop")
        assert cluster.selections[-1].namespaces == frozenset({"shop", "edge"})


def test_a_watch_that_falls_silent_is_told_as_a_change_is(cluster: Telling) -> None:
    """What it was about is unknown from that moment on, and somebody has to say so."""
    with _watching(cluster, _topology(shop="shop")) as (watching, told):
        told.wait("shop")
        watching.changes("shop", "pair")
        cluster.silent = "its watch has been silent for 151 s."
        told.wait("shop")
        seen = watching.cluster("seoul").read(ends.Selection(namespaces=frozenset({"shop"})))
        assert (seen.objects, [gap.why for gap in seen.gaps]) == ((), [cluster.silent])


def test_a_cluster_that_cannot_be_watched_is_read(cluster: Telling) -> None:
    """Every comparison lists it."""
    cluster.refused = "Too many kinds."
    with _watching(cluster, _topology(shop="shop")) as (watching, told):
        selection = ends.Selection(namespaces=frozenset({"shop"}))
        assert len(watching.cluster("seoul").read(selection).objects) == 2
        assert (cluster.reads, told.names) == ([selection], [])


def test_a_site_without_a_cluster_is_not_told_to_have_one(cluster: Telling, caplog: pytest.LogCaptureFixture) -> None:
    """It may have an archive alone. One whose cluster cannot be watched is named."""
    with caplog.at_level(logging.INFO), _watching(cluster, _topology(shop="shop")) as (_, told):
        told.wait("shop")
    assert "sejong is not watched" in caplog.text
    assert "daegu" not in caplog.text
