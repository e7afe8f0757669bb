"""Whether what is there works, by the status that controllers write. Pure.

The rules are those of Argo CD (``gitops-engine/pkg/health``); where it has none for a kind, those of Flux
(``kstatus``) for conditions that any kind may have. A CronJob that is suspended is healthy at a standby and said
where the truth is; so few replicas as git or the floor want are healthy anywhere. A directory or a backup runs
nothing: ask only of what runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lockstep.manifests import edit, scope
from lockstep.manifests.scope import GroupKind
from lockstep.topology import objects
from lockstep.values import Health, Json, ObjectKey

_MOST_CAUSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """How something is, and why, in a few words; ``why`` is "" where there is nothing to say."""

    health: Health
    why: str = ""


_HEALTHY = Assessment(health=Health.HEALTHY)


def assess(live: Mapping[str, Json], *, standby: bool = False) -> Assessment | None:
    """How one live object is; None for a kind that has no health, such as a ConfigMap.

    Args:
        live: The object as its server has it.
        standby: Whether it is at a site that follows: there a CronJob that is suspended is as it should be.
    """
    if edit.at(live, ("metadata", "deletionTimestamp")):
        return _progressing("is being deleted")
    kind = scope.group_kind(live)
    rule = _RULES.get(kind)
    if rule is None:
        return None if objects.BUILT_IN.get(kind[1]) == kind[0] else _by_conditions(live)
    found = rule(live)
    if standby and kind == ("batch", "CronJob") and found.health is Health.SUSPENDED:
        return Assessment(health=Health.HEALTHY, why=found.why)
    return found


def assess_all(live: Iterable[Mapping[str, Json]], wanted: Iterable[ObjectKey], *, standby: bool = False) -> Assessment:
    """How an application is: the worst of its objects, and up to three that make it so.

    What is missing does not make it worse, for that is a difference and said as one; nothing at all being there
    does.
    """
    keys = set(wanted)
    found = {ObjectKey.of(dict(one)): assess(one, standby=standby) for one in live}
    there = {key: one for key, one in found.items() if key in keys}
    if keys and not there:
        return Assessment(health=Health.MISSING, why="nothing of it is there")
    assessed = {key: one for key, one in there.items() if one is not None}
    worst = min((one.health for one in assessed.values()), key=list(Health).index, default=Health.HEALTHY)
    causes = sorted(f"{key} {one.why}" for key, one in assessed.items() if one.health is worst and one.why)
    more = [f"and {len(causes) - _MOST_CAUSES} more"] if len(causes) > _MOST_CAUSES else []
    why = "" if worst is Health.HEALTHY else ", ".join([*causes[:_MOST_CAUSES], *more])
    return Assessment(health=worst, why=why)


def _progressing(why: str) -> Assessment:
    return Assessment(health=Health.PROGRESSING, why=why)


def _degraded(why: str) -> Assessment:
    return Assessment(health=Health.DEGRADED, why=why)


def _suspended(why: str) -> Assessment:
    return Assessment(health=Health.SUSPENDED, why=why)


def _number(live: Mapping[str, Json], *place: str, default: int = 0) -> int:
    value = edit.at(live, place)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _text(live: Mapping[str, Json], *place: str) -> str:
    value = edit.at(live, place)
    return value if isinstance(value, str) else ""


def _condition(live: Mapping[str, Json], name: str) -> dict[str, Json]:
    """A condition of its status; empty when it has none of this type."""
    listed = edit.at(live, ("status", "conditions"))
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("type") == name:
            return one
    return {}


def _told(condition: Mapping[str, Json]) -> str:
    return str(condition.get("message") or condition.get("reason") or "says nothing about why")


def _stale(live: Mapping[str, Json]) -> bool:
    """Whether its controller has not yet seen what it is now."""
    return _number(live, "status", "observedGeneration") < _number(live, "metadata", "generation")


def _deployment(live: Mapping[str, Json]) -> Assessment:
    if edit.at(live, ("spec", "paused")) is True:
        return _suspended("is paused")
    if _stale(live):
        return _progressing("waits for its controller")
    condition = _condition(live, "Progressing")
    if condition.get("reason") == "ProgressDeadlineExceeded":
        return _degraded("made no progress within its deadline")
    return _rollout(live)


def _rollout(live: Mapping[str, Json]) -> Assessment:
    wanted = _number(live, "spec", "replicas", default=1)
    updated, available = (_number(live, "status", name) for name in ("updatedReplicas", "availableReplicas"))
    if updated < wanted:
        return _progressing(f"has {updated} of {wanted} replicas updated")
    if _number(live, "status", "replicas") > updated:
        return _progressing("has replicas of the version before")
    if available < updated:
        return _progressing(f"has {available} of {updated} replicas available")
    return _HEALTHY


def _stateful_set(live: Mapping[str, Json]) -> Assessment:
    if _number(live, "status", "observedGeneration") == 0 or _stale(live):
        return _progressing("waits for its controller")
    wanted, ready = _number(live, "spec", "replicas", default=1), _number(live, "status", "readyReplicas")
    if ready < wanted:
        return _progressing(f"has {ready} of {wanted} replicas ready")
    if _text(live, "spec", "updateStrategy", "type") == "OnDelete":
        return _HEALTHY
    partition = _number(live, "spec", "updateStrategy", "rollingUpdate", "partition")
    if not partition and _text(live, "status", "updateRevision") != _text(live, "status", "currentRevision"):
        return _progressing("is being updated")
    updated = _number(live, "status", "updatedReplicas")
    if partition and updated < wanted - partition:
        return _progressing(f"has {updated} of {wanted - partition} replicas updated")
    return _HEALTHY


def _daemon_set(live: Mapping[str, Json]) -> Assessment:
    if _stale(live):
        return _progressing("waits for its controller")
    if _text(live, "spec", "updateStrategy", "type") == "OnDelete":
        return _HEALTHY
    wanted = _number(live, "status", "desiredNumberScheduled")
    for name, what in (("updatedNumberScheduled", "updated"), ("numberAvailable", "available")):
        count = _number(live, "status", name)
        if count < wanted:
            return _progressing(f"has {count} of {wanted} Pods {what}")
    return _HEALTHY


def _replica_set(live: Mapping[str, Json]) -> Assessment:
    if _stale(live):
        return _progressing("waits for its controller")
    failure = _condition(live, "ReplicaFailure")
    if failure.get("status") == "True":
        return _degraded(_told(failure))
    wanted, available = _number(live, "spec", "replicas", default=1), _number(live, "status", "availableReplicas")
    return _HEALTHY if available >= wanted else _progressing(f"has {available} of {wanted} replicas available")


def _pod(live: Mapping[str, Json]) -> Assessment:
    always = _text(live, "spec", "restartPolicy") in ("", "Always")
    listed = edit.at(live, ("status", "containerStatuses"))
    containers = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    for container in containers if always else []:
        reason = _text(container, "state", "waiting", "reason")
        if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            return _degraded(f"cannot start {container.get('name')}: {reason}")
    phase = _text(live, "status", "phase")
    if phase in ("Succeeded", "Failed"):
        return _HEALTHY if phase == "Succeeded" else _degraded(_text(live, "status", "message") or "failed")
    if phase != "Running" or not always:
        return _progressing("has not started" if phase != "Running" else "is running")
    if _condition(live, "Ready").get("status") == "True":
        return _HEALTHY
    if any(edit.at(container, ("lastState", "terminated")) for container in containers):
        return _degraded("is not ready, and was restarted")
    return _progressing("is not ready")


def _job(live: Mapping[str, Json]) -> Assessment:
    failed = _condition(live, "Failed")
    if failed.get("status") == "True":
        return _degraded(_told(failed))
    if _condition(live, "Suspended").get("status") == "True":
        return _suspended("is suspended")
    return _HEALTHY if _condition(live, "Complete").get("status") == "True" else _progressing("is running")


def _cron_job(live: Mapping[str, Json]) -> Assessment:
    if edit.at(live, ("spec", "suspend")) is True:
        return _suspended("is suspended")
    scheduled = _text(live, "status", "lastScheduleTime")
    # RFC 3339 in UTC: times compare as texts.
    if (
        scheduled
        and not edit.at(live, ("status", "active"))
        and _text(live, "status", "lastSuccessfulTime") < scheduled
    ):
        return _degraded("did not succeed the last time")
    return _HEALTHY


def _service(live: Mapping[str, Json]) -> Assessment:
    if _text(live, "spec", "type") == "LoadBalancer" and not edit.at(live, ("status", "loadBalancer", "ingress")):
        return _progressing("has no load balancer yet")
    return _HEALTHY


def _ingress(live: Mapping[str, Json]) -> Assessment:
    served = edit.at(live, ("status", "loadBalancer", "ingress"))
    return _HEALTHY if served else _progressing("is served by no load balancer yet")


def _claim(live: Mapping[str, Json]) -> Assessment:
    phase = _text(live, "status", "phase")
    known = {"Bound": _HEALTHY, "Pending": _progressing("has no volume yet"), "Lost": _degraded("has lost its volume")}
    return known.get(phase, Assessment(health=Health.UNKNOWN, why=f"is in the phase {phase or 'none'}"))


def _scaler(live: Mapping[str, Json]) -> Assessment:
    for name, reasons in (
        ("AbleToScale", ("FailedGetScale", "FailedUpdateScale")),
        ("ScalingActive", ("FailedComputeMetricsReplicas", "InvalidSelector")),
    ):
        condition = _condition(live, name)
        reason = str(condition.get("reason") or "")
        metric = reason.startswith("FailedGet") and reason.endswith("Metric")
        if condition.get("status") == "False" and (reason in reasons or metric):
            return _degraded(_told(condition))
    able = any(_condition(live, name).get("status") == "True" for name in ("AbleToScale", "ScalingLimited"))
    return _HEALTHY if able else _progressing("waits for its controller")


def _definition(live: Mapping[str, Json]) -> Assessment:
    if _condition(live, "Terminating").get("status") == "True":
        return _progressing("is being deleted")
    for name, bad in (("NamesAccepted", "False"), ("NonStructuralSchema", "True")):
        if _condition(live, name).get("status") == bad:
            return _degraded(_told(_condition(live, name)))
    established = _condition(live, "Established").get("status")
    return _HEALTHY if established == "True" else _progressing("is not established yet")


def _budget(live: Mapping[str, Json]) -> Assessment:
    condition = _condition(live, "DisruptionAllowed")
    if condition.get("status") == "False" and condition.get("reason") != "InsufficientPods":
        return _degraded(_told(condition))
    return _HEALTHY


def _api_service(live: Mapping[str, Json]) -> Assessment:
    condition = _condition(live, "Available")
    return _HEALTHY if condition.get("status") == "True" else _progressing(_told(condition))


def _by_conditions(live: Mapping[str, Json]) -> Assessment | None:
    """A custom resource, by the conditions that most of them have (kstatus)."""
    if edit.at(live, ("status", "observedGeneration")) is not None and _stale(live):
        return _progressing("waits for its controller")
    reconciling, stalled, ready = (_condition(live, name) for name in ("Reconciling", "Stalled", "Ready"))
    if reconciling.get("status") == "True":
        return _progressing(_told(reconciling))
    if stalled.get("status") == "True":
        return _degraded(_told(stalled))
    if ready:
        return _HEALTHY if ready.get("status") == "True" else _progressing(_told(ready))
    return None


_RULES: Mapping[GroupKind, Callable[[Mapping[str, Json]], Assessment]] = {
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): _scaler,
    ("batch", "CronJob"): _cron_job,
    ("batch", "Job"): _job,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("policy", "PodDisruptionBudget"): _budget,
}
