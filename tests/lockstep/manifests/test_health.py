"""Whether what is there works."""

from __future__ import annotations

import pytest

from lockstep.manifests import health
from lockstep.values import Health, Json

_VERSIONS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Ingress": "networking.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "APIService": "apiregistration.k8s.io/v1",
    "Widget": "acme.dev/v1",
}


def _live(kind: str, spec: Json = None, status: Json = None, **metadata: Json) -> dict[str, Json]:
    return {
        "apiVersion": _VERSIONS.get(kind, "v1"),
        "kind": kind,
        "metadata": {"name": "x", "namespace": "pay", **metadata},
        "spec": spec if spec is not None else {},
        "status": status if status is not None else {},
    }


def _conditions(**conditions: str) -> dict[str, Json]:
    """Conditions by type, each ``status`` or ``status/reason``."""
    return {
        "conditions": [
            {"type": name, "status": told.partition("/")[0], "reason": told.partition("/")[2]}
            for name, told in conditions.items()
        ]
    }


ROLLED_OUT = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "readyReplicas": 3}
WAITING = {
    "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
    "phase": "Pending",
}
CRASHING = {
    "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
    "phase": "Running",
}
KILLED = {"name": "c", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
RESTARTED = {"containerStatuses": [{"name": "c", "lastState": {"terminated": {"exitCode": 1}}}], "phase": "Running"}
SCHEDULED = {"lastScheduleTime": "2026-11-01T03:00:00Z", "lastSuccessfulTime": "2026-11-01T02:00:00Z"}


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        (_live("Deployment", {"replicas": 3}, ROLLED_OUT, generation=2), Health.HEALTHY),
        (_live("Deployment", {"replicas": 3}, ROLLED_OUT, generation=3), Health.PROGRESSING),
        (_live("Deployment", {"replicas": 3, "paused": True}, ROLLED_OUT), Health.SUSPENDED),
        (_live("Deployment", {"replicas": 4}, ROLLED_OUT), Health.PROGRESSING),
        (_live("Deployment", {"replicas": 3}, {**ROLLED_OUT, "replicas": 4}), Health.PROGRESSING),
        (_live("Deployment", {"replicas": 3}, {**ROLLED_OUT, "availableReplicas": 2}), Health.PROGRESSING),
        (_live("Deployment", {}, _conditions(Progressing="False/ProgressDeadlineExceeded")), Health.DEGRADED),
        (_live("Deployment", {"replicas": 0}, {}), Health.HEALTHY),
        (_live("Deployment"), Health.PROGRESSING),
        (_live("StatefulSet", {"replicas": 3}, ROLLED_OUT, generation=2), Health.HEALTHY),
        (_live("StatefulSet", {"replicas": 3}, {}), Health.PROGRESSING),
        (_live("StatefulSet", {"replicas": 4}, ROLLED_OUT), Health.PROGRESSING),
        (_live("StatefulSet", {"replicas": 3}, {**ROLLED_OUT, "updateRevision": "b"}), Health.PROGRESSING),
        (
            _live(
                "StatefulSet",
                {"replicas": 3, "updateStrategy": {"type": "OnDelete"}},
                {**ROLLED_OUT, "updateRevision": "b"},
            ),
            Health.HEALTHY,
        ),
        (
            _live(
                "StatefulSet",
                {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
                {**ROLLED_OUT, "updatedReplicas": 1, "updateRevision": "b"},
            ),
            Health.HEALTHY,
        ),
        (
            _live(
                "StatefulSet",
                {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
                {**ROLLED_OUT, "updatedReplicas": 1},
            ),
            Health.PROGRESSING,
        ),
        (
            _live("DaemonSet", {}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}),
            Health.HEALTHY,
        ),
        (_live("DaemonSet", {}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2}), Health.PROGRESSING),
        (_live("ReplicaSet", {"replicas": 1}, {"availableReplicas": 1}), Health.HEALTHY),
        (_live("ReplicaSet", {"replicas": 1}, {}), Health.PROGRESSING),
        (_live("ReplicaSet", {"replicas": 1}, _conditions(ReplicaFailure="True/FailedCreate")), Health.DEGRADED),
        (_live("Pod", {}, WAITING), Health.DEGRADED),
        (_live("Pod", {"restartPolicy": "Never"}, WAITING), Health.DEGRADED),
        (_live("Pod", {"restartPolicy": "OnFailure"}, CRASHING), Health.PROGRESSING),
        (_live("Pod", {}, CRASHING), Health.DEGRADED),
        (_live("Pod", {}, {"initContainerStatuses": WAITING["containerStatuses"]}), Health.DEGRADED),
        (_live("Pod", {}, _conditions(PodScheduled="False/Unschedulable")), Health.PROGRESSING),
        (_live("Pod", {}, {"phase": "Failed", "containerStatuses": [KILLED]}), Health.DEGRADED),
        (_live("Pod", {}, {"phase": "Pending"}), Health.PROGRESSING),
        (_live("Pod", {}, {"phase": "Succeeded"}), Health.HEALTHY),
        (_live("Pod", {}, {"phase": "Failed"}), Health.DEGRADED),
        (_live("Pod", {}, {"phase": "Running", **_conditions(Ready="True")}), Health.HEALTHY),
        (_live("Pod", {}, {"phase": "Running"}), Health.PROGRESSING),
        (_live("Pod", {}, RESTARTED), Health.DEGRADED),
        (_live("Pod", {"restartPolicy": "OnFailure"}, {"phase": "Running"}), Health.PROGRESSING),
        (_live("Job"), Health.PROGRESSING),
        (_live("Job", {}, _conditions(Failed="True/BackoffLimitExceeded")), Health.DEGRADED),
        (_live("Job", {}, _conditions(Suspended="True")), Health.SUSPENDED),
        (_live("Job", {}, _conditions(Complete="True")), Health.HEALTHY),
        (_live("CronJob", {"suspend": True}), Health.SUSPENDED),
        (_live("CronJob"), Health.HEALTHY),
        (_live("CronJob", {}, SCHEDULED), Health.DEGRADED),
        (_live("CronJob", {}, {**SCHEDULED, "active": [{}]}), Health.HEALTHY),
        (_live("CronJob", {}, {**SCHEDULED, "lastSuccessfulTime": "2026-11-01T03:00:07Z"}), Health.HEALTHY),
        (_live("Service", {"type": "ClusterIP"}), Health.HEALTHY),
        (_live("Service", {"type": "LoadBalancer"}), Health.PROGRESSING),
        (_live("Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "::1"}]}}), Health.HEALTHY),
        (_live("Ingress"), Health.PROGRESSING),
        (_live("Ingress", {}, {"loadBalancer": {"ingress": [{"ip": "::1"}]}}), Health.HEALTHY),
        (_live("PersistentVolumeClaim", {}, {"phase": "Bound"}), Health.HEALTHY),
        (_live("PersistentVolumeClaim", {}, {"phase": "Pending"}), Health.PROGRESSING),
        (_live("PersistentVolumeClaim", {}, {"phase": "Lost"}), Health.DEGRADED),
        (_live("PersistentVolumeClaim"), Health.UNKNOWN),
        (_live("HorizontalPodAutoscaler"), Health.PROGRESSING),
        (_live("HorizontalPodAutoscaler", {}, _conditions(AbleToScale="True")), Health.HEALTHY),
        (_live("HorizontalPodAutoscaler", {}, _conditions(AbleToScale="False/FailedGetScale")), Health.DEGRADED),
        (
            _live(
                "HorizontalPodAutoscaler",
                {},
                _conditions(AbleToScale="True", ScalingActive="False/FailedGetResourceMetric"),
            ),
            Health.DEGRADED,
        ),
        (
            _live(
                "HorizontalPodAutoscaler", {}, _conditions(AbleToScale="True", ScalingActive="False/ScalingDisabled")
            ),
            Health.HEALTHY,
        ),
        (_live("CustomResourceDefinition"), Health.PROGRESSING),
        (_live("CustomResourceDefinition", {}, _conditions(Established="True")), Health.HEALTHY),
        (_live("CustomResourceDefinition", {}, _conditions(NamesAccepted="False/MultipleNames")), Health.DEGRADED),
        (
            _live("CustomResourceDefinition", {}, _conditions(Established="True", Terminating="True")),
            Health.PROGRESSING,
        ),
        (_live("PodDisruptionBudget"), Health.HEALTHY),
        (_live("PodDisruptionBudget", {}, _conditions(DisruptionAllowed="False/SyncFailed")), Health.DEGRADED),
        (_live("PodDisruptionBudget", {}, _conditions(DisruptionAllowed="False/InsufficientPods")), Health.HEALTHY),
        (_live("APIService"), Health.PROGRESSING),
        (_live("APIService", {}, _conditions(Available="True")), Health.HEALTHY),
        (_live("Widget", {}, _conditions(Ready="True")), Health.HEALTHY),
        (_live("Widget", {}, _conditions(Ready="False/Reconciling")), Health.PROGRESSING),
        (_live("Widget", {}, _conditions(Ready="True", Stalled="True/BadSpec")), Health.DEGRADED),
        (_live("Widget", {}, _conditions(Ready="True", Reconciling="True")), Health.PROGRESSING),
        (_live("Widget", {}, {"observedGeneration": 1}, generation=2), Health.PROGRESSING),
        (_live("Widget"), None),
        (_live("ConfigMap"), None),
        (_live("ConfigMap", deletionTimestamp="2026-11-01T03:00:00Z"), Health.PROGRESSING),
        (_live("Pod", [], "nonsense"), Health.PROGRESSING),
        (_live("Deployment", {"replicas": "3"}, {"conditions": {"type": "Progressing"}}), Health.PROGRESSING),
    ],
)
def test_each_kind_has_its_rule(live: dict[str, Json], expected: Health | None) -> None:
    """As its controller writes it down; and why is said of everything that is not healthy."""
    found = health.assess(live)
    assert (found.health if found else None) is expected
    assert found is None or found.health is Health.HEALTHY or found.why


def test_what_a_standby_suspends_is_healthy_there() -> None:
    """A CronJob is suspended on purpose; a Deployment that is paused would not roll out at a fail-over either."""
    cron_job = health.assess(_live("CronJob", {"suspend": True}), standby=True)
    paused = health.assess(_live("Deployment", {"paused": True}), standby=True)
    assert cron_job is not None
    assert paused is not None
    assert (cron_job.health, paused.health) == (Health.HEALTHY, Health.SUSPENDED)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (WAITING, "cannot start c: ImagePullBackOff"),
        (CRASHING, "cannot start c: CrashLoopBackOff"),
        ({"phase": "Failed", "containerStatuses": [KILLED]}, "c ended with 137: OOMKilled"),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."},
            "The node was low on memory.",
        ),
        (
            {"phase": "Pending", **_conditions(PodScheduled="False/Unschedulable")},
            "is placed on no node: Unschedulable",
        ),
    ],
)
def test_what_keeps_a_pod_from_running_is_said(status: dict[str, Json], why: str) -> None:
    """In the words that people search for."""
    found = health.assess(_live("Pod", {}, status))
    assert found is not None
    assert found.why == why
