"""What each kind does when it is written: what it starts with, what a writer cannot change, what counts as a change.

Nothing here is a rule that refuses; those are in ``validation``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.kubernetes_double import forms
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.paths import Fields
from tests.support.kubernetes_double.types import Object

# The kinds that count the changes of what is asked of them.
_COUNTING = {
    ("", "pods"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("resource.k8s.io", "deviceclasses"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("discovery.k8s.io", "endpointslices"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
}
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""The annotation in which a DaemonSet counts the changes of its template."""
_STARTS_WITH: Mapping[tuple[str, str], Object] = {
    ("", "namespaces"): {"phase": "Active"},
    ("", "pods"): {"phase": "Pending"},
    ("", "persistentvolumeclaims"): {"phase": "Pending"},
    ("", "persistentvolumes"): {"phase": "Pending"},
    ("", "services"): {"loadBalancer": {}},
}
# Written by the server itself; a writer who sends them is not heard.
_SERVERS_OWN = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"]


def counts(resource: Resource) -> bool:
    """Whether the kind has a ``generation``."""
    return resource.custom is not None or resource.bucket in _COUNTING


def reset(resource: Resource, subresource: str) -> Fields:
    """What this way of writing leaves as it was."""
    if subresource == "status":
        return frozenset({("f:spec",)} if resource.custom is None else {("f:spec",), ("f:metadata",)})
    return frozenset({("f:status",)}) if "status" in resource.subresources else frozenset()


def created(given: Object, resource: Resource) -> Object:
    """A new object as its kind starts."""
    made = {name: one for name, one in given.items() if name != "status" or "status" not in resource.subresources}
    if "status" in resource.subresources and resource.custom is None:
        blank = forms.zero(resource.type.fields["status"]) if "status" in resource.type.shown else None
        start = _STARTS_WITH.get(resource.bucket)
        if blank is not None or start:
            made["status"] = {**(blank or {}), **(start or {})}
    begin = _BEGINNINGS.get(resource.bucket)
    return begin(made) if begin else made


def _namespace(given: Object) -> Object:
    return given | {"spec": {"finalizers": ["kubernetes"]}}


def _pod(given: Object) -> Object:
    return given | {"status": given["status"] | {"qosClass": _quality(given["spec"])}}


def _definition(given: Object) -> Object:
    stored = [one["name"] for one in given["spec"]["versions"] if one["storage"]]
    names = {"plural": "", "kind": ""}
    return given | {"status": {"conditions": None, "acceptedNames": names, "storedVersions": stored}}


def _volume(given: Object) -> Object:
    started = {"lastPhaseTransitionTime": given["metadata"]["creationTimestamp"]}
    return given | {"status": given["status"] | started}


def _labelled(given: Object) -> Object:
    """An object that takes the labels of its template where it has none."""
    labels = (given["spec"].get("template", {}).get("metadata") or {}).get("labels")
    if given["metadata"].get("labels") or not labels:
        return given
    return given | {"metadata": given["metadata"] | {"labels": labels}}


def _quality(spec: Object) -> str:
    """The quality of service of a Pod, as Kubernetes' documentation has it in "Pod Quality of Service Classes"."""
    containers = [one.get("resources", {}) for one in spec.get("containers") or ()]
    if all(not one.get("requests") and not one.get("limits") for one in containers):
        return "BestEffort"
    full = all(
        one.get("limits", {}).get(name) and one["limits"][name] == one.get("requests", {}).get(name)
        for one in containers
        for name in ("cpu", "memory")
    )
    return "Guaranteed" if full else "Burstable"


def _job(given: Object) -> Object:
    return _labelled(_selected_job(given))


_BEGINNINGS: Mapping[tuple[str, str], Callable[[Object], Object]] = {
    ("", "namespaces"): _namespace,
    ("", "persistentvolumes"): _volume,
    ("", "pods"): _pod,
    ("", "replicationcontrollers"): _labelled,
    ("apiextensions.k8s.io", "customresourcedefinitions"): _definition,
    ("batch", "jobs"): _job,
}


def _selected_job(job: Object) -> Object:
    """A job whose Pods carry its uid, so that it finds them."""
    spec, uid = job["spec"], job["metadata"]["uid"]
    if spec.get("manualSelector"):
        return job
    template = spec["template"]
    metadata = template.get("metadata") or {}
    name = job["metadata"]["name"]
    ours = {"controller-uid": uid, "job-name": name}
    prefixed = {f"batch.kubernetes.io/{key}": one for key, one in ours.items()}
    labels = {**(metadata.get("labels") or {}), **prefixed, **ours}
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    changed = template | {"metadata": metadata | {"labels": labels}}
    return job | {"spec": spec | {"selector": selector, "template": changed}}


def established(definition: Object, now: str) -> Object:
    """A definition whose kind is served."""
    names = {key: one for key, one in definition["spec"]["names"].items() if key != "categories" or one}
    known = (definition.get("status") or {}).get("conditions") or []
    conditions = known or [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
        _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
    ]
    stored = (definition.get("status") or {}).get("storedVersions") or []
    stored = [
        *stored,
        *(one["name"] for one in definition["spec"]["versions"] if one["storage"] and one["name"] not in stored),
    ]
    status = {"conditions": conditions, "acceptedNames": names, "storedVersions": stored}
    return definition | {"status": status}


def _condition(kind: str, reason: str, message: str, now: str) -> Object:
    return {"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}


def updated(old: Object, new: Object, resource: Resource, subresource: str) -> Object:
    """The new object, with what this way of writing cannot change as it was."""
    metadata = {name: one for name, one in new["metadata"].items() if name not in _SERVERS_OWN}
    metadata |= {name: old["metadata"][name] for name in _SERVERS_OWN if name in old["metadata"]}
    if subresource == "status":
        made = old | {"metadata": _status_metadata(old, metadata, resource)}
        return _with(made, "status", new.get("status"))
    made = new | {"metadata": metadata}
    if "status" in resource.subresources:
        made = _with(made, "status", old.get("status"))
    if resource.bucket == ("", "namespaces"):
        made = _with(made, "spec", old.get("spec"))
    if resource.bucket == ("apps", "daemonsets"):
        made = _counted(old, made)
    return _retyped(old, made) if resource.bucket == ("", "services") else made


def _retyped(old: Object, new: Object) -> Object:
    """A service with what it was given and does not name, and without what only its former type had."""
    spec = dict(new["spec"])
    if "ExternalName" not in (spec["type"], old["spec"]["type"]):
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if name in old["spec"] and not spec.get(name):
                spec[name] = old["spec"][name]
    new = new | {"spec": spec}
    if spec["type"] == old["spec"]["type"] or spec["type"] != "ClusterIP":
        return new
    for name in ("allocateLoadBalancerNodePorts", "externalTrafficPolicy", "healthCheckNodePort"):
        spec.pop(name, None)
    spec["ports"] = [{key: one for key, one in port.items() if key != "nodePort"} for port in spec.get("ports") or ()]
    return new | {"spec": spec}


def _counted(old: Object, new: Object) -> Object:
    """A DaemonSet that counts the changes of its template."""
    count = int((old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, 1))
    count += old["spec"].get("template") != new["spec"].get("template")
    annotations = {**(new["metadata"].get("annotations") or {}), TEMPLATE_GENERATION: str(count)}
    return new | {"metadata": new["metadata"] | {"annotations": annotations}}


def _status_metadata(old: Object, metadata: Object, resource: Resource) -> Object:
    """A status write may annotate a built-in object, no more."""
    kept = dict(old["metadata"])
    for name in (
        ("managedFields", "resourceVersion") if resource.custom else ("managedFields", "resourceVersion", "annotations")
    ):
        kept.pop(name, None)
        if name in metadata:
            kept[name] = metadata[name]
    return kept


def _with(given: Object, name: str, value: Any) -> Object:
    made = {key: one for key, one in given.items() if key != name}
    return made if value is None else made | {name: value}


def changed(old: Object, new: Object, resource: Resource) -> bool:
    """Whether what is asked of the object has changed, so that its generation has to."""
    if not counts(resource):
        return False
    apart = {"metadata", "status", "apiVersion", "kind"}
    if resource.custom is not None and "status" not in resource.subresources:
        apart = {"metadata", "apiVersion", "kind"}
    if resource.bucket == ("apps", "deployments") and _annotations(old) != _annotations(new):
        return True
    names = (set(old) | set(new)) - apart
    return any(old.get(name) != new.get(name) for name in names)


def _annotations(given: Object) -> Object:
    return given["metadata"].get("annotations") or {}
