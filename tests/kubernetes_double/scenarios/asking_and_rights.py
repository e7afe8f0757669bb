"""Lists, selectors and watches as they are asked for, paths that are none, and who may do what."""

from __future__ import annotations

from tests.kubernetes_double.scenarios import SELECTOR, TEMPLATE, Step, apply, create, delete, get, merge, namespace

_DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d"},
    "spec": {"selector": SELECTOR, "template": TEMPLATE},
}


def lists(name: str) -> list[Step]:
    """Selectors, pages, options that contradict each other."""
    at = f"/api/v1/namespaces/{name}/configmaps"
    made = [
        create(at, {"metadata": {"name": f"m-{n}", "labels": {"n": str(n), "par": "odd" if n % 2 else "even"}}})
        for n in range(6)
    ]
    selectors = ["par%3Deven", "n+in+(1,2),par", "!n", "n!=3,par+notin+(odd)", "n>4"]
    selectors += ["a%20b%20c", "a%3D%3D%3Db", "a+in+x", "%3Db"]
    options = [
        "limit=4",
        "limit=4&labelSelector=par",
        "limit=x",
        "limit=3&continue=abc",
        "resourceVersion=0&limit=2",
        "resourceVersion=abc",
        "resourceVersionMatch=Exact",
        "resourceVersion=0&resourceVersionMatch=Exact",
        "resourceVersion=5&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIvYSJ9",
        "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiIvYSJ9",
        "fieldSelector=metadata.name%3Dm-1",
        "fieldSelector=spec.x%3D1",
        "watch=1&resourceVersion=abc",
        "watch=1&sendInitialEvents=true",
        "watch=1&resourceVersionMatch=NotOlderThan",
    ]
    only = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    one = {"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}
    return [
        *namespace(name),
        *made,
        *(get(f"{at}?labelSelector={text}") for text in selectors),
        *(get(f"{at}?{text}") for text in options),
        Step(method="GET", path=at, headers=only),
        Step(method="GET", path=f"{at}/m-1", headers=one),
        Step(method="GET", path=f"{at}/m-1", headers={"Accept": "text/plain"}),
        get(f"/api/v1/namespaces/{name}/pods?fieldSelector=spec.x%3D1"),
        delete(f"{at}?labelSelector=par%3Dodd"),
        get(at),
    ]


def paths(name: str) -> list[Step]:
    """What is not served, and what cannot be done there."""
    return [
        *namespace(name),
        get("/apis/nothing.example/v1/things"),
        get("/apis/apps/v1/things"),
        get("/api/v1/nothing"),
        get("/nothing"),
        get("/apis/apps/v2/deployments"),
        get("/apis/apps"),
        get(f"/api/v1/namespaces/{name}/configmaps/none"),
        Step(method="PUT", path="/api/v1/namespaces", body={}),
        create("/api/v1/pods", {}),
        delete("/api/v1/namespaces"),
        create(f"/api/v1/namespaces/{name}/configmaps/x", {}),
        create(f"/api/v1/namespaces/none-{name}/configmaps", {"metadata": {"name": "x"}}),
        create("/api/v1/namespaces", {"metadata": {"name": name}}),
        get(f"/api/v1/namespaces/{name}/pods/x/log"),
    ]


def rights(name: str) -> list[Step]:
    """RBAC by roles in a namespace; nobody hands out what they have not."""
    home, bound = f"/api/v1/namespaces/{name}", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}"
    at, user = f"/apis/apps/v1/namespaces/{name}/deployments", f"somebody-{name}"
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "patch"]},
        {"apiGroups": ["apps"], "resources": ["deployments/status"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"], "verbs": ["get", "delete"]},
        {
            "apiGroups": ["rbac.authorization.k8s.io"],
            "resources": ["roles", "rolebindings"],
            "verbs": ["create", "patch"],
        },
    ]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    subjects = [{"kind": "User", "name": user}, {"kind": "ServiceAccount", "name": "robot"}]
    nobody = [
        get(f"{home}/secrets/x"),
        get("/api/v1/nodes"),
        get("/metrics"),
        get("/apis/nothing.example/v1/things"),
        create(f"{home}/pods", {}),
        delete(f"{home}/pods"),
        get(f"{home}/pods?watch=1"),
        get(f"{at}/d/scale"),
        get(home),
        apply(home, {}),
    ]
    some = [
        get(at),
        merge(f"{at}/d/status", {"status": {"replicas": 1}}),
        get(f"{at}/d/scale"),
        get(f"{home}/configmaps/one"),
        get(f"{home}/configmaps/two"),
        get("/apis/apps/v1/deployments"),
        create(f"{bound}/roles", {"metadata": {"name": "same"}, "rules": rules[:1]}),
        create(f"{bound}/roles", {"metadata": {"name": "more"}, "rules": [{**rules[0], "verbs": ["get", "delete"]}]}),
        create(f"{bound}/rolebindings", {"metadata": {"name": "same"}, "roleRef": {**reference, "name": "same"}}),
        create(f"{bound}/rolebindings", {"metadata": {"name": "lost"}, "roleRef": {**reference, "name": "none"}}),
        create(
            f"{bound}/rolebindings",
            {"metadata": {"name": "all"}, "roleRef": {**reference, "kind": "ClusterRole", "name": "cluster-admin"}},
        ),
        create(reviews, {"spec": {"namespace": name}}),
    ]
    return [
        *namespace(name),
        *(step.by(user) for step in nobody),
        create(f"{bound}/roles", {"metadata": {"name": "r"}, "rules": rules}),
        create(f"{bound}/rolebindings", {"metadata": {"name": "r"}, "roleRef": reference, "subjects": subjects}),
        Step(method="GET", path=at, headers={"Impersonate-User": user}, until=200),
        apply(f"{at}/d", _DEPLOYMENT).by(user),
        apply(f"{at}/d", _DEPLOYMENT),
        apply(f"{at}/d", _DEPLOYMENT).by(user),
        *(step.by(user) for step in some),
        get(at).by(f"system:serviceaccount:{name}:robot"),
        create(reviews, {"spec": {"namespace": name}}),
    ]


SCENARIOS = (lists, paths, rights)
