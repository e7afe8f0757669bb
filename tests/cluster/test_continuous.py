"""A change at a real API server is told at once, and what changes all the time is not."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from drift.watching import Watching
from lockstep.sites import cluster
from tests.cluster.conftest import Door
from tests.support import apiserver
from tests.support.topologies import topology

pytestmark = pytest.mark.cluster

_SECONDS = 30.0


class _Sites:
    def __init__(self, opened: cluster.KubernetesCluster) -> None:
        self._opened = opened

    def cluster(self, _site: str) -> Any:
        """The server, for every site."""
        return self._opened

    def archive(self, _site: str) -> None:
        """None."""


def test_a_change_at_a_site_is_told_and_noise_is_not(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """A field by hand starts a comparison; a lease, and a count in a status, do not."""
    source = {"repository": "r", "path": "."}
    spec = {"source": source, "namespace": namespace, "protection": {"pair": {"tier": "hot"}}}
    sites = [("Site", name, {"cluster": {"directory": name}}) for name in ("seoul", "sejong")]
    pair = ("Pair", "pair", {"primary": "seoul", "standby": "sejong"})
    found = topology(*sites, pair, ("Application", "shop", spec))
    told = threading.Semaphore(0)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    workload = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    admin.create(path, {"metadata": {"name": "a"}, "data": {"x": "1"}})
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    admin.create(
        workload, {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}
    )

    def tell(name: str) -> None:
        assert name == "shop"
        # A comparison that begins: until then nobody is told twice.
        watching.changes(name, "pair")
        told.release()

    watching = Watching(_Sites(door()), topology=lambda: found, tell=tell)
    with watching.running():
        # Both sites are the one server: each tells once at the beginning, and once for each change that matters.
        for _ in range(2):
            assert told.acquire(timeout=_SECONDS)
        lease = {"metadata": {"name": "leader"}, "spec": {"holderIdentity": "one"}}
        admin.create(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", lease)
        admin.merge(f"{workload}/web/status", {"status": {"collisionCount": 3}})
        admin.merge(f"{path}/a", {"data": {"x": "2"}})
        for _ in range(2):
            assert told.acquire(timeout=_SECONDS)
        assert not told.acquire(timeout=0)
