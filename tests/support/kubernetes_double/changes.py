"""Which fields of the built-in kinds may not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.support.kubernetes_double import field_errors
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.field_errors import FieldError
from tests.support.kubernetes_double.types import Object

_IMMUTABLE = "field is immutable"
_FIXED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps", "deployments"): ("spec.selector",),
    ("apps", "daemonsets"): ("spec.selector",),
    ("apps", "replicasets"): ("spec.selector",),
    ("batch", "jobs"): ("spec.completions", "spec.selector", "spec.template"),
    ("", "secrets"): ("type",),
    ("storage.k8s.io", "storageclasses"): ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    ("scheduling.k8s.io", "priorityclasses"): ("value", "preemptionPolicy"),
    ("apiextensions.k8s.io", "customresourcedefinitions"): ("spec.group", "spec.scope", "spec.names.plural"),
}
_SET = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_SET_MAY = {
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
}
_POD = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_CLAIM = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
Rule = Callable[[Object, Object], Iterator[FieldError]]


def errors(old: Object, new: Object, resource: Resource) -> Iterator[FieldError]:
    """What is wrong with a change."""
    for path in _FIXED.get(resource.bucket, ()):
        before, after = _at(old, path), _at(new, path)
        if before != after:
            yield field_errors.invalid(path, after, _IMMUTABLE)
    rule = _RULES.get(resource.bucket)
    if rule:
        yield from rule(old, new)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _stateful_set(old: Object, new: Object) -> Iterator[FieldError]:
    kept = [{key: one for key, one in given["spec"].items() if key not in _SET_MAY} for given in (old, new)]
    if kept[0] != kept[1]:
        yield field_errors.forbidden("spec", _SET)


def _pod(old: Object, new: Object) -> Iterator[FieldError]:
    if _fixed_of_pod(old["spec"]) != _fixed_of_pod(new["spec"]):
        yield field_errors.forbidden("spec", _POD)


def _fixed_of_pod(spec: Object) -> Object:
    free = {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "containers", "initContainers"}
    kept = {key: one for key, one in spec.items() if key not in free}
    for kind in ("containers", "initContainers"):
        kept[kind] = [
            {key: one for key, one in container.items() if key != "image"} for container in spec.get(kind) or ()
        ]
    return kept


def _claim(old: Object, new: Object) -> Iterator[FieldError]:
    free = {"resources", "volumeName", "volumeAttributesClassName"}
    kept = [{key: one for key, one in given["spec"].items() if key not in free} for given in (old, new)]
    bound = (old.get("status") or {}).get("phase") == "Bound"
    grown = old["spec"].get("resources") != new["spec"].get("resources")
    if kept[0] != kept[1] or (grown and not bound):
        yield field_errors.forbidden("spec", _CLAIM)


def _data(old: Object, new: Object) -> Iterator[FieldError]:
    """What is once immutable stays so, and stays as it is."""
    if not old.get("immutable"):
        return
    why = "field is immutable when `immutable` is set"
    if not new.get("immutable"):
        yield field_errors.forbidden("immutable", why)
    for field in ("data", "binaryData"):
        if (old.get(field) or {}) != (new.get(field) or {}):
            yield field_errors.forbidden(field, why)


def _binding(old: Object, new: Object) -> Iterator[FieldError]:
    if old.get("roleRef") != new.get("roleRef"):
        yield field_errors.invalid("roleRef", new.get("roleRef"), "cannot change roleRef")


def _service(old: Object, new: Object) -> Iterator[FieldError]:
    before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    if "ExternalName" not in (old["spec"]["type"], new["spec"]["type"]) and before and before != after:
        yield field_errors.invalid("spec.clusterIPs[0]", [after] if after else [], "may not change once set")


_RULES: Mapping[tuple[str, str], Rule] = {
    ("", "pods"): _pod,
    ("", "configmaps"): _data,
    ("", "secrets"): _data,
    ("", "services"): _service,
    ("", "persistentvolumeclaims"): _claim,
    ("apps", "statefulsets"): _stateful_set,
    ("rbac.authorization.k8s.io", "rolebindings"): _binding,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): _binding,
}
