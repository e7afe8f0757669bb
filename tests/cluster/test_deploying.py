"""A deploy to a real API: planned by what the server says, done once, and not again."""

from __future__ import annotations

import pytest

from lockstep.sites import cluster
from lockstep.values import Json
from pipelines.deploy import apply, models, site
from tests.cluster.conftest import Door
from tests.pipelines.deploy.deploying import request
from tests.support import apiserver, crds

pytestmark = pytest.mark.cluster


def _objects(namespace: str, **more: dict[str, Json]) -> list[dict[str, Json]]:
    """An application of several kinds, written as people write them and not as a server keeps them."""
    labels = {"app": "api"}
    container: dict[str, Json] = {
        "name": "api",
        "image": "registry.example/api:1",
        "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}},
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": ""}],
        **more.get("container", {}),
    }
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels, "creationTimestamp": None}, "spec": {"containers": [container]}},
    }
    return [
        _thing("v1", "ConfigMap", "settings", namespace, data={"a": "1", "b": "2"}),
        _thing("v1", "Secret", "keys", namespace, stringData={"password": "hunter2"}),
        _thing("v1", "Service", "api", namespace, spec={"selector": labels, "ports": [{"port": 80}]}),
        _thing("apps/v1", "Deployment", "api", namespace, spec={**spec, **more.get("spec", {})}),
        _thing("rbac.authorization.k8s.io/v1", "ClusterRole", f"{namespace}-reader", "", rules=[]),
    ]


def _thing(api_version: str, kind: str, name: str, namespace: str, **fields: Json) -> dict[str, Json]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


class _Deploying:
    """An application in a namespace of its own."""

    def __init__(self, door: cluster.KubernetesCluster, namespace: str) -> None:
        self.door, self.namespace = door, namespace
        self.at = site.Ends(cluster=door, archive=None)

    def plan(self, *raw: dict[str, Json], **more: Json) -> models.Plan:
        """What a deploy would do."""
        asked = request(*raw, namespace=self.namespace, **more)
        return site.plan(asked, self.at)

    def deploy(self, *raw: dict[str, Json], **more: Json) -> models.Plan:
        """Deploy everything, with every reason to wait approved; gives what was planned."""
        what = self.plan(*raw, **more)
        report = apply.apply(what, self.door, approved=what.approvals)
        assert report.whole, report
        return what


@pytest.fixture
def deploying(door: Door, namespace: str) -> _Deploying:
    """An application in a namespace of the test's own."""
    return _Deploying(door(), namespace)


def _versions(admin: apiserver.Admin, namespace: str) -> dict[str, str]:
    """The resourceVersion of everything that the tests of this file make."""
    places = ("api/v1/{}/configmaps", "api/v1/{}/secrets", "api/v1/{}/services", "apis/apps/v1/{}/deployments")
    return {
        f"{place} {one['metadata']['name']}": one["metadata"]["resourceVersion"]
        for place in places
        for one in admin.get(f"/{place.format(f'namespaces/{namespace}')}")["items"]
    }


def test_a_second_deploy_changes_nothing(admin: apiserver.Admin, deploying: _Deploying) -> None:
    """Not one ``resourceVersion``, although the server keeps much of it written in another way."""
    raw = _objects(deploying.namespace)
    assert len(deploying.deploy(*raw).steps(models.Action.CREATE)) == 5
    before = _versions(admin, deploying.namespace)
    again = deploying.plan(*raw)
    assert again.empty, again.stages
    assert again.unchanged == 5
    deploying.deploy(*raw)
    assert _versions(admin, deploying.namespace) == before


def test_what_git_no_longer_has_is_pruned_and_nothing_else(admin: apiserver.Admin, deploying: _Deploying) -> None:
    """Somebody else's objects in the namespace stay."""
    raw = _objects(deploying.namespace)
    deploying.deploy(*raw)
    path = f"/api/v1/namespaces/{deploying.namespace}/configmaps"
    admin.create(path, {"metadata": {"name": "foreign"}, "data": {}})
    deploying.deploy(*raw[1:])
    assert not admin.answers(f"{path}/settings")
    assert admin.answers(f"{path}/foreign")
    assert deploying.plan(*raw[1:]).empty


def test_a_field_that_git_drops_is_seen_and_goes(admin: apiserver.Admin, deploying: _Deploying) -> None:
    """The manifest alone would not show it: only the server knows that the field is ours."""
    deploying.deploy(*_objects(deploying.namespace))
    fewer = {"env": [{"name": "A", "value": "1"}]}
    what = deploying.plan(*_objects(deploying.namespace, container=fewer))
    (step,) = what.steps(models.Action.CHANGE)
    assert step.fields == ("/spec/template/spec/containers/0/env",)
    deploying.deploy(*_objects(deploying.namespace, container=fewer))
    found = admin.get(f"/apis/apps/v1/namespaces/{deploying.namespace}/deployments/api")
    assert found["spec"]["template"]["spec"]["containers"][0]["env"] == fewer["env"]


def test_what_somebody_added_by_hand_is_not_ours_to_take(admin: apiserver.Admin, deploying: _Deploying) -> None:
    """A deploy sets what git sets; what else is there is for the comparison to find."""
    deploying.deploy(*_objects(deploying.namespace))
    path = f"/api/v1/namespaces/{deploying.namespace}/configmaps/settings"
    admin.merge(path, {"data": {"hand": "made"}})
    assert deploying.plan(*_objects(deploying.namespace)).empty


def test_a_field_that_belongs_to_somebody_else_refuses_the_deploy_with_its_owner(
    admin: apiserver.Admin, deploying: _Deploying
) -> None:
    """Unless the configuration says that it is taken over."""
    deploying.deploy(*_objects(deploying.namespace))
    path = f"/apis/apps/v1/namespaces/{deploying.namespace}/deployments/api"
    admin.merge(path, {"spec": {"replicas": 9}})
    refused = deploying.plan(*_objects(deploying.namespace))
    assert [".spec.replicas belongs to somebody" in one for one in refused.refused] == [True]
    deploying.deploy(*_objects(deploying.namespace), takeOver=["Deployment/api"])
    assert admin.get(path)["spec"]["replicas"] == 2


def test_what_the_server_would_refuse_is_known_before_anything_is_written(
    admin: apiserver.Admin, deploying: _Deploying
) -> None:
    """A deploy that cannot end well is not begun."""
    what = deploying.plan(*_objects(deploying.namespace, spec={"replicaz": 3}))
    assert [".spec.replicaz" in one for one in what.refused] == [True]
    assert not admin.answers(f"/api/v1/namespaces/{deploying.namespace}/configmaps/settings")


def test_definitions_their_objects_and_their_namespace_come_in_one_deploy(
    admin: apiserver.Admin, deploying: _Deploying
) -> None:
    """Nobody can be asked about them beforehand; the server takes a moment to know what it was told."""
    group, home = f"{deploying.namespace}.example", f"{deploying.namespace}-more"
    definition = crds.definition(group=group)
    widget = _thing(f"{group}/v1", "Widget", "one", home, spec={"size": 3})
    raw = [_thing("v1", "Namespace", home, ""), definition, widget]
    assert len(deploying.deploy(*raw).steps(models.Action.CREATE)) == 3
    assert deploying.plan(*raw).empty
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    schema["weight"] = {"type": "integer"}
    widget["spec"]["weight"] = 7
    deploying.deploy(*raw)
    assert admin.get(f"/apis/{group}/v1/namespaces/{home}/widgets/one")["spec"] == {"size": 3, "weight": 7}
    assert deploying.plan(*raw).empty


def test_custom_resources_are_pruned_like_any_other(admin: apiserver.Admin, deploying: _Deploying) -> None:
    """Their kind is remembered, although git no longer names it."""
    group = f"{deploying.namespace}.example"
    definition = crds.definition(group=group)
    widget = _thing(f"{group}/v1", "Widget", "one", deploying.namespace, spec={"size": 3})
    deploying.deploy(definition, widget)
    what = deploying.deploy(definition)
    assert [step.key.kind for step in what.steps(models.Action.DELETE)] == ["Widget"]
    assert not admin.answers(f"/apis/{group}/v1/namespaces/{deploying.namespace}/widgets/one")
