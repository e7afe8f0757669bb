"""The rights that are handed out are enough, and none of them is too many."""

from __future__ import annotations

import pytest

from lockstep import errors
from lockstep.sites import cluster
from lockstep.sites.cluster import rights
from lockstep.sites.ends import MOMENTS, Selection, Watch
from lockstep.values import Json, ObjectKey
from tests.cluster.conftest import Door
from tests.support import apiserver

pytestmark = pytest.mark.cluster

_RBAC = "rbac.authorization.k8s.io"


def _rules(account: str, *, without: str = "") -> list[dict[str, Json]]:
    rules = next(one["rules"] for one in rights.ACCOUNTS[account]() if one["kind"] == "ClusterRole")
    return [{**rule, "verbs": [verb for verb in rule["verbs"] if verb != without]} for rule in rules]


def _grant(admin: apiserver.Admin, user: str, rules: list[dict[str, Json]]) -> None:
    """Give somebody rights in the whole cluster."""
    admin.create(f"/apis/{_RBAC}/v1/clusterroles", {"metadata": {"name": user}, "rules": rules})
    binding = {
        "metadata": {"name": user},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": user},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": user}],
    }
    admin.create(f"/apis/{_RBAC}/v1/clusterrolebindings", binding)


def _config(namespace: str, **data: str) -> dict[str, Json]:
    metadata = {"name": "settings", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _until(watch: Watch, value: str) -> None:
    """Until a watch knows the object with this value, or has to say why it does not."""
    while [one["data"]["a"] for one in watch.inventory().objects] != [value]:
        why = " ".join(gap.why for gap in watch.inventory().gaps)
        if "We may not" in why:
            raise errors.ForbiddenError(why)
        watch.changed(seconds=0.1)


def _walk(door: cluster.KubernetesCluster, namespace: str) -> None:
    """Everything that Lockstep does at a server."""
    selection = Selection(namespaces=frozenset({namespace}), kinds=frozenset({("", "ConfigMap")}))
    door.apply(_config(namespace, a="1"))
    assert len(door.read(selection).objects) == 1
    with door.watch(selection) as watch:
        _until(watch, "1")
        door.apply(_config(namespace, a="2"))
        _until(watch, "2")
    door.delete(ObjectKey.of(_config(namespace)), api_version="v1")


def test_every_kind_of_kubernetes_may_be_read_by_its_right_name(door: Door) -> None:
    """What the server serves of its own is what the rights name."""
    served = {
        (one.group, one.plural)
        for one in door().served().resources
        if {"get", "list"} <= one.verbs and not one.group.endswith(".example") and (one.group, one.kind) not in MOMENTS
    }
    named = {(group, name) for group, listed in rights.readable().items() for name in listed}
    assert served <= named, served - named


def test_the_reader_reads_everything_and_writes_nothing(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """A right that is missing would be a gap, and a gap makes things Unknown."""
    user = f"reader-{namespace}"
    _grant(admin, user, _rules("reader"))
    reader = door(user=user)
    found = reader.read(Selection(namespaces=frozenset({namespace})))
    assert [gap for gap in found.gaps if not gap.group.endswith(".example")] == []
    with pytest.raises(errors.ForbiddenError) as caught:
        reader.apply(_config(namespace, a="1"))
    assert caught.value.right is not None
    assert caught.value.right.verb == "patch"
    with pytest.raises(errors.ForbiddenError):
        reader.delete(ObjectKey.of(_config(namespace)), api_version="v1")


def test_the_deployer_may_do_what_a_deploy_does(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """And nothing in between is refused."""
    user = f"deployer-{namespace}"
    _grant(admin, user, _rules("deployer"))
    _walk(door(user=user), namespace)


@pytest.mark.parametrize("verb", sorted({*rights.READING, *rights.WRITING} - {"watch"}))
def test_every_right_of_the_deployer_is_needed(admin: apiserver.Admin, namespace: str, door: Door, verb: str) -> None:
    """Without any one of them it cannot do its work: it has none to spare."""
    user = f"without-{verb}-{namespace}"
    _grant(admin, user, _rules("deployer", without=verb))
    with pytest.raises(errors.ForbiddenError, match=rf"\b{verb}\b"):
        _walk(door(user=user, limits=cluster.Limits(stale_seconds=3.0)), namespace)


def test_without_the_right_to_watch_everything_is_listed_again_and_again(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """Changes are noticed later and at a higher price; the inventory says so."""
    user = f"without-watch-{namespace}"
    _grant(admin, user, _rules("deployer", without="watch"))
    unwatching = door(user=user, limits=cluster.Limits(relist_seconds=0.2))
    _walk(unwatching, namespace)
    selection = Selection(namespaces=frozenset({namespace}), kinds=frozenset({("", "ConfigMap")}))
    with unwatching.watch(selection) as watch:
        while watch.inventory().method == "watch":
            assert not [gap for gap in watch.inventory().gaps if "We may not" in gap.why]
            watch.changed(seconds=0.05)


def test_a_server_is_asked_whether_a_dry_run_is_allowed(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """The reader may not, the deployer may."""
    key = ObjectKey.of(_config(namespace))
    for account, may in (("reader", False), ("deployer", True)):
        user = f"foreseeing-{account}-{namespace}"
        _grant(admin, user, _rules(account))
        assert door(user=user).may_foresee(key, api_version="v1", seconds=30.0) is may


def test_a_server_is_asked_what_we_may_do_before_anything_is_tried(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """The deployer lacks nothing, the reader every right to write, and one who lost a verb lacks that one."""
    users = {f"{namespace}-{name}": name for name in ("deployer", "reader")}
    for user, account in users.items():
        _grant(admin, user, _rules(account))
    _grant(admin, f"{namespace}-halved", _rules("deployer", without="delete"))
    assert door(user=f"{namespace}-deployer").lacks(namespace) == {}
    assert set(door(user=f"{namespace}-reader").lacks(namespace)) == set(rights.WRITING)
    assert set(door(user=f"{namespace}-halved").lacks(namespace)) == {"delete"}
    assert "deployments.apps" in door(user=f"{namespace}-reader").lacks(namespace)["patch"]
