"""One served version of each kind: older ones are rewritten, so that two sites can be compared (G9, N03).

A manifest in a version that is not known here is left as it is; whether two versions can be compared at all is
decided where both are seen.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeAlias

from drift.normalise import reading
from lockstep.values import Json

_Rewrite: TypeAlias = Callable[[dict[str, Json], str], dict[str, Json]]

# Groups that served the same kinds before they moved; the object is one and the same (N03).
_MOVED = {
    ("extensions", "Deployment"): "apps",
    ("extensions", "DaemonSet"): "apps",
    ("extensions", "ReplicaSet"): "apps",
    ("extensions", "Ingress"): "networking.k8s.io",
    ("extensions", "NetworkPolicy"): "networking.k8s.io",
    ("events.k8s.io", "Event"): "",
    ("authorization.openshift.io", "ClusterRole"): "rbac.authorization.k8s.io",
    ("authorization.openshift.io", "ClusterRoleBinding"): "rbac.authorization.k8s.io",
    ("authorization.openshift.io", "Role"): "rbac.authorization.k8s.io",
    ("authorization.openshift.io", "RoleBinding"): "rbac.authorization.k8s.io",
}
_LIVED: dict[tuple[str, str], tuple[str, ...]] = {}
for (_before, _kind), _now in _MOVED.items():
    _LIVED[_now, _kind] = (*_LIVED.get((_now, _kind), ()), _before)
# Groups whose kinds had the same fields in every version that was served.
_SAME_FIELDS = frozenset(
    {
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
        ("networking.k8s.io", "IngressClass"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("policy", "PodDisruptionBudget"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "StorageClass"),
    }
)
_AUTOSCALING = "autoscaling.alpha.kubernetes.io/"


def home(group: str, kind: str) -> str:
    """The group in which a kind lives now."""
    return _MOVED.get((group, kind), group)


def served_by(group: str, kind: str) -> tuple[str, ...]:
    """The groups that a kind may be served by: those where it lived before, then the one where it lives now."""
    return (*_LIVED.get((group, kind), ()), group)


def convert(manifest: dict[str, Json]) -> dict[str, Json]:
    """The manifest in the version that everything is compared in; the same one when it is in it, or unknown."""
    rewrite, version, wanted = _plan(reading.text(manifest, "apiVersion"), reading.text(manifest, "kind"))
    if rewrite is not None:
        return rewrite(manifest, version)
    return {**manifest, "apiVersion": wanted} if wanted else manifest


@functools.lru_cache(maxsize=4096)
def _plan(api_version: str, kind: str) -> tuple[_Rewrite | None, str, str]:
    """What to do with a manifest: rewrite it from a version, or only say another ``apiVersion``; nothing mostly."""
    group, slash, version = api_version.rpartition("/")
    group = home(group, kind)
    rewrite = _REWRITES.get((group, kind))
    if rewrite is not None:
        return rewrite, version, ""
    if (group, kind) in _SAME_FIELDS:
        version = "v1"
    wanted = f"{group}/{version}" if group else version
    return None, version, "" if wanted == api_version or not slash else wanted


def _autoscaler(manifest: dict[str, Json], version: str) -> dict[str, Json]:
    """HorizontalPodAutoscaler v1 and v2beta2 as v2 (pkg/apis/autoscaling/v1/conversion.go)."""
    if version == "v2beta2":
        return {**manifest, "apiVersion": "autoscaling/v2"}
    if version != "v1":
        return manifest
    spec = dict(reading.mapping(manifest, "spec"))
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    annotations = dict(reading.mapping(manifest, "metadata", "annotations"))
    if any(f"{_AUTOSCALING}{part}" in annotations for part in ("metrics", "behavior")):
        # v1 keeps what it cannot say in annotations of v2beta1's shape: not guessed at, the versions are told apart.
        return manifest
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return {**manifest, "apiVersion": "autoscaling/v2", "spec": spec}


def _ingress(manifest: dict[str, Json], version: str) -> dict[str, Json]:
    """Ingress v1beta1 as v1 (pkg/apis/networking/v1beta1/conversion.go)."""
    if version != "v1beta1":
        return manifest
    spec = dict(reading.mapping(manifest, "spec"))
    if "backend" in spec:
        spec["defaultBackend"] = _backend(spec.pop("backend"))
    if isinstance(spec.get("rules"), list):
        spec["rules"] = [_rule(rule) for rule in spec["rules"]]
    return {**manifest, "apiVersion": "networking.k8s.io/v1", "spec": spec}


def _rule(rule: Json) -> Json:
    paths = reading.at(rule, "http", "paths")
    if not isinstance(paths, list):
        return rule
    return {**rule, "http": {**rule["http"], "paths": [_path(path) for path in paths]}}


def _path(path: Json) -> Json:
    if not isinstance(path, dict):
        return path
    converted = {"pathType": "ImplementationSpecific", **path}
    if "backend" in path:
        converted["backend"] = _backend(path["backend"])
    return converted


def _backend(backend: Json) -> Json:
    if not isinstance(backend, dict) or "serviceName" not in backend:
        return backend
    port = backend.get("servicePort")
    rest = {key: value for key, value in backend.items() if key not in ("serviceName", "servicePort")}
    written = {"name": port} if isinstance(port, str) else {"number": port}
    return {**rest, "service": {"name": backend["serviceName"], "port": written}}


_REWRITES: dict[tuple[str, str], _Rewrite] = {
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("networking.k8s.io", "Ingress"): _ingress,
}
