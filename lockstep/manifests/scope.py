"""Which kinds live in a namespace, and putting each object where it belongs.

A kind that nobody knows is taken for namespaced, as Argo CD does (``NormalizeTargetObjects``): most are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from lockstep.topology import objects
from lockstep.values import Json

GroupKind: TypeAlias = tuple[str, str]
"""Group (empty for the core group) and kind."""

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")

# Discovery of Kubernetes 1.26 to 1.37, with the alpha and beta kinds that came and went between them.
_CLUSTER_SCOPED: Mapping[str, str] = {
    "": "ComponentStatus Namespace Node PersistentVolume",
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration"
        " ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration"
    ),
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "authentication.k8s.io": "SelfSubjectReview TokenReview",
    "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "internal.apiserver.k8s.io": "StorageVersion",
    "metrics.k8s.io": "NodeMetrics",
    "networking.k8s.io": "ClusterCIDR IPAddress IngressClass ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodSecurityPolicy",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io": "DeviceClass DeviceTaintRule ResourceClass ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    "storagemigration.k8s.io": "StorageVersionMigration",
}

CLUSTER_SCOPED: frozenset[GroupKind] = frozenset(
    (group, kind) for group, kinds in _CLUSTER_SCOPED.items() for kind in kinds.split()
)
"""The built-in kinds that have no namespace."""


def group_kind(manifest: Mapping[str, Json]) -> GroupKind:
    """Group and kind of an object."""
    group, slash, _ = str(manifest["apiVersion"]).partition("/")
    return (group if slash else "", str(manifest["kind"]))


def cluster_scoped(given: Iterable[Mapping[str, Json]]) -> frozenset[GroupKind]:
    """The kinds without a namespace: those built in, and those that a definition among the objects says."""
    defined: dict[GroupKind, bool] = {}
    for manifest in given:
        kind = _defined(manifest)
        if kind is not None:
            defined[kind] = manifest["spec"].get("scope") == "Cluster"
    return (CLUSTER_SCOPED | {name for name, scoped in defined.items() if scoped}) - {
        name for name, scoped in defined.items() if not scoped
    }


def foreign(given: Iterable[Mapping[str, Json]]) -> frozenset[GroupKind]:
    """The kinds of some objects that are neither Kubernetes' own nor defined among them."""
    manifests = list(given)
    defined = {_defined(manifest) for manifest in manifests}
    found = {group_kind(manifest) for manifest in manifests}
    return frozenset(
        kind for kind in found if objects.BUILT_IN.get(kind[1]) != kind[0] and kind not in CLUSTER_SCOPED | defined
    )


def _defined(manifest: Mapping[str, Json]) -> GroupKind | None:
    """The kind that a definition of custom resources defines; None for everything else."""
    spec = manifest.get("spec")
    if group_kind(manifest) != _CRD or not isinstance(spec, dict):
        return None
    names = spec.get("names")
    kind = names.get("kind") if isinstance(names, dict) else None
    return (str(spec.get("group", "")), kind) if isinstance(kind, str) else None


def namespace_of(manifest: Mapping[str, Json], *, default: str, without: frozenset[GroupKind]) -> str:
    """Where an object belongs: ``""`` for a kind without namespace, its own namespace, or else the default."""
    if group_kind(manifest) in without:
        return ""
    return str(manifest["metadata"].get("namespace") or default)


def place(
    given: Iterable[dict[str, Json]], *, namespace: str, also: frozenset[GroupKind] = frozenset()
) -> list[dict[str, Json]]:
    """Put each object where it belongs.

    An object without a namespace gets ``namespace``; an object of a kind without one loses what it says.

    Args:
        given: The objects; they are not changed.
        namespace: The application's namespace.
        also: More kinds that are known to have no namespace, such as what a cluster's discovery says.
    """
    manifests = list(given)
    without = cluster_scoped(manifests) | also
    placed = []
    for manifest in manifests:
        where = namespace_of(manifest, default=namespace, without=without)
        metadata = {key: value for key, value in manifest["metadata"].items() if key != "namespace"}
        if where:
            metadata["namespace"] = where
        placed.append({**manifest, "metadata": metadata})
    return placed
