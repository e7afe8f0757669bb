"""One object of every kind that deploys bring: what it looks like once it is there, and who owns what of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.kubernetes_double.scenarios import POD, SELECTOR, TEMPLATE, Step, apply, create, delete, namespace
from tests.support.kubernetes_double import catalogue

_JOB = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}
_VOLUMES = [
    {"name": "e"},
    {"name": "s", "secret": {"secretName": "q"}},
    {"name": "c", "configMap": {"name": "q"}},
    {"name": "d", "downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    {"name": "h", "hostPath": {"path": "/x"}},
]
_PROBED = {
    "name": "c",
    "image": "x@sha256:" + "a" * 64,
    "livenessProbe": {"httpGet": {"port": 80}},
    "readinessProbe": {"grpc": {"port": 5}},
    "startupProbe": {"exec": {"command": ["a"]}},
    "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
    "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}},
}
_PATH = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "x", "port": {"number": 80}}}}
_HOOK_RULES = [{"apiGroups": ["zz.example"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["zz"]}]
_HOOK = {"name": "a.b.c", "admissionReviewVersions": ["v1"], "sideEffects": "None", "rules": _HOOK_RULES}
_REFERENCE = {"kind": "ClusterRole", "name": "x"}
_ALLOWING = {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}

_OBJECTS: dict[tuple[str, str, str], dict[str, Any]] = {
    ("", "v1", "serviceaccounts"): {},
    ("", "v1", "configmaps"): {"data": {"a": "b"}, "binaryData": {"x": "AAA="}},
    ("", "v1", "secrets"): {"data": {"a": "Yg=="}, "stringData": {"c": "d"}},
    ("", "v1", "pods"): {"spec": {**POD, "volumes": _VOLUMES}},
    ("", "v1", "services"): {"spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}},
    ("", "v1", "events"): {"involvedObject": {"kind": "Pod", "name": "x", "namespace": "{namespace}"}, "reason": "R"},
    ("", "v1", "limitranges"): {"spec": {"limits": [{"type": "Container", "default": {"cpu": "100m"}}]}},
    ("", "v1", "persistentvolumeclaims"): {"spec": _CLAIM},
    ("", "v1", "persistentvolumes"): {
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
    },
    ("", "v1", "podtemplates"): {"template": TEMPLATE},
    ("", "v1", "replicationcontrollers"): {"spec": {"selector": {"a": "b"}, "template": TEMPLATE}},
    ("", "v1", "resourcequotas"): {"spec": {"hard": {"services": "10"}}},
    ("apps", "v1", "deployments"): {
        "spec": {"selector": SELECTOR, "template": TEMPLATE, "strategy": {"type": "Recreate"}}
    },
    ("apps", "v1", "statefulsets"): {
        "spec": {
            "selector": SELECTOR,
            "template": TEMPLATE,
            "serviceName": "x",
            "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": _CLAIM}],
        }
    },
    ("apps", "v1", "daemonsets"): {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    ("apps", "v1", "replicasets"): {
        "spec": {"selector": SELECTOR, "template": {**TEMPLATE, "spec": {"containers": [_PROBED]}}}
    },
    ("apps", "v1", "controllerrevisions"): {"data": {"x": 1}, "revision": 1},
    ("batch", "v1", "jobs"): {"spec": _JOB},
    ("batch", "v1", "cronjobs"): {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": _JOB}}},
    ("autoscaling", "v2", "horizontalpodautoscalers"): {
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"}}
    },
    ("networking.k8s.io", "v1", "ingresses"): {"spec": {"rules": [{"host": "a.b", "http": {"paths": [_PATH]}}]}},
    ("networking.k8s.io", "v1", "ingressclasses"): {"spec": {"controller": "a.b/c"}},
    ("networking.k8s.io", "v1", "networkpolicies"): {
        "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}
    },
    ("policy", "v1", "poddisruptionbudgets"): {"spec": {"minAvailable": 1, "selector": SELECTOR}},
    ("rbac.authorization.k8s.io", "v1", "roles"): _ALLOWING,
    ("rbac.authorization.k8s.io", "v1", "rolebindings"): {
        "roleRef": _REFERENCE,
        "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "y"}, {"kind": "User", "name": "z"}],
    },
    ("rbac.authorization.k8s.io", "v1", "clusterroles"): _ALLOWING,
    ("rbac.authorization.k8s.io", "v1", "clusterrolebindings"): {"roleRef": _REFERENCE},
    ("storage.k8s.io", "v1", "storageclasses"): {"provisioner": "a.b/c"},
    ("storage.k8s.io", "v1", "csidrivers"): {"spec": {}},
    ("scheduling.k8s.io", "v1", "priorityclasses"): {"value": 5},
    ("node.k8s.io", "v1", "runtimeclasses"): {"handler": "x"},
    ("coordination.k8s.io", "v1", "leases"): {"spec": {"holderIdentity": "x"}},
    ("discovery.k8s.io", "v1", "endpointslices"): {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.2.3"]}],
        "ports": [{"port": 80}],
    },
    ("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"): {
        "webhooks": [{**_HOOK, "clientConfig": {"service": {"namespace": "x", "name": "y"}}}]
    },
    ("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations"): {
        "webhooks": [{**_HOOK, "clientConfig": {"url": "https://x.example/z"}}]
    },
    ("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies"): {
        "spec": {"matchConstraints": {"resourceRules": _HOOK_RULES}, "validations": [{"expression": "true"}]}
    },
}


def every_kind(name: str) -> list[Step]:
    """Created by one, applied by another, annotated and not any more, deleted."""
    return [*namespace(name), *(step for key in _OBJECTS for step in _one(name, *key))]


def _one(name: str, group: str, version: str, plural: str) -> Iterator[Step]:
    resource = next(
        one
        for known in catalogue.built_in()
        for one in known.resources
        if (known.group, known.version, one.plural) == (group, version, plural)
    )
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    where = f"{root}/namespaces/{name}/{plural}" if resource.namespaced else f"{root}/{plural}"
    body = {"apiVersion": resource.api_version, "kind": resource.kind, **_OBJECTS[group, version, plural]}
    if plural == "events":
        body["involvedObject"] = {**body["involvedObject"], "namespace": name}
    applied = {**body, "metadata": {"name": f"{name}-b"}}
    yield create(where, {**body, "metadata": {"name": f"{name}-a", "labels": {"x": "y"}}})
    yield apply(f"{where}/{name}-b", applied)
    yield apply(f"{where}/{name}-b", {**applied, "metadata": {"name": f"{name}-b", "annotations": {"k": "v"}}})
    yield apply(f"{where}/{name}-b", applied)
    yield delete(f"{where}/{name}-a")
    yield delete(f"{where}/{name}-b")


SCENARIOS = (every_kind,)
