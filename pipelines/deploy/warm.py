"""What a warm site with a cluster of its own gets: the ground, and a rehearsal of what would stand on it. Pure.

Nothing runs there before it is needed, and its archive has everything. So its cluster really has the ground
(namespaces, definitions, rights, quotas, classes), and every workload is tried as the Pod that it would become.
A dry run of the workload itself proves next to nothing: a Deployment that no Pod could ever follow passes, while
as a Pod it is refused by Pod security, quota, priority and runtime classes, and a missing service account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lockstep.manifests import edit, scope
from lockstep.values import Json, ObjectKey

_GROUND = frozenset(
    {
        ("", "LimitRange"),
        ("", "Namespace"),
        ("", "ResourceQuota"),
        ("", "ServiceAccount"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("node.k8s.io", "RuntimeClass"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
    }
)
_TEMPLATES: Mapping[scope.GroupKind, tuple[str, ...]] = {
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "Job"): ("spec", "template"),
}
# A name that no Pod of a controller has, of a length that any workload's name leaves room for.
_SUFFIX = "-rehearsal"
_LONGEST = 253


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A workload, and the Pod that it would become."""

    workload: ObjectKey
    pod: dict[str, Json]


def ground(manifests: Iterable[dict[str, Json]]) -> tuple[dict[str, Json], ...]:
    """The objects that a warm site really has."""
    return tuple(manifest for manifest in manifests if scope.group_kind(manifest) in _GROUND)


def rehearsals(manifests: Iterable[dict[str, Json]]) -> Iterator[Rehearsal]:
    """Every workload as a Pod; a Pod as itself."""
    for manifest in manifests:
        kind = scope.group_kind(manifest)
        place = _TEMPLATES.get(kind)
        template = manifest if kind == ("", "Pod") else edit.at(manifest, place) if place else None
        if isinstance(template, dict) and isinstance(template.get("spec"), dict):
            yield Rehearsal(workload=ObjectKey.of(manifest), pod=_pod(manifest, template))


def _pod(manifest: dict[str, Json], template: Mapping[str, Json]) -> dict[str, Json]:
    own = manifest["metadata"]
    said = {
        name: value for name, value in (template.get("metadata") or {}).items() if name in ("labels", "annotations")
    }
    name = f"{own['name'][: _LONGEST - len(_SUFFIX)]}{_SUFFIX}"
    metadata = {**said, "name": name, "namespace": own.get("namespace") or ""}
    spec = dict(template["spec"])
    claims = edit.at(manifest, ("spec", "volumeClaimTemplates"))
    volumes = [*(spec.get("volumes") or []), *(_claimed(one, own["name"]) for one in claims or [])]
    if volumes:
        spec["volumes"] = volumes
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _claimed(claim: Mapping[str, Json], workload: str) -> dict[str, Json]:
    """The volume that a StatefulSet's controller adds for a claim of its own."""
    name = edit.at(claim, ("metadata", "name"))
    return {"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{workload}-0"}}
