"""Which rule speaks of which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lockstep.manifests import edit, scope
from lockstep.manifests.health import running, serving, status
from lockstep.manifests.scope import GroupKind
from lockstep.topology import objects
from lockstep.values import Health, Json

_CRON_JOB = ("batch", "CronJob")
_RULES: Mapping[GroupKind, Callable[[Mapping[str, Json]], status.Assessment]] = {
    ("", "PersistentVolumeClaim"): serving.claim,
    ("", "Pod"): running.pod,
    ("", "Service"): serving.service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): serving.definition,
    ("apiregistration.k8s.io", "APIService"): serving.api_service,
    ("apps", "DaemonSet"): running.daemon_set,
    ("apps", "Deployment"): running.deployment,
    ("apps", "ReplicaSet"): running.replica_set,
    ("apps", "StatefulSet"): running.stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): serving.scaler,
    _CRON_JOB: running.cron_job,
    ("batch", "Job"): running.job,
    ("networking.k8s.io", "Ingress"): serving.ingress,
    ("policy", "PodDisruptionBudget"): serving.budget,
}


def assess(live: Mapping[str, Json], *, standby: bool = False) -> status.Assessment | None:
    """How one live object is; None for one that has no health, such as a ConfigMap.

    Args:
        live: The object as its server has it.
        standby: Whether it is at a site that follows: there a CronJob that is suspended is as it should be.
    """
    if edit.at(live, ("metadata", "deletionTimestamp")):
        return status.progressing("is being deleted")
    kind = scope.group_kind(live)
    rule = _RULES.get(kind)
    if rule is None:
        return serving.by_conditions(live) if has_health(*kind) else None
    found = rule(live)
    if standby and kind == _CRON_JOB and found.health is Health.SUSPENDED:
        return status.Assessment(health=Health.HEALTHY, why=found.why)
    return found


def has_health(group: str, kind: str) -> bool:
    """Whether objects of a kind may have a health: those with a rule, and every custom resource."""
    return (group, kind) in _RULES or objects.BUILT_IN.get(kind) != group
