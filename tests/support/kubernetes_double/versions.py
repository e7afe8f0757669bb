"""Objects that two versions show, each in its own words: events, autoscalers, and whatever a CRD has in versions."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.kubernetes_double import defaulting, forms
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.types import Object

# A field of core/v1 and the same field of events.k8s.io/v1.
_EVENT = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}


def shown(stored: Object, resource: Resource) -> Object:
    """A stored object in the version that it is asked for."""
    if stored["apiVersion"] == resource.api_version:
        return stored
    if resource.kind == "Event":
        names = _EVENT if resource.group else {new: old for old, new in _EVENT.items()}
        return _native(_renamed(stored, names), resource)
    if resource.kind == "HorizontalPodAutoscaler":
        return _native(_autoscaler(stored, resource.version), resource)
    return stored | {"apiVersion": resource.api_version}


def _native(given: Object, resource: Resource) -> Object:
    made = defaulting.filled(forms.normal(given, resource.type), resource.group, resource.kind)
    return forms.normal(made, resource.type) | {"kind": resource.kind, "apiVersion": resource.api_version}


def _renamed(given: Object, names: Mapping[str, str]) -> Object:
    return {names.get(name, name): one for name, one in given.items()}


def _autoscaler(given: Object, version: str) -> Object:
    """The target for the processors is a field of v1, and one of many metrics of v2."""
    spec = dict(given["spec"])
    if version == "v1":
        for metric in spec.pop("metrics", None) or ():
            resource = metric.get("resource") or {}
            if resource.get("name") == "cpu":
                spec["targetCPUUtilizationPercentage"] = resource["target"].get("averageUtilization")
        return given | {"spec": spec}
    percentage = spec.pop("targetCPUUtilizationPercentage", None)
    if percentage is not None:
        target = {"type": "Utilization", "averageUtilization": percentage}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return given | {"spec": spec}
