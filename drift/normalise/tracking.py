"""What deployers and controllers write on an object to know it again: theirs, not the application's.

Only the keys named here are taken out. Dropping everything that looks like Kubernetes' own (X03) would hide
ingress settings, pod security levels and ``app.kubernetes.io/version``.
"""

from __future__ import annotations

from drift.normalise import reading
from drift.normalise.target import Target

# X17, F10, N05, R05: which tool put the object there.
_DEPLOYERS = (
    "argocd.argoproj.io/",
    "cli-utils.sigs.k8s.io/",
    "config.k8s.io/owning-inventory",
    "fleet.cattle.io/",
    "helm.toolkit.fluxcd.io/",
    "kapp.k14s.io/",
    "kustomize.toolkit.fluxcd.io/",
    "lockstep.dev/",
    "meta.helm.sh/",
    "objectset.rio.cattle.io/",
    "projectsveltos.io/",
    # A restored object says which backup it came from.
    "velero.io/",
)
# X13: what platforms write on name spaces and objects, different in each cluster.
_PLATFORMS = (
    "field.cattle.io/",
    "lifecycle.cattle.io/",
    "cattle.io/status",
    "nmstate.io/",
    "olm.",
    "openshift.io/sa.scc.",
    "operators.coreos.com/",
    "sriovnetwork.openshift.io/",
)
# X04, X09, N33: what controllers note for themselves.
_CONTROLLERS = (
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "batch.kubernetes.io/job-tracking",
    "cluster-autoscaler.kubernetes.io/last-updated",
    "control-plane.alpha.kubernetes.io/leader",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "metallb.universe.tf/ip-allocated-from-pool",
    "metallb.io/ip-allocated-from-pool",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "pv.kubernetes.io/provisioned-by",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/provisioner-deletion-secret-",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-resizer",
)
# KEP-3659: which ApplySet a deploy put the object in; deploys stamp it on what git says, git itself may not.
_SETS = "applyset.kubernetes.io/"
NOISE = _DEPLOYERS + _PLATFORMS + _CONTROLLERS
"""Beginnings of the keys of marks."""
# X17: Argo CD marks what it manages with Helm's own label; Helm adds the second one when it adopts.
_INSTANCE = "app.kubernetes.io/instance"
_MANAGED_BY = "app.kubernetes.io/managed-by"
# When somebody ran `kubectl rollout restart`: an action and its time, nothing that a start needs.
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_TEMPLATES = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"))


def sets(target: Target) -> None:
    """X17: membership of an ApplySet, ours and kubectl's: written by the deploy, so no side's opinion."""
    for part in ("annotations", "labels"):
        found = reading.mapping(target.manifest, "metadata", part)
        if found and any(key.startswith(_SETS) for key in found):
            kept = {key: value for key, value in found.items() if not key.startswith(_SETS)}
            target.put(kept or None, "metadata", part)


def marks(target: Target) -> None:
    """X04, X09, X13, X17, N05, N06, N33, F10: annotations and labels of deployers, platforms and controllers."""
    for part in ("annotations", "labels"):
        found = reading.mapping(target.manifest, "metadata", part)
        if found and any(map(_is_noise, found)):
            target.drop_keys("metadata", part, noise=_is_noise)


def adopted(target: Target) -> None:
    """X17: the labels by which Argo CD and Helm claim an object, where git does not set them itself."""
    labels = reading.mapping(target.manifest, "metadata", "labels")
    if _INSTANCE in labels:
        target.drop("metadata", "labels", _INSTANCE)
    if labels.get(_MANAGED_BY) == "Helm":
        target.drop("metadata", "labels", _MANAGED_BY)


def restarts(target: Target) -> None:
    """L01: the time of the last ``kubectl rollout restart``."""
    for path in _TEMPLATES:
        if _RESTARTED in reading.mapping(target.manifest, *path, "metadata", "annotations"):
            target.drop_keys(*path, "metadata", "annotations", noise=_RESTARTED.__eq__)


def controller_metadata(target: Target) -> None:
    """X01: owners, finalizers and generated names belong to controllers, unless git sets them."""
    metadata = reading.mapping(target.manifest, "metadata")
    for name in ("finalizers", "ownerReferences", "generateName"):
        if name in metadata:
            target.drop("metadata", name)


def _is_noise(key: str) -> bool:
    return key.startswith(NOISE)
