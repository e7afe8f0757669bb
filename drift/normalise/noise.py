"""Which rules take noise out of which kind, in the order in which they run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeAlias

from drift.normalise import allocated, server, tracking
from drift.normalise.target import Target

Strip: TypeAlias = Callable[[Target], None]

EVERY_KIND: tuple[Strip, ...] = (
    server.owned,
    tracking.sets,
    tracking.marks,
    tracking.adopted,
    tracking.controller_metadata,
)
"""Rules for every kind."""

_PODS: tuple[Strip, ...] = (server.template_timestamps, tracking.restarts)
BY_KIND: dict[tuple[str, str], tuple[Strip, ...]] = {
    ("", "Namespace"): (allocated.namespace,),
    ("", "PersistentVolume"): (allocated.volume,),
    ("", "PersistentVolumeClaim"): (allocated.volume_claim,),
    ("", "Pod"): (allocated.pod,),
    ("", "ReplicationController"): _PODS,
    ("", "Secret"): (allocated.token_secret,),
    ("", "Service"): (allocated.service,),
    ("", "ServiceAccount"): (allocated.service_account,),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): (allocated.ca_bundles,),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): (allocated.ca_bundles,),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (allocated.ca_bundles,),
    ("apiregistration.k8s.io", "APIService"): (allocated.ca_bundles,),
    ("apps", "DaemonSet"): _PODS,
    ("apps", "Deployment"): _PODS,
    ("apps", "ReplicaSet"): _PODS,
    ("apps", "StatefulSet"): (*_PODS, allocated.claim_templates),
    ("batch", "CronJob"): _PODS,
    ("batch", "Job"): (*_PODS, allocated.job),
    ("rbac.authorization.k8s.io", "ClusterRole"): (allocated.aggregated_role,),
}
"""Rules for one kind."""


@functools.lru_cache(maxsize=4096)
def rules_for(group: str, kind: str) -> tuple[Strip, ...]:
    """The rules for a kind, in the order in which they run."""
    return EVERY_KIND + BY_KIND.get((group, kind), ())
