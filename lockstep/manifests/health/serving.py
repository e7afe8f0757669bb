"""What has no Pods of its own: services, claims, scalers, definitions, budgets, and custom resources."""

from __future__ import annotations

from collections.abc import Mapping

from lockstep.manifests import edit
from lockstep.manifests.health import status
from lockstep.values import Health, Json


def service(live: Mapping[str, Json]) -> status.Assessment:
    """A Service: whether it got the load balancer that it asked for."""
    if status.text(live, "spec", "type") == "LoadBalancer" and not edit.at(live, ("status", "loadBalancer", "ingress")):
        return status.progressing("has no load balancer yet")
    return status.HEALTHY


def ingress(live: Mapping[str, Json]) -> status.Assessment:
    """An Ingress: whether anything serves it."""
    served = edit.at(live, ("status", "loadBalancer", "ingress"))
    return status.HEALTHY if served else status.progressing("is served by no load balancer yet")


def claim(live: Mapping[str, Json]) -> status.Assessment:
    """A claim: whether it has its volume."""
    phase = status.text(live, "status", "phase")
    known = {
        "Bound": status.HEALTHY,
        "Pending": status.progressing("has no volume yet"),
        "Lost": status.degraded("has lost its volume"),
    }
    return known.get(phase, status.Assessment(health=Health.UNKNOWN, why=f"is in the phase {phase or 'none'}"))


def scaler(live: Mapping[str, Json]) -> status.Assessment:
    """An autoscaler: whether it can count and scale."""
    for name, reasons in (
        ("AbleToScale", ("FailedGetScale", "FailedUpdateScale")),
        ("ScalingActive", ("FailedComputeMetricsReplicas", "InvalidSelector")),
    ):
        condition = status.condition(live, name)
        reason = str(condition.get("reason") or "")
        metric = reason.startswith("FailedGet") and reason.endswith("Metric")
        if condition.get("status") == "False" and (reason in reasons or metric):
            return status.degraded(status.told(condition))
    able = any(status.condition(live, name).get("status") == "True" for name in ("AbleToScale", "ScalingLimited"))
    return status.HEALTHY if able else status.progressing("waits for its controller")


def definition(live: Mapping[str, Json]) -> status.Assessment:
    """A definition of a custom resource: whether it is served."""
    if status.condition(live, "Terminating").get("status") == "True":
        return status.progressing("is being deleted")
    for name, bad in (("NamesAccepted", "False"), ("NonStructuralSchema", "True")):
        if status.condition(live, name).get("status") == bad:
            return status.degraded(status.told(status.condition(live, name)))
    established = status.condition(live, "Established").get("status")
    return status.HEALTHY if established == "True" else status.progressing("is not established yet")


def budget(live: Mapping[str, Json]) -> status.Assessment:
    """A budget for disruptions: whether its controller can work it out."""
    condition = status.condition(live, "DisruptionAllowed")
    if condition.get("status") == "False" and condition.get("reason") != "InsufficientPods":
        return status.degraded(status.told(condition))
    return status.HEALTHY


def api_service(live: Mapping[str, Json]) -> status.Assessment:
    """An aggregated API: whether it answers."""
    condition = status.condition(live, "Available")
    return status.HEALTHY if condition.get("status") == "True" else status.progressing(status.told(condition))


def by_conditions(live: Mapping[str, Json]) -> status.Assessment | None:
    """A custom resource, by the conditions that most of them have (kstatus)."""
    if edit.at(live, ("status", "observedGeneration")) is not None and status.stale(live):
        return status.progressing("waits for its controller")
    reconciling, stalled, ready = (status.condition(live, name) for name in ("Reconciling", "Stalled", "Ready"))
    if reconciling.get("status") == "True":
        return status.progressing(status.told(reconciling))
    if stalled.get("status") == "True":
        return status.degraded(status.told(stalled))
    if ready:
        return status.HEALTHY if ready.get("status") == "True" else status.progressing(status.told(ready))
    return None
