"""Being told what changes."""

from __future__ import annotations

import time

import pytest

from lockstep import errors
from lockstep.sites import cluster
from lockstep.sites.ends import Selection, Watch
from lockstep.values import Json, ObjectKey
from tests.cluster.conftest import Door
from tests.support import apiserver

pytestmark = pytest.mark.cluster

_SECONDS = 30.0
_KINDS = frozenset({("", "ConfigMap"), ("", "Secret")})


def _until(watch: Watch, wanted: dict[str, Json]) -> None:
    """Wait until the watch knows these ConfigMaps by their data, and no others."""
    end = time.monotonic() + _SECONDS
    while True:
        inventory = watch.inventory()
        found = {one["metadata"]["name"]: one.get("data") for one in inventory.objects if one["kind"] == "ConfigMap"}
        if found == wanted and not inventory.gaps:
            return
        assert time.monotonic() < end, (found, inventory.gaps)
        watch.changed(seconds=0.2)


def test_a_watch_follows_what_is_made_changed_and_deleted(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """It begins with what is there."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    admin.create(path, {"metadata": {"name": "a"}, "data": {"x": "1"}})
    with door().watch(Selection(namespaces=frozenset({namespace}), kinds=_KINDS)) as watch:
        _until(watch, {"a": {"x": "1"}})
        admin.create(path, {"metadata": {"name": "b"}, "data": {"x": "1"}})
        _until(watch, {"a": {"x": "1"}, "b": {"x": "1"}})
        admin.merge(f"{path}/a", {"data": {"x": "2"}})
        _until(watch, {"a": {"x": "2"}, "b": {"x": "1"}})
        admin.delete(f"{path}/b")
        _until(watch, {"a": {"x": "2"}})


def test_a_watch_names_what_has_changed(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """So that nobody has to compare everything."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    admin.create(path, {"metadata": {"name": "a"}, "data": {"x": "1"}})
    with door().watch(Selection(namespaces=frozenset({namespace}), kinds=_KINDS)) as watch:
        _until(watch, {"a": {"x": "1"}})
        watch.changed(seconds=0)
        admin.merge(f"{path}/a", {"data": {"x": "2"}})
        assert watch.changed(seconds=_SECONDS) == {ObjectKey(group="", kind="ConfigMap", namespace=namespace, name="a")}


def test_a_watch_that_the_server_ends_goes_on(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """A server ends every watch some time; what happened in between is not lost."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    limits = cluster.Limits(watch_seconds=1.0)
    with door(limits=limits).watch(Selection(namespaces=frozenset({namespace}), kinds=_KINDS)) as watch:
        wanted: dict[str, Json] = {}
        end = time.monotonic() + 3
        while time.monotonic() < end:
            name = f"c{len(wanted)}"
            admin.create(path, {"metadata": {"name": name}, "data": {"x": name}})
            wanted[name] = {"x": name}
            _until(watch, wanted)
            watch.changed(seconds=0.3)


def test_what_may_not_be_watched_is_a_gap_and_nothing_else_suffers(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """A right can be missing for one kind."""
    user = f"watcher-{namespace}"
    role = {
        "metadata": {"name": "watcher"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}],
    }
    admin.create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles", role)
    admin.bind(namespace, role="watcher", user=user)
    admin.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "a"}, "data": {"x": "1"}})
    with door(user=user).watch(Selection(namespaces=frozenset({namespace}), kinds=_KINDS)) as watch:
        end = time.monotonic() + _SECONDS
        while not (watch.inventory().objects and "list secrets" in " ".join(g.why for g in watch.inventory().gaps)):
            assert time.monotonic() < end, watch.inventory()
            watch.changed(seconds=0.2)
        assert [gap.kind for gap in watch.inventory().gaps] == ["Secret"]


def test_too_many_watches_are_refused_at_once(namespace: str, door: Door) -> None:
    """Each has a connection and a thread."""
    few = door(limits=cluster.Limits(most_watches=1))
    with (
        pytest.raises(errors.UnsupportedError, match="cannot be watched"),
        few.watch(Selection(namespaces=frozenset({namespace}), kinds=_KINDS)),
    ):
        pass
