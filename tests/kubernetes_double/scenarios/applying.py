"""Server-side apply and the other ways to change an object: who owns what, what conflicts, what is refused."""

from __future__ import annotations

from typing import Any

from tests.kubernetes_double.scenarios import (
    SELECTOR,
    Step,
    apply,
    create,
    delete,
    get,
    json_patch,
    merge,
    namespace,
    replace,
    strategic,
)


def _deployment(**spec: Any) -> dict[str, Any]:
    container = {
        "name": "c",
        "image": "registry.example/x:1",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"containerPort": 80}],
        "resources": {"requests": {"cpu": "1000m"}},
    }
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    return {**head, "spec": {"replicas": 2, "selector": SELECTOR, "template": template, **spec}}


def _part(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def owning(name: str) -> list[Step]:
    """Appliers take fields from each other, updaters take them from appliers, what is dropped goes."""
    at = f"/apis/apps/v1/namespaces/{name}/deployments/web"
    condition = {"type": "Available", "status": "True", "reason": "R", "message": "m"}
    return [
        *namespace(name),
        apply(at, _deployment()),
        apply(at, _deployment()),
        apply(at, _deployment(replicas=7), options="&dryRun=All"),
        apply(at, _part(replicas=5), manager="other"),
        apply(at, _part(replicas=5, paused=True), manager="other", options="&force=true"),
        apply(at, _deployment()),
        apply(at, _deployment(replicas=9, paused=False), manager="third"),
        merge(at, {"spec": {"minReadySeconds": 7}, "metadata": {"annotations": {"a": "b"}}}),
        merge(
            f"{at}/status",
            {"status": {"replicas": 2, "conditions": [condition]}, "metadata": {"annotations": {"c": "1"}}},
        ),
        get(f"{at}/scale"),
        merge(f"{at}/scale", {"spec": {"replicas": 3}}),
        apply(at, _deployment()),
        apply(at, _deployment(), options="&force=true"),
        apply(at, _part(), manager="other"),
        apply(at, _part(), options="&force=true"),
        get(at),
    ]


def lists_of_items(name: str) -> list[Step]:
    """Items of keyed lists are owned one by one, and keep their places."""
    at = f"/api/v1/namespaces/{name}/services/s"

    def service(*ports: int, **metadata: Any) -> dict[str, Any]:
        shown = [{"name": f"p{port}", "port": port} for port in ports]
        head = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", **metadata}}
        return {**head, "spec": {"selector": {"a": "b"}, "ports": shown}}

    return [
        *namespace(name),
        apply(at, service(1, 2, 3, labels={"x": "1"}, finalizers=["lockstep.dev/a", "lockstep.dev/b"])),
        apply(at, service(4, 2), manager="other"),
        apply(at, service(3, 1, labels={"y": "2"}, finalizers=["lockstep.dev/b"])),
        apply(at, service(5, 4, 3), options="&force=true"),
        merge(at, {"spec": {"ports": [{"name": "p9", "port": 9}]}}),
        apply(at, service(5)),
        merge(at, {"metadata": {"finalizers": None}}),
        delete(at),
    ]


def refused_applies(name: str) -> list[Step]:
    """What cannot be applied, and in which words."""
    at = f"/apis/apps/v1/namespaces/{name}/deployments/web"
    wrong = [
        _deployment(replicaz=3),
        _deployment(replicas="three"),
        _deployment(template=[1]),
        _deployment(selector="x"),
        _deployment(paused="yes"),
        _deployment(strategy={"type": 5}),
        _deployment(strategy={"type": {}}),
        _deployment(template={"spec": {"containers": {}}}),
        _deployment(template={"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}),
        _deployment(template={"spec": {"containers": [{"image": "a"}]}}),
        _deployment(selector={"matchLabels": {"a": "other"}}),
        {"kind": "Deployment"},
        {"apiVersion": "apps/v1"},
        {"apiVersion": "apps/v2", "kind": "Deployment"},
        {"apiVersion": "apps/v1", "kind": "Pod", "metadata": {"name": "web"}},
        {**_deployment(), "metadata": {"name": "web", "managedFields": [{"manager": "x"}]}},
        {**_deployment(), "metadata": {"name": "other"}},
        {**_deployment(), "metadata": {"name": "web", "namespace": "other"}},
        {**_deployment(), "metadata": {"name": "web", "resourceVersion": "1"}},
    ]
    return [
        *namespace(name),
        apply(at, _deployment()),
        *(apply(at, one, options="&force=true") for one in wrong),
        apply(at, _deployment(), manager=""),
        apply(at.replace("web", "new"), {**_deployment(), "metadata": {}}),
        apply(at, "a: [b"),
        get(at),
    ]


def other_patches(name: str) -> list[Step]:
    """Strategic merge, merge and JSON patches, and replacing."""
    at = f"/apis/apps/v1/namespaces/{name}/deployments/web"

    def container(**fields: Any) -> dict[str, Any]:
        return {"spec": {"template": {"spec": {"containers": [{"name": "c", **fields}]}}}}

    return [
        *namespace(name),
        create(at.removesuffix("/web"), _deployment()),
        strategic(at, container(image="x:9", env=[{"name": "Z", "value": "z"}])),
        strategic(at, container(env=[{"name": "A", "$patch": "delete"}])),
        strategic(at, container(env=[{"name": "B", "value": "3"}, {"name": "Y", "value": "y"}])),
        strategic(at, container(**{"$setElementOrder/env": [{"name": "Y"}, {"name": "B"}, {"name": "Z"}]})),
        strategic(at, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        merge(at, {"spec": {"replicas": None}}),
        merge(at, {"metadata": {"annotations": {"x": "y"}}}),
        json_patch(at, {"op": "replace", "path": "/spec/replicas", "value": 4}),
        json_patch(at, {"op": "add", "path": "/metadata/annotations/a~1b", "value": "c"}),
        json_patch(at, {"op": "test", "path": "/spec/replicas", "value": 9}),
        json_patch(at, {"op": "remove", "path": "/spec/nothing"}),
        replace(at, _deployment(replicas=8)),
        replace(at, {**_deployment(), "metadata": {"name": "web", "resourceVersion": "1"}}),
        replace(at, {**_deployment(), "metadata": {"name": "web", "uid": "none"}}),
        replace(at.replace("web", "none"), _deployment()),
        Step(method="PATCH", path=at, body={}, headers={"Content-Type": "text/plain"}),
        Step(method="MERGE", path=f"{at}?force=true", body={}),
        get(at),
    ]


def deleting(name: str) -> list[Step]:
    """Preconditions, propagation, finalizers, and a namespace that goes."""
    home = f"/api/v1/namespaces/{name}"
    at = f"/apis/apps/v1/namespaces/{name}/deployments/web"
    late = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    return [
        *namespace(name),
        create(at.removesuffix("/web"), _deployment()),
        delete(at, {"preconditions": {"uid": "none"}}),
        delete(f"{at}?dryRun=All"),
        delete(at, {"propagationPolicy": "Foreground"}),
        delete(at),
        merge(at, {"metadata": {"finalizers": None}}),
        get(at),
        create(f"{home}/configmaps", {"metadata": {"name": "held", "finalizers": ["lockstep.dev/hold"]}}),
        delete(f"{home}/configmaps/held"),
        create(f"{home}/configmaps", {"metadata": {"name": "held"}}),
        merge(f"{home}/configmaps/held", {"metadata": {"finalizers": []}}),
        delete(f"{home}/configmaps/held"),
        delete(home),
        delete(home),
        create(f"{home}/configmaps", late),
        apply(f"{home}/configmaps/late", late),
        replace(f"{home}/finalize", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {}}),
        get(home),
        delete("/api/v1/namespaces/default"),
    ]


SCENARIOS = (owning, lists_of_items, refused_applies, other_patches, deleting)
