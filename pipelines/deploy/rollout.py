"""Whether what a deploy put at a site runs, and whether that is worth waiting for.

What a deploy waits for are its workloads, definitions and API services, and custom resources that say how they
are. Addresses, volumes and scalers are compared and shown, and hold no deploy up: a cluster without a load
balancer would otherwise never have one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lockstep import errors
from lockstep.manifests import health, scope
from lockstep.sites import ends
from lockstep.topology import objects
from lockstep.values import Health, ObjectKey
from pipelines.deploy.plan import Request

_AWAITED = frozenset(
    {
        ("", "Pod"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "Job"),
    }
)
_WELL = (Health.HEALTHY, Health.SUSPENDED, Health.NOT_APPLICABLE)
# What these say is final: their controllers have given up. Others may recover while they are waited for.
_FINAL = frozenset({("apps", "Deployment"), ("batch", "Job")})


class Progress(Enum):
    """How far a rollout is."""

    OVER = "over"
    GOING = "going"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a rollout stands, and why it is not over."""

    progress: Progress
    why: str = ""


def awaited(request: Request) -> frozenset[ObjectKey]:
    """The objects that a deploy waits for."""
    kinds = {scope.group_kind(manifest) for manifest in request.objects}
    chosen = {kind for kind in kinds if kind in _AWAITED or objects.BUILT_IN.get(kind[1]) != kind[0]}
    return frozenset(ObjectKey.of(one) for one in request.objects if scope.group_kind(one) in chosen)


def look(cluster: ends.Cluster, request: Request, *, standby: bool) -> Rollout:
    """How the rollout of a deploy stands now; a site that does not answer has not ended it."""
    keys = awaited(request)
    if not keys or not cluster.runs:
        return Rollout(progress=Progress.OVER)
    selection = ends.Selection(
        namespaces=frozenset(key.namespace for key in keys if key.namespace),
        cluster_scoped=frozenset(key for key in keys if not key.namespace),
        kinds=frozenset((key.group, key.kind) for key in keys),
    )
    try:
        inventory = cluster.read(selection)
    except errors.LockstepError as error:
        return Rollout(progress=Progress.GOING, why=error.message)
    return judge(inventory, keys, standby=standby)


def judge(inventory: ends.Inventory, keys: frozenset[ObjectKey], *, standby: bool) -> Rollout:
    """How a rollout stands, by what was read: over when everything is well, failed when a controller gave up."""
    hidden = sorted(gap.why for gap in inventory.gaps if any(gap.hides(key) for key in keys))
    if hidden:
        return Rollout(progress=Progress.GOING, why=hidden[0])
    there = {ObjectKey.of(one): one for one in inventory.objects}
    gone = sorted(str(key) for key in keys - there.keys())
    if gone:
        return Rollout(progress=Progress.GOING, why=f"{gone[0]} is not there")
    found = {key: health.assess(there[key], standby=standby) for key in keys}
    waiting = {key: one for key, one in found.items() if one is not None and one.health not in _WELL}
    failed = sorted(
        f"{key} {one.why}"
        for key, one in waiting.items()
        if one.health is Health.DEGRADED and (key.group, key.kind) in _FINAL
    )
    if failed:
        return Rollout(progress=Progress.FAILED, why=failed[0])
    if waiting:
        first, *more = sorted(f"{key} {one.why}".strip() for key, one in waiting.items())
        return Rollout(progress=Progress.GOING, why=f"{first} and {len(more)} more" if more else first)
    return Rollout(progress=Progress.OVER)
