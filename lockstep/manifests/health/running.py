"""What has Pods, and the Pods."""

from __future__ import annotations

from collections.abc import Mapping

from lockstep.manifests import edit
from lockstep.manifests.health import status
from lockstep.values import Json


def deployment(live: Mapping[str, Json]) -> status.Assessment:
    """A Deployment: whether its controller got all replicas up."""
    if edit.at(live, ("spec", "paused")) is True:
        return status.suspended("is paused")
    if status.stale(live):
        return status.progressing("waits for its controller")
    condition = status.condition(live, "Progressing")
    if condition.get("reason") == "ProgressDeadlineExceeded":
        return status.degraded("made no progress within its deadline")
    return _rollout(live)


def _rollout(live: Mapping[str, Json]) -> status.Assessment:
    wanted = status.number(live, "spec", "replicas", default=1)
    updated, available = (status.number(live, "status", name) for name in ("updatedReplicas", "availableReplicas"))
    if updated < wanted:
        return status.progressing(f"has {updated} of {wanted} replicas updated")
    if status.number(live, "status", "replicas") > updated:
        return status.progressing("has replicas of the version before")
    if available < updated:
        return status.progressing(f"has {available} of {updated} replicas available")
    return status.HEALTHY


def stateful_set(live: Mapping[str, Json]) -> status.Assessment:
    """A StatefulSet, also while a partition holds an update back."""
    if status.number(live, "status", "observedGeneration") == 0 or status.stale(live):
        return status.progressing("waits for its controller")
    wanted, ready = status.number(live, "spec", "replicas", default=1), status.number(live, "status", "readyReplicas")
    if ready < wanted:
        return status.progressing(f"has {ready} of {wanted} replicas ready")
    if status.text(live, "spec", "updateStrategy", "type") == "OnDelete":
        return status.HEALTHY
    partition = status.number(live, "spec", "updateStrategy", "rollingUpdate", "partition")
    if not partition and status.text(live, "status", "updateRevision") != status.text(
        live, "status", "currentRevision"
    ):
        return status.progressing("is being updated")
    updated = status.number(live, "status", "updatedReplicas")
    if partition and updated < wanted - partition:
        return status.progressing(f"has {updated} of {wanted - partition} replicas updated")
    return status.HEALTHY


def daemon_set(live: Mapping[str, Json]) -> status.Assessment:
    """A DaemonSet: whether every node that is to have a Pod has one that works."""
    if status.stale(live):
        return status.progressing("waits for its controller")
    if status.text(live, "spec", "updateStrategy", "type") == "OnDelete":
        return status.HEALTHY
    wanted = status.number(live, "status", "desiredNumberScheduled")
    for name, what in (("updatedNumberScheduled", "updated"), ("numberAvailable", "available")):
        count = status.number(live, "status", name)
        if count < wanted:
            return status.progressing(f"has {count} of {wanted} Pods {what}")
    return status.HEALTHY


def replica_set(live: Mapping[str, Json]) -> status.Assessment:
    """A ReplicaSet: a quota or a policy may refuse its Pods."""
    if status.stale(live):
        return status.progressing("waits for its controller")
    failure = status.condition(live, "ReplicaFailure")
    if failure.get("status") == "True":
        return status.degraded(status.told(failure))
    wanted, available = (
        status.number(live, "spec", "replicas", default=1),
        status.number(live, "status", "availableReplicas"),
    )
    return (
        status.HEALTHY if available >= wanted else status.progressing(f"has {available} of {wanted} replicas available")
    )


def pod(live: Mapping[str, Json]) -> status.Assessment:
    """A Pod: what keeps it from starting is what people look for first."""
    stuck = _stuck(live)
    if stuck:
        return status.degraded(stuck)
    phase = status.text(live, "status", "phase")
    if phase in ("Succeeded", "Failed"):
        return status.HEALTHY if phase == "Succeeded" else status.degraded(_failure(live))
    return _running_pod(live) if phase == "Running" else _waiting_pod(live)


def _waiting_pod(live: Mapping[str, Json]) -> status.Assessment:
    unplaced = status.condition(live, "PodScheduled")
    if unplaced.get("reason") == "Unschedulable":
        return status.progressing(f"is placed on no node: {status.told(unplaced)}")
    return status.progressing("has not started")


def _running_pod(live: Mapping[str, Json]) -> status.Assessment:
    if not _restarts_always(live):
        return status.progressing("is running")
    if status.condition(live, "Ready").get("status") == "True":
        return status.HEALTHY
    ended = [one for one in _containers(live) if edit.at(one, ("lastState", "terminated"))]
    if not ended:
        return status.progressing("is not ready")
    reason = status.text(ended[0], "lastState", "terminated", "reason")
    return status.degraded("is not ready, and was restarted" + (f": {reason}" if reason else ""))


def _restarts_always(live: Mapping[str, Json]) -> bool:
    return status.text(live, "spec", "restartPolicy") in ("", "Always")


def _containers(live: Mapping[str, Json]) -> list[dict[str, Json]]:
    lists = ("initContainerStatuses", "containerStatuses")
    return [one for listed in lists for one in status.mappings(live, "status", listed)]


def _stuck(live: Mapping[str, Json]) -> str:
    """Why a container cannot start, where it waits with an error; of a Job's only what no other try will mend."""
    for container in _containers(live):
        reason = status.text(container, "state", "waiting", "reason")
        failing = reason.startswith("Err") or reason.endswith(("Error", "BackOff")) or reason == "InvalidImageName"
        if failing and (_restarts_always(live) or reason != "CrashLoopBackOff"):
            return f"cannot start {container.get('name')}: {reason}"
    return ""


def _failure(live: Mapping[str, Json]) -> str:
    """Why a Pod failed: what it says itself, else how its first container ended."""
    said = status.text(live, "status", "message") or status.text(live, "status", "reason")
    if said:
        return said
    for container in _containers(live):
        code = status.number(container, "state", "terminated", "exitCode")
        if code:
            reason = status.text(container, "state", "terminated", "reason") or "failed"
            return f"{container.get('name')} ended with {code}: {reason}"
    return "failed"


def job(live: Mapping[str, Json]) -> status.Assessment:
    """A Job: it is well when it is over."""
    failed = status.condition(live, "Failed")
    if failed.get("status") == "True":
        return status.degraded(status.told(failed))
    if status.condition(live, "Suspended").get("status") == "True":
        return status.suspended("is suspended")
    return (
        status.HEALTHY
        if status.condition(live, "Complete").get("status") == "True"
        else status.progressing("is running")
    )


def cron_job(live: Mapping[str, Json]) -> status.Assessment:
    """A CronJob: whether it succeeded the last time."""
    if edit.at(live, ("spec", "suspend")) is True:
        return status.suspended("is suspended")
    scheduled = status.text(live, "status", "lastScheduleTime")
    # RFC 3339 in UTC: times compare as texts.
    if (
        scheduled
        and not edit.at(live, ("status", "active"))
        and status.text(live, "status", "lastSuccessfulTime") < scheduled
    ):
        return status.degraded("did not succeed the last time")
    return status.HEALTHY
