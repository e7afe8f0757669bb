"""In which order objects are applied: namespaces and definitions first, then by wave and kind, admission last.

The kinds are in the order of Argo CD (``gitops-engine``, ``sync_tasks.go``), with the classes that Pods need
and that it does not know (priority, runtime, devices) beside the storage classes, where Flux has them too.
Kinds that it does not know come after those that it knows. Objects of one stage do not need each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import TypeAlias

from lockstep import errors
from lockstep.manifests import edit, scope
from lockstep.topology import objects
from lockstep.values import Json, ObjectKey

WAVES = ("lockstep.dev/wave", "argocd.argoproj.io/sync-wave")
"""Annotations that give an object's wave, a whole number; the first that is there counts, 0 without."""

_KINDS = (
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "RuntimeClass",
    "PriorityClass",
    "DeviceClass",
    "StorageClass",
    "VolumeAttributesClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
)
# The group of today (PodSecurityPolicy has none any more), and the one in which many of them began.
_RANKS = {
    (group, kind): rank
    for rank, kind in enumerate(_KINDS)
    for group in (objects.BUILT_IN.get(kind, "policy"), "extensions")
}
_ADMISSION = frozenset(
    ("admissionregistration.k8s.io", kind)
    for kind in (
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    )
)

Stage: TypeAlias = tuple[int, float, int]
"""Phase, wave and rank of the kind: what is applied together. Stages compare in the order in which they come."""


class _Phase(IntEnum):
    NAMESPACES = 0
    DEFINITIONS = 1
    WAVES = 2


def stage(manifest: Mapping[str, Json]) -> Stage:
    """When an object's turn is.

    Namespaces and definitions come first whatever their wave: others cannot be without them. What admits or
    refuses other objects comes last of its wave, and without a wave last of all, so that it does not stand in
    the way of what it needs itself.

    Raises:
        InputError: Its wave is not a whole number.
    """
    kind = scope.group_kind(manifest)
    wave = _wave(manifest)
    if kind == ("", "Namespace"):
        return (_Phase.NAMESPACES, 0, 0)
    if kind == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        return (_Phase.DEFINITIONS, 0, 0)
    if kind in _ADMISSION:
        return (_Phase.WAVES, math.inf if wave is None else wave, len(_KINDS) + 1)
    return (_Phase.WAVES, wave or 0, _RANKS.get(kind, len(_KINDS)))


def position(manifest: Mapping[str, Json]) -> tuple[Stage, ObjectKey]:
    """The place of an object among all: by stage, then by its key. No two objects have the same.

    Raises:
        InputError: Its wave is not a whole number.
    """
    return stage(manifest), ObjectKey.of(dict(manifest))


def stages(given: Iterable[dict[str, Json]]) -> list[list[dict[str, Json]]]:
    """Objects by stage, in order; those of one stage may be applied at the same time.

    Raises:
        InputError: A wave is not a whole number.
    """
    grouped: dict[Stage, list[dict[str, Json]]] = {}
    for manifest in sorted(given, key=position):
        grouped.setdefault(stage(manifest), []).append(manifest)
    return list(grouped.values())


def _wave(manifest: Mapping[str, Json]) -> int | None:
    for name in WAVES:
        text = edit.at(manifest, ("metadata", "annotations", name))
        if text is not None:
            try:
                return int(str(text))
            except ValueError:
                raise errors.InputError(
                    f"{ObjectKey.of(dict(manifest))}: the annotation {name} is {text!r}.",
                    remedy="Write a whole number, such as -1 or 2.",
                ) from None
    return None
