"""Kubernetes objects as the configuration names them: ``Kind``, ``Kind/name``, ``Kind.group/name``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from lockstep.topology import suggest
from lockstep.topology.forms import FieldError, Form

# Kinds of Kubernetes that have a scale subresource: a floor for any other built-in kind is a mistake.
SCALABLE = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})

# Every kind that a Kubernetes 1.36 API server serves by itself (its discovery), by group.
_BUILT_IN_BY_GROUP = {
    "": "Binding ComponentStatus ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume "
    "PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount",
    "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
    "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
    "ValidatingWebhookConfiguration",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "certificates.k8s.io": "CertificateSigningRequest",
    "coordination.k8s.io": "Lease",
    "discovery.k8s.io": "EndpointSlice",
    "events.k8s.io": "Event",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io": "IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "resource.k8s.io": "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass",
}
BUILT_IN = {kind: group for group, kinds in reversed(_BUILT_IN_BY_GROUP.items()) for kind in kinds.split()}
"""The built-in kinds, each with its group (Event with the core one)."""

_KIND = r"[A-Z][A-Za-z0-9]*"
_GROUP = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
# Names of objects are path segments of a URL at their widest (RBAC): no slash, no percent sign, no space.
_NAME = r"[^/%\s]+"
FORM = Form(
    rf"(?:\*|{_KIND})(?:\.{_GROUP})?(?:/{_NAME})?",
    "does not name objects.",
    "Write Kind, Kind/name or Kind.group/name, such as Secret/* or Ingress/shop.",
)
# A kind, a group and a name, each of at most 253 characters.
_LONGEST = 3 * 253 + 2
_PATTERN = re.compile(rf"(?P<kind>\*|{_KIND})(?:\.(?P<group>{_GROUP}))?(?:/(?P<name>{_NAME}))?")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ObjectPattern:
    """Some objects: ``kind`` may be ``*``, ``group`` is None for any, ``name`` may hold ``*`` and ``?``."""

    kind: str
    group: str | None
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``Kind[.group][/name]``.

        Raises:
            FieldError: The text is none.
        """
        match = _PATTERN.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            raise FieldError(FORM.message, FORM.remedy)
        if match["kind"] == "*" and match["group"]:
            raise FieldError("names a group without a kind.", "Write Kind.group, or * for every kind.")
        return cls(kind=match["kind"], group=match["group"], name=match["name"] or "*")

    def selects(self, *, group: str, kind: str, name: str) -> bool:
        """Whether an object is one of these."""
        return (
            self.kind in ("*", kind)
            and self.group in (None, group)
            # Names of Kubernetes hold no brackets: only * and ? are wild.
            and fnmatchcase(name, self.name.replace("[", "[[]"))
        )

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return kind if self.name == "*" else f"{kind}/{self.name}"


def check_pattern(text: str) -> str:
    """The text itself, when it names objects. Raises FieldError."""
    ObjectPattern.parse(text)
    return text


def check_named(text: str) -> str:
    """The text itself, when it names one object as ``Kind[.group]/name``. Raises FieldError."""
    pattern = ObjectPattern.parse(text)
    if pattern.kind == "*" or any(wild in pattern.name for wild in "*?"):
        raise FieldError("must name one object.", "Write Kind/name, such as PersistentVolumeClaim/data.")
    return text


def check_floor(text: str) -> str:
    """The text itself, when a floor can be given for it: ``default``, or a kind that can scale. Raises FieldError."""
    if text == "default":
        return text
    try:
        pattern = ObjectPattern.parse(text)
    except FieldError:
        kind = text.partition("/")[0]
        raise FieldError("is no kind.", suggest.remedy(kind, {"default", *SCALABLE}, listed="Write one of")) from None
    built_in = pattern.group in (None, BUILT_IN.get(pattern.kind))
    if built_in and pattern.kind in SCALABLE:
        return text
    if built_in and pattern.kind in BUILT_IN:
        scalable = ", ".join(sorted(SCALABLE))
        raise FieldError(f"{pattern.kind} cannot scale, so it has no floor.", f"Give floors for {scalable}.")
    if pattern.kind == "*":
        raise FieldError("is no kind.", "Write default for every kind that can scale.")
    if pattern.group is None:
        raise FieldError(
            f"{pattern.kind} is no kind of Kubernetes itself.",
            suggest.remedy(pattern.kind, SCALABLE, otherwise="")
            + f" A custom kind is written with its group, such as {pattern.kind}.example.com.",
        )
    return text
