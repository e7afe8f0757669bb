"""What is refused of the common kinds: wrong values, fields that may not change, rules of the cluster."""

from __future__ import annotations

from typing import Any

from tests.kubernetes_double.scenarios import POD, SELECTOR, TEMPLATE, Step, create, merge, namespace

_SECURE = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "c",
            "image": "x",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}
_PRIVILEGED = {
    "hostNetwork": True,
    "containers": [
        {
            "name": "c",
            "image": "x",
            "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
            "ports": [{"containerPort": 80, "hostPort": 80}],
        }
    ],
    "volumes": [{"name": "h", "hostPath": {"path": "/"}}],
}


def _named(called: str, **body: Any) -> dict[str, Any]:
    return {"metadata": {"name": called}, **body}


def pods(name: str) -> list[Step]:
    """A Pod is looked at closely, by itself and by the rules of its namespace."""
    home = f"/api/v1/namespaces/{name}"
    level = "pod-security.kubernetes.io/enforce"
    container = {"name": "c", "image": "x"}

    def pod(**spec: Any) -> Step:
        return create(f"{home}/pods?dryRun=All", _named("p", spec=spec))

    return [
        *namespace(name, **{level: "baseline"}),
        pod(**_PRIVILEGED),
        merge(home, {"metadata": {"labels": {level: "restricted"}}}),
        pod(containers=[container, {"name": "d", "image": "x"}]),
        pod(**_SECURE),
        merge(home, {"metadata": {"labels": {level: None}}}),
        pod(**_PRIVILEGED),
        pod(priorityClassName="none", containers=[container]),
        pod(priorityClassName="system-node-critical", containers=[container]),
        pod(runtimeClassName="none", containers=[container]),
        pod(serviceAccountName="none", containers=[container]),
        pod(containers=[]),
        pod(containers=[{**container, "image": ""}, {**container, "name": "C_"}]),
        pod(containers=[{**container, "ports": [{"containerPort": 0}, {"containerPort": 99999}]}]),
        pod(containers=[{**container, "volumeMounts": [{"name": "none", "mountPath": "/x"}]}]),
        pod(containers=[{**container, "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]),
        pod(containers=[{**container, "resources": {"requests": {"cpu": "abc"}}}]),
        pod(containers=[{**container, "imagePullPolicy": "Sometimes"}], restartPolicy="Perhaps"),
        pod(containers=[container, container]),
        create(f"{home}/resourcequotas", _named("q", spec={"hard": {"requests.cpu": "1"}})),
        merge(
            f"{home}/resourcequotas/q/status",
            {"status": {"hard": {"requests.cpu": "1"}, "used": {"requests.cpu": "500m"}}},
        ),
    ]


def workloads(name: str) -> list[Step]:
    """Selectors, templates, and what may not change of each kind."""
    apps, batch = f"/apis/apps/v1/namespaces/{name}", f"/apis/batch/v1/namespaces/{name}"
    never = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
    chosen = {"selector": SELECTOR, "template": TEMPLATE}
    return [
        *namespace(name),
        create(f"{apps}/deployments", _named("a")),
        create(f"{apps}/deployments", _named("a", spec={"selector": {}, "template": TEMPLATE})),
        create(f"{apps}/deployments", _named("a", spec={**chosen, "selector": {"matchLabels": {"a": "c"}}})),
        create(f"{apps}/deployments", _named("a", spec={**chosen, "replicas": -1})),
        create(f"{apps}/deployments", _named("A_", spec=chosen)),
        create(f"{apps}/deployments", {"metadata": {}, "spec": chosen}),
        create(f"{apps}/deployments", {"metadata": {"name": "a", "labels": {"a b": "c"}}, "spec": chosen}),
        create(f"{apps}/deployments", {"metadata": {"name": "a", "namespace": "other"}, "spec": chosen}),
        create(f"{apps}/deployments", {"metadata": {"name": "a", "resourceVersion": "1"}, "spec": chosen}),
        create(f"{apps}/deployments", {**_named("a", spec=chosen), "kind": "Pod"}),
        create(f"{apps}/deployments?fieldValidation=Strict", _named("a", spec={**chosen, "replicaz": 1})),
        create(f"{apps}/deployments?dryRun=All", _named("a", spec={**chosen, "replicaz": 1})),
        create(f"{apps}/deployments?dryRun=Some", _named("a", spec=chosen)),
        create(f"{apps}/deployments", _named("a", spec={**chosen, "replicas": "three"})),
        create(f"{apps}/statefulsets", _named("s", spec={**chosen, "serviceName": "x"})),
        merge(f"{apps}/statefulsets/s", {"spec": {"serviceName": "y"}}),
        merge(f"{apps}/statefulsets/s", {"spec": {"replicas": 3}}),
        create(f"{apps}/daemonsets", _named("s", spec=chosen)),
        merge(f"{apps}/daemonsets/s", {"spec": {"selector": {"matchLabels": {"a": "c"}}}}),
        merge(f"{apps}/daemonsets/s", {"spec": {"template": {"spec": {"hostPID": True}}}}),
        create(f"{batch}/jobs", _named("j", spec={"template": TEMPLATE})),
        create(f"{batch}/jobs", _named("j", spec={**never, "completions": 3})),
        merge(f"{batch}/jobs/j", {"spec": {"completions": 5}}),
        merge(f"{batch}/jobs/j", {"spec": {"parallelism": 2}}),
        create(f"{batch}/cronjobs", _named("j", spec={"schedule": "x", "jobTemplate": {"spec": never}})),
    ]


def other_kinds(name: str) -> list[Step]:
    """Services, data, claims, autoscalers, roles."""
    home = f"/api/v1/namespaces/{name}"
    rights = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}"
    scalers = f"/apis/autoscaling/v2/namespaces/{name}/horizontalpodautoscalers"
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    return [
        *namespace(name),
        create(f"{home}/services", _named("s", spec={})),
        create(f"{home}/services", _named("s", spec={"ports": [{"port": 80}, {"port": 81}]})),
        create(f"{home}/services", _named("1s", spec={"ports": [{"port": 0}]})),
        create(f"{home}/services", _named("h", spec={"clusterIP": "None", "selector": {"a": "b"}})),
        create(f"{home}/services", _named("e", spec={"type": "ExternalName", "externalName": "a.example"})),
        create(f"{home}/services", _named("l", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})),
        create(f"{home}/services", _named("w", spec={"type": "Weird", "ports": [{"port": 80, "protocol": "X"}]})),
        merge(f"{home}/services/l", {"spec": {"type": "ClusterIP"}}),
        merge(f"{home}/services/h", {"spec": {"ports": [{"port": 9}]}}),
        create(f"{home}/configmaps", _named("i", immutable=True, data={"a": "b"})),
        merge(f"{home}/configmaps/i", {"data": {"a": "c"}}),
        merge(f"{home}/configmaps/i", {"immutable": False}),
        create(f"{home}/configmaps", _named("b", data={"a/b": "c"})),
        create(f"{home}/secrets", _named("t", type="kubernetes.io/tls", data={})),
        create(f"{home}/secrets", _named("o", data={"a": "YQ=="})),
        merge(f"{home}/secrets/o", {"type": "other"}),
        create(f"{home}/persistentvolumeclaims", _named("c", spec={})),
        create(f"{home}/persistentvolumeclaims", _named("c", spec=claim)),
        merge(f"{home}/persistentvolumeclaims/c", {"spec": {"storageClassName": "x"}}),
        create(scalers, _named("h", spec={"maxReplicas": 0, "scaleTargetRef": {"kind": "Deployment", "name": "x"}})),
        create(f"{rights}/roles", _named("r", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": []}])),
        create(f"{rights}/roles", _named("r", rules=[{"apiGroups": [""], "verbs": ["get"]}])),
        create(f"{rights}/roles", _named("a/b")),
        create(f"{rights}/rolebindings", _named("b", roleRef=reference)),
        merge(f"{rights}/rolebindings/b", {"roleRef": {"name": "other"}}),
        create(f"{rights}/rolebindings", _named("c", roleRef={"kind": "Zork", "name": ""})),
    ]


SCENARIOS = (pods, workloads, other_kinds)
