"""What no comparison of sites is about: a cluster's own things, moments, and what is made from something else.

An object that git names is never excluded.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from drift.normalise import home, reading
from lockstep.manifests import applyset
from lockstep.values import Json, ObjectKey

# 2.5: whole groups of moments and questions.
_GROUPS = frozenset({"authentication.k8s.io", "authorization.k8s.io", "events.k8s.io", "metrics.k8s.io"})
# 2.5: kinds that a cluster makes for itself, by group; the reports and requests of widely used controllers too.
_KINDS = {
    "": "Binding ComponentStatus Endpoints Event Node",
    "acme.cert-manager.io": "Challenge Order",
    "aquasecurity.github.io": "ClusterComplianceReport ConfigAuditReport ExposedSecretReport RbacAssessmentReport "
    "SbomReport VulnerabilityReport",
    "cert-manager.io": "CertificateRequest",
    "certificates.k8s.io": "CertificateSigningRequest",
    "cilium.io": "CiliumEndpoint CiliumEndpointSlice CiliumIdentity CiliumNode",
    "coordination.k8s.io": "Lease LeaseCandidate",
    "discovery.k8s.io": "EndpointSlice",
    "internal.apiserver.k8s.io": "StorageVersion",
    "kyverno.io": "AdmissionReport BackgroundScanReport ClusterAdmissionReport ClusterBackgroundScanReport "
    "UpdateRequest",
    "longhorn.io": "Engine EngineImage InstanceManager Node Orphan Replica ShareManager Volume VolumeAttachment",
    "networking.k8s.io": "IPAddress",
    "reports.kyverno.io": "ClusterEphemeralReport EphemeralReport",
    "resource.k8s.io": "ResourceSlice",
    "storage.k8s.io": "CSINode CSIStorageCapacity VolumeAttachment",
    "wgpolicyk8s.io": "ClusterPolicyReport PolicyReport",
}
_EXCLUDED = frozenset((group, kind) for group, kinds in _KINDS.items() for kind in kinds.split())
# Name spaces that every cluster has of its own, and ours.
_OWN_NAMESPACES = frozenset({"kube-node-lease", "kube-public", "kube-system", "lockstep-system"})
_GENERATED_TOKEN = re.compile(r".+-(?:token|dockercfg)-[a-z0-9]{5}")
_HOOKS = ("helm.sh/hook", "argocd.argoproj.io/hook")
_BOOTSTRAP = "kubernetes.io/bootstrapping"
_AUTOUPDATED = ("apf.kubernetes.io/autoupdate-spec", "rbac.authorization.kubernetes.io/autoupdate")


def reason(manifest: dict[str, Json], key: ObjectKey, *, own_set: str = "") -> str:
    """Why a live object that git does not name is left out; empty when it is compared.

    Args:
        manifest: The object.
        key: Its key.
        own_set: The ApplySet of the application that is compared: members of another belong to that one (N05).
    """
    group = home(key.group, key.kind)
    if is_excluded(group, key.kind):
        return "a kind that every cluster makes for itself (2.5)"
    owners = reading.at(manifest, "metadata", "ownerReferences")
    if isinstance(owners, list) and owners:
        return "made from another object, which is compared (2.5)"
    if is_hook(manifest):
        return "a hook that runs at a deployment (N04)"
    if applyset.is_parent(manifest):
        return "the record of a deploy (X17)"
    if own_set and applyset.member_of(manifest) not in ("", own_set):
        return "belongs to another application (N05)"
    special = _SPECIAL.get((group, key.kind))
    found = special(manifest, key) if special is not None else ""
    return found or _bootstrapped(manifest)


def is_excluded(group: str, kind: str) -> bool:
    """Whether every cluster makes objects of this kind for itself."""
    return group in _GROUPS or (group, kind) in _EXCLUDED


def is_own_namespace(namespace: str) -> bool:
    """Whether a name space belongs to the cluster, or to Lockstep itself, and to no application."""
    return namespace in _OWN_NAMESPACES


def is_hook(manifest: dict[str, Json]) -> bool:
    """Whether an object is a hook of Helm or Argo CD: it comes and goes with deployments (N04)."""
    annotations = reading.mapping(manifest, "metadata", "annotations")
    return any(hook in annotations for hook in _HOOKS)


def is_everywhere(key: ObjectKey) -> bool:
    """Whether every name space has such an object: it is compared where both sites have it, and never missed.

    The default ServiceAccount may have been given pull secrets, without which nothing starts.
    """
    return (key.group, key.kind, key.name) == ("", "ServiceAccount", "default")


def _config_map(_manifest: dict[str, Json], key: ObjectKey) -> str:
    if key.name in ("kube-root-ca.crt", "openshift-service-ca.crt"):
        return "the cluster's own authority (2.5)"
    return "a release of Helm (2.5)" if key.name.startswith("sh.helm.release.v1.") else ""


def _secret(manifest: dict[str, Json], key: ObjectKey) -> str:
    kind = reading.text(manifest, "type")
    if kind == "helm.sh/release.v1" or key.name.startswith("sh.helm.release.v1."):
        return "a release of Helm (2.5)"
    if kind == "bootstrap.kubernetes.io/token":
        return "a token by which nodes join (2.5)"
    generated = kind in ("kubernetes.io/service-account-token", "kubernetes.io/dockercfg")
    return "a token that the cluster made (X07)" if generated and _GENERATED_TOKEN.fullmatch(key.name) else ""


def _service(_manifest: dict[str, Json], key: ObjectKey) -> str:
    return "the API server itself (2.5)" if (key.namespace, key.name) == ("default", "kubernetes") else ""


def _namespace(_manifest: dict[str, Json], key: ObjectKey) -> str:
    return "a name space of the cluster's own (2.5)" if key.name == "default" or is_own_namespace(key.name) else ""


def _volume(manifest: dict[str, Json], _key: ObjectKey) -> str:
    provisioned = "pv.kubernetes.io/provisioned-by" in reading.mapping(manifest, "metadata", "annotations")
    return "provisioned for a claim, which is compared (X09)" if provisioned else ""


def _priority(_manifest: dict[str, Json], key: ObjectKey) -> str:
    return "built in (2.5)" if key.name in ("system-cluster-critical", "system-node-critical") else ""


def _api_service(manifest: dict[str, Json], _key: ObjectKey) -> str:
    managed = "kube-aggregator.kubernetes.io/automanaged" in reading.mapping(manifest, "metadata", "labels")
    return "registered by the API server itself (2.5)" if managed else ""


def _service_cidr(_manifest: dict[str, Json], key: ObjectKey) -> str:
    return "the cluster's own addresses (2.5)" if key.name == "kubernetes" else ""


def _bootstrapped(manifest: dict[str, Json]) -> str:
    labels = reading.mapping(manifest, "metadata", "labels")
    annotations = reading.mapping(manifest, "metadata", "annotations")
    own = _BOOTSTRAP in labels or any(annotations.get(name) == "true" for name in _AUTOUPDATED)
    return "kept up to date by the API server itself (2.5)" if own else ""


_SPECIAL: dict[tuple[str, str], Callable[[dict[str, Json], ObjectKey], str]] = {
    ("", "ConfigMap"): _config_map,
    ("", "Namespace"): _namespace,
    ("", "PersistentVolume"): _volume,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("networking.k8s.io", "ServiceCIDR"): _service_cidr,
    ("scheduling.k8s.io", "PriorityClass"): _priority,
}
