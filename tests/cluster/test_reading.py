"""Reading a server: every kind that it serves, page after page, and a gap for what may not be read."""

from __future__ import annotations

import pytest

from lockstep import errors
from lockstep.sites import cluster
from lockstep.sites.ends import Selection
from lockstep.values import Json, ObjectKey
from tests.cluster.conftest import Door
from tests.support import apiserver, crds

pytestmark = pytest.mark.cluster

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def _names(objects: tuple[dict[str, Json], ...], kind: str) -> list[str]:
    return sorted(one["metadata"]["name"] for one in objects if one["kind"] == kind)


def _configs(admin: apiserver.Admin, namespace: str, count: int) -> None:
    for number in range(count):
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        admin.create(path, {"metadata": {"name": f"c{number}"}, "data": {"number": str(number)}})


def test_everything_of_a_namespace_is_read_whole_however_small_the_pages(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """The last page is as full as it happens to be."""
    _configs(admin, namespace, 7)
    for page in (1, 3, 7, 500):
        found = door(limits=cluster.Limits(page=page)).read(Selection(namespaces=frozenset({namespace})))
        assert _names(found.objects, "ConfigMap") == [f"c{number}" for number in range(7)]
        assert _names(found.objects, "ServiceAccount") == ["default"]
        assert found.gaps == ()


def test_an_object_of_a_list_says_what_it_is_and_not_who_set_its_fields(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """A list leaves out kind and apiVersion; half of most objects is managedFields, which nobody compares."""
    _configs(admin, namespace, 1)
    key = ObjectKey(group="", kind="ConfigMap", namespace=namespace, name="c0")
    found = door().read(Selection(namespaces=frozenset({namespace}), kinds=frozenset({("", "ConfigMap")})))
    (listed,) = found.objects
    assert (listed["apiVersion"], listed["kind"], listed["data"]) == ("v1", "ConfigMap", {"number": "0"})
    assert "managedFields" not in listed["metadata"]
    alone = door().get(key, api_version="v1")
    assert alone is not None
    assert alone["metadata"]["managedFields"]


def test_a_namespace_that_is_not_there_is_empty(door: Door) -> None:
    """Nothing is in it, and that is known."""
    found = door().read(Selection(namespaces=frozenset({"nowhere"})))
    assert (found.objects, found.gaps) == ((), ())


def test_of_what_is_beside_namespaces_only_the_named_is_read(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """One that is missing is missing, and no gap."""
    admin.create(f"{RBAC}/clusterroles", {"metadata": {"name": namespace}, "rules": []})
    wanted = [
        ObjectKey(group="rbac.authorization.k8s.io", kind="ClusterRole", namespace="", name=name)
        for name in (namespace, "missing")
    ]
    found = door().read(Selection(namespaces=frozenset(), cluster_scoped=frozenset(wanted)))
    assert _names(found.objects, "ClusterRole") == [namespace]
    assert found.gaps == ()


def test_a_kind_is_read_in_the_version_that_is_asked_for(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """Where the server has it; what is compared has to be of one version."""
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    admin.create(path, {"metadata": {"name": "api"}, "spec": {"maxReplicas": 3, "scaleTargetRef": target}})
    kind = "HorizontalPodAutoscaler"
    chosen = {
        wanted: {
            one["apiVersion"]
            for one in door()
            .read(Selection(namespaces=frozenset({namespace}), versions=frozenset({(wanted, kind)})))
            .objects
            if one["kind"] == kind
        }
        for wanted in ("autoscaling/v1", "autoscaling/v2", "autoscaling/v9")
    }
    assert chosen == {"autoscaling/v1": {"autoscaling/v1"}, "autoscaling/v2": {"autoscaling/v2"},
                      "autoscaling/v9": {"autoscaling/v2"}}  # fmt: skip


def test_custom_resources_are_read_like_any_other(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """What a server serves is asked, never known beforehand."""
    door_ = door()
    definition = crds.definition(group=f"{namespace}.example")
    door_.apply(definition)
    crds.wait_established(admin, definition)
    widget = {
        "apiVersion": f"{namespace}.example/v1",
        "kind": "Widget",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {"size": 3},
    }
    door_.apply(widget)
    found = door_.read(Selection(namespaces=frozenset({namespace})))
    assert [one["spec"]["size"] for one in found.objects if one["kind"] == "Widget"] == [3]


def test_what_we_may_not_list_is_a_gap_that_names_the_missing_right(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """The rest is read all the same, and nothing of the gap is taken for missing."""
    _configs(admin, namespace, 1)
    admin.create(
        f"{RBAC}/namespaces/{namespace}/roles",
        {
            "metadata": {"name": "some"},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}],
        },
    )
    admin.bind(namespace, role="some", user=f"some-{namespace}")
    found = door(user=f"some-{namespace}").read(Selection(namespaces=frozenset({namespace})))
    assert _names(found.objects, "ConfigMap") == ["c0"]
    hidden = ObjectKey(group="", kind="Secret", namespace=namespace, name="any")
    (gap,) = [gap for gap in found.gaps if gap.hides(hidden)]
    assert f"list secrets in {namespace}" in gap.why
    shown = ObjectKey(group="", kind="ConfigMap", namespace=namespace, name="any")
    assert not [gap for gap in found.gaps if gap.hides(shown)]


def test_where_nothing_may_be_read_there_is_no_inventory(namespace: str, door: Door) -> None:
    """An empty answer would say that there is nothing."""
    with pytest.raises(errors.ForbiddenError) as caught:
        door(user="nobody").read(Selection(namespaces=frozenset({namespace})))
    assert caught.value.right is not None
    assert caught.value.right.namespace == namespace


def test_one_object_that_is_not_there_is_none(namespace: str, door: Door) -> None:
    """Neither one of a kind that is served, nor one in a namespace that nobody has made."""
    for where in (namespace, "nowhere"):
        key = ObjectKey(group="", kind="ConfigMap", namespace=where, name="missing")
        assert door().get(key, api_version="v1") is None


def test_a_kind_that_is_not_served_is_said(namespace: str, door: Door) -> None:
    """It is another thing than an object that is missing."""
    key = ObjectKey(group="nobody.example", kind="Widget", namespace=namespace, name="one")
    with pytest.raises(errors.NotServedError, match=r"Widget of nobody\.example/v1"):
        door().get(key, api_version="nobody.example/v1")


@pytest.mark.parametrize("name", ["..", "a/b", "", "a%2fb"])
def test_no_name_leads_to_another_path(namespace: str, door: Door, name: str) -> None:
    """What would be another path is refused before anybody is asked."""
    key = ObjectKey(group="", kind="ConfigMap", namespace=namespace, name=name)
    with pytest.raises(errors.InputError, match="name"):
        door().get(key, api_version="v1")
