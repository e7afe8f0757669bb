"""What is there when a server has started: namespaces, the service of the API itself, roles that everybody has."""

from __future__ import annotations

import uuid

from tests.support.kubernetes_double import access
from tests.support.kubernetes_double.storage import Bucket, Store
from tests.support.kubernetes_double.types import Object

_STARTED = "2026-01-01T00:00:00Z"
_PROBES = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_PROBES]
_ISSUER = [
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/",
    "/openid/v1/jwks",
    "/openid/v1/jwks/",
]
_ANYTHING = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
_SELF = [
    {
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        "verbs": ["create"],
    },
    {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
]
_ROLES: dict[str, tuple[list[Object], tuple[str, ...]]] = {
    "cluster-admin": (_ANYTHING, (access.MASTERS,)),
    "system:basic-user": (_SELF, (access.AUTHENTICATED,)),
    "system:discovery": ([{"nonResourceURLs": sorted(_DISCOVERY), "verbs": ["get"]}], (access.AUTHENTICATED,)),
    "system:public-info-viewer": (
        [{"nonResourceURLs": _PROBES, "verbs": ["get"]}],
        (access.AUTHENTICATED, "system:unauthenticated"),
    ),
    "system:service-account-issuer-discovery": (
        [{"nonResourceURLs": _ISSUER, "verbs": ["get"]}],
        ("system:serviceaccounts",),
    ),
}


def sow(store: Store) -> None:
    """Put it there."""
    for name in ("default", "kube-node-lease", "kube-public", "kube-system"):
        labels = {"kubernetes.io/metadata.name": name}
        body = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        _put(store, ("", "namespaces"), "v1", "Namespace", {"name": name, "labels": labels}, body)
    _put(store, ("", "services"), "v1", "Service", {"name": "kubernetes", "namespace": "default"}, _SERVICE)
    for name, value in (("system-cluster-critical", 2000000000), ("system-node-critical", 2000001000)):
        bucket = ("scheduling.k8s.io", "priorityclasses")
        body = {"value": value, "preemptionPolicy": "PreemptLowerPriority"}
        _put(store, bucket, f"{bucket[0]}/v1", "PriorityClass", {"name": name, "generation": 1}, body)
    for name, (rules, groups) in _ROLES.items():
        labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
        version = f"{access.GROUP}/v1"
        _put(
            store,
            (access.GROUP, "clusterroles"),
            version,
            "ClusterRole",
            {"name": name, "labels": labels},
            {"rules": rules},
        )
        body = {
            "subjects": [{"kind": "Group", "apiGroup": access.GROUP, "name": group} for group in groups],
            "roleRef": {"apiGroup": access.GROUP, "kind": "ClusterRole", "name": name},
        }
        metadata = {"name": name, "labels": labels}
        _put(store, (access.GROUP, "clusterrolebindings"), version, "ClusterRoleBinding", metadata, body)


_SERVICE: Object = {
    "spec": {
        "clusterIP": "10.0.0.1",
        "clusterIPs": ["10.0.0.1"],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        "sessionAffinity": "None",
        "type": "ClusterIP",
    },
    "status": {"loadBalancer": {}},
}


def _put(store: Store, bucket: Bucket, version: str, kind: str, metadata: Object, body: Object) -> None:
    known = metadata | {"uid": str(uuid.uuid4()), "creationTimestamp": _STARTED}
    key = "/".join(metadata[part] for part in ("namespace", "name") if part in metadata)
    store.write(bucket, key, {"kind": kind, "apiVersion": version, "metadata": known, **body})
