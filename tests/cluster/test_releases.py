"""Servers of other releases than the newest one are read, watched and written to in the same way.

The double plays them: which kinds they serve, and how they tell it. What a real old server does otherwise is not tried.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import cluster
from lockstep.sites.cluster.discovery import Resource
from lockstep.sites.ends import Selection
from lockstep.topology import kinds, secrets
from lockstep.values import Json, ObjectKey
from tests.pipelines.deploy.deploying import config, thing
from tests.support import apiserver, crds, kubernetes_double
from tests.support.kubernetes_double import Double, Release

pytestmark = pytest.mark.cluster

_SECONDS = 30.0
_OLD = [Release(minor=26, openapi_v3=False), Release(minor=27), Release(minor=29), Release(minor=30), Release(minor=33)]
_SELECTION = Selection(namespaces=frozenset({"pay"}))
_DEFINITION = crds.definition(group="shop.example")


def _objects() -> list[dict[str, Json]]:
    """Something of everything, in the versions that all releases have."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    scaler = {"metadata": {"name": "api", "namespace": "pay"}, "spec": {"maxReplicas": 3, "scaleTargetRef": target}}
    widget = {"metadata": {"name": "one", "namespace": "pay"}, "spec": {"size": 3}}
    service = {"metadata": {"name": "api", "namespace": "pay"}, "spec": {"ports": [{"port": 80}]}}
    return [
        *(config(f"c{number}", a=str(number)) for number in range(5)),
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", **scaler},
        {"apiVersion": "v1", "kind": "Service", **service},
        {"apiVersion": "shop.example/v1", "kind": "Widget", **widget},
    ]


@contextlib.contextmanager
def _opened(server: Double) -> Iterator[cluster.KubernetesCluster]:
    file = server.kubeconfig()
    file.chmod(0o600)
    end = kinds.ClusterEnd(kubeconfig=kinds.SecretRef(file=str(file)))
    door = cluster.open_cluster(end, reader=secrets.Reader(Path("/"), {}), path=Path, limits=cluster.Limits(page=2))
    try:
        yield door
    finally:
        door.close()


@contextlib.contextmanager
def _filled(folder: Path, release: Release) -> Iterator[Double]:
    """A server with the same objects as any other."""
    with kubernetes_double.serving(folder, tls=False, release=release) as server, _opened(server) as door:
        door.apply(thing("Namespace", "pay"))
        door.apply(_DEFINITION)
        admin = apiserver.Admin(server)
        crds.wait_established(admin, _DEFINITION)
        admin.close()
        for one in _objects():
            door.apply(one)
        yield server


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """What all others are compared with."""
    with _filled(tmp_path_factory.mktemp("newest"), Release()) as server:
        yield server


@pytest.fixture(scope="module", params=_OLD, ids=lambda release: f"1.{release.minor}")
def old(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """A server of another release."""
    with _filled(tmp_path_factory.mktemp("old"), request.param) as server:
        yield server


def _told(one: dict[str, Json]) -> dict[str, Json]:
    """An object without what no two servers can have in common."""
    own = {"uid", "resourceVersion", "creationTimestamp"}
    spec = {name: value for name, value in (one.get("spec") or {}).items() if name not in ("clusterIP", "clusterIPs")}
    metadata = {name: value for name, value in one["metadata"].items() if name not in own}
    return {**one, "metadata": metadata, "spec": spec}


def _read(server: Double) -> dict[ObjectKey, dict[str, Json]]:
    with _opened(server) as door:
        found = door.read(_SELECTION)
    assert found.gaps == ()
    return {ObjectKey.of(one): _told(one) for one in found.objects}


def test_every_release_is_read_as_the_newest_is(old: Double, newest: Double) -> None:
    """Object by object and field by field, custom resources among them."""
    found = _read(old)
    assert len(found) >= len(_objects())
    assert found == _read(newest)


def test_every_kind_that_a_release_serves_is_found(old: Double, newest: Double) -> None:
    """Whichever way it tells: a kind that both have is the same, and the old one has none beside."""

    def served(server: Double) -> dict[tuple[str, str], Resource]:
        with _opened(server) as door:
            found = door.served()
            assert found.gaps == ()
            return {(one.group, one.kind): one for one in found.kinds(frozenset())}

    there, all_ = served(old), served(newest)
    assert there.keys() < all_.keys()
    differing = {kind for kind, one in there.items() if (one, one.verbs) != (all_[kind], all_[kind].verbs)}
    assert {group for group, _ in differing} <= {"flowcontrol.apiserver.k8s.io"}


def test_every_release_is_watched_as_the_newest_is(old: Double) -> None:
    """The list at the beginning, and what changes from then on."""
    key = ObjectKey(group="shop.example", kind="Widget", namespace="pay", name="one")
    with _opened(old) as door, door.watch(_SELECTION) as watch:
        end = time.monotonic() + _SECONDS
        while watch.inventory().gaps:
            assert time.monotonic() < end, watch.inventory().gaps
            watch.changed(seconds=0.1)
        there = door.get(key, api_version="shop.example/v1")
        assert there is not None
        size = 7 if there["spec"]["size"] == 3 else 3
        door.apply({**_objects()[-1], "spec": {"size": size}})
        while (watch.objects([key])[key] or {}).get("spec") != {"size": size}:
            assert time.monotonic() < end
            watch.changed(seconds=0.1)
        door.apply(_objects()[-1])


def test_a_kind_that_a_release_does_not_have_is_said_and_not_missed(tmp_path: Path) -> None:
    """A site of 1.35 cannot have what came with 1.36: the manifest is refused by name, and reading has no gap."""
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "some"},
    }
    with (
        kubernetes_double.serving(tmp_path / "old", tls=False, release=Release(minor=35)) as server,
        _opened(server) as door,
    ):
        with pytest.raises(errors.NotServedError, match=r"MutatingAdmissionPolicy of admissionregistration"):
            door.apply(policy)
        found = door.read(Selection(namespaces=frozenset(), cluster_scoped=frozenset({ObjectKey.of(policy)})))
        assert (found.objects, found.gaps) == ((), ())
