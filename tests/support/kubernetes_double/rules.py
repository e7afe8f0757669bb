"""Rules for single objects of the built-in kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.support.kubernetes_double import field_errors, names, pod_rules, service_rules
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.field_errors import FieldError
from tests.support.kubernetes_double.types import Form, Object, Type

_LABEL_NAMED = {("", "namespaces"), ("", "services")}
_PATH_NAMED = {
    ("rbac.authorization.k8s.io", plural) for plural in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
}
_MOST_DATA = 2**20
Rule = Callable[[Object], Iterator[FieldError]]


def errors(given: Object, resource: Resource) -> Iterator[FieldError]:
    """Everything that is wrong with an object."""
    yield from _metadata(given["metadata"], resource)
    rule = _RULES.get(resource.bucket)
    if rule:
        yield from rule(given)
    known = {"metadata", "status"}
    body = {name: one for name, one in given.items() if name not in known}
    yield from _values(body, resource.type, "")


def _metadata(metadata: Object, resource: Resource) -> Iterator[FieldError]:
    name = metadata.get("name")
    if not name:
        yield field_errors.required("metadata.name", "name or generateName is required")
    elif wrong := _name_rule(resource)(name):
        yield field_errors.invalid("metadata.name", name, wrong)
    yield from names.labels(metadata.get("labels") or {}, "metadata.labels")
    annotations = metadata.get("annotations") or {}
    for key in sorted(annotations):
        if wrong := names.qualified(key.lower()):
            yield field_errors.invalid("metadata.annotations", key, wrong)
    if sum(len(key) + len(value) for key, value in annotations.items()) > 256 * 1024:
        yield field_errors.too_long("metadata.annotations", "may not be more than 262144 bytes")
    for finalizer in metadata.get("finalizers") or ():
        if wrong := names.qualified(finalizer):
            yield field_errors.invalid("metadata.finalizers", finalizer, wrong)


def _name_rule(resource: Resource) -> Callable[[str], str]:
    if resource.bucket in _PATH_NAMED:
        return names.path_segment
    return names.dns_label if resource.bucket in _LABEL_NAMED else names.subdomain


def _values(value: Any, of: Type, at: str) -> Iterator[FieldError]:
    """What the types themselves say: which fields have to be there, and which are one of a few values."""
    if of.form is Form.LIST and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, of.item, f"{at}[{index}]") if of.item else ()
    if of.form is not Form.RECORD or not isinstance(value, dict):
        return
    for name, one in value.items():
        here = f"{at}.{name}".removeprefix(".")
        if one in ("", None) and name in of.enums and name in of.required:
            yield field_errors.required(here)
        elif one and name in of.enums and one not in of.enums[name]:
            yield field_errors.unsupported(here, one, of.enums[name])
        elif (inner := of.under(name)) is not None:
            yield from _values(one, inner, here)


def _data(given: Object) -> Iterator[FieldError]:
    for field in ("data", "binaryData"):
        for key in sorted(given.get(field) or ()):
            if wrong := names.config_key(key):
                yield field_errors.invalid(f"{field}[{key}]", key, wrong)
    size = sum(len(one) for field in ("data", "binaryData") for one in (given.get(field) or {}).values())
    if size > _MOST_DATA:
        yield field_errors.too_long("", "may not be more than 1048576 bytes")


def _secret(given: Object) -> Iterator[FieldError]:
    yield from _data({"data": given.get("data")})
    needed = {"kubernetes.io/tls": ("tls.crt", "tls.key"), "kubernetes.io/dockerconfigjson": (".dockerconfigjson",)}
    for key in needed.get(given.get("type", ""), ()):
        if key not in (given.get("data") or {}):
            yield field_errors.required(f"data[{key}]")


def _selected(given: Object) -> Iterator[FieldError]:
    """A workload that finds its Pods by their labels."""
    spec = given["spec"]
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector is None:
        yield field_errors.required("spec.selector")
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield field_errors.invalid("spec.selector", selector, "empty selector is invalid for deployment")
    if not _selects(selector, labels):
        why = "`selector` does not match template `labels`"
        yield field_errors.invalid("spec.template.metadata.labels", labels or None, why)
    if (spec.get("replicas") or 0) < 0:
        yield field_errors.invalid("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    yield from names.labels(labels, "spec.template.labels")
    # The controller of a StatefulSet adds a volume for each of its claims.
    claims = [(one.get("metadata") or {}).get("name", "") for one in spec.get("volumeClaimTemplates") or ()]
    yield from pod_rules.template(template.get("spec") or {}, "spec.template.spec", {"Always"}, added=claims)


def _selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression_holds(one, labels) for one in selector.get("matchExpressions") or ())


def _expression_holds(one: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(one["key"]), one.get("values") or []
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(one["operator"], False)


def _job(given: Object) -> Iterator[FieldError]:
    yield from _job_spec(given["spec"], "spec")


def _job_spec(spec: Object, at: str) -> Iterator[FieldError]:
    template = (spec.get("template") or {}).get("spec") or {}
    yield from pod_rules.spec(template, f"{at}.template.spec")
    if template.get("restartPolicy") == "Always":
        yield field_errors.required(f"{at}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')


def _cron_job(given: Object) -> Iterator[FieldError]:
    spec = given["spec"]
    schedule = spec.get("schedule", "")
    if not schedule:
        yield field_errors.required("spec.schedule")
    elif not schedule.startswith("@") and len(schedule.split()) != 5:
        why = f"expected exactly 5 fields, found {len(schedule.split())}: [{schedule}]"
        yield field_errors.invalid("spec.schedule", schedule, why)
    yield from _job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def _pod(given: Object) -> Iterator[FieldError]:
    yield from pod_rules.spec(given["spec"], "spec")


def _claim(given: Object) -> Iterator[FieldError]:
    spec = given["spec"]
    if not spec.get("accessModes"):
        yield field_errors.required("spec.accessModes", "at least 1 access mode is required")
    if not ((spec.get("resources") or {}).get("requests") or {}).get("storage"):
        yield field_errors.required("spec.resources[storage]")


def _autoscaler(given: Object) -> Iterator[FieldError]:
    spec = given["spec"]
    least, most = spec.get("minReplicas") or 0, spec.get("maxReplicas") or 0
    if most < 1:
        yield field_errors.required("spec.maxReplicas", "must be set and greater than 0")
    if most < least:
        yield field_errors.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    if not (spec.get("scaleTargetRef") or {}).get("apiVersion"):
        yield field_errors.invalid("spec.scaleTargetRef.apiVersion", "", "apiVersion must specify API group")


def _definition(given: Object) -> Iterator[FieldError]:
    spec = given["spec"]
    expected = f"{spec['names'].get('plural', '')}.{spec.get('group', '')}"
    if given["metadata"].get("name") != expected:
        yield field_errors.invalid(
            "metadata.name", given["metadata"].get("name"), 'must be spec.names.plural+"."+spec.group'
        )
    for index, version in enumerate(spec.get("versions") or ()):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield field_errors.required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
    if sum(1 for one in spec.get("versions") or () if one.get("storage")) != 1:
        names_given = spec.get("versions") or []
        yield field_errors.invalid(
            "spec.versions", names_given, "must have exactly one version marked as storage version"
        )
    if not (given.get("status") or {}).get("storedVersions"):
        yield field_errors.invalid("status.storedVersions", None, "must have at least one stored version")


def _binding(given: Object) -> Iterator[FieldError]:
    reference = given.get("roleRef") or {}
    if reference.get("kind") not in {"Role", "ClusterRole"}:
        yield field_errors.unsupported("roleRef.kind", reference.get("kind", ""), {"ClusterRole", "Role"})
    if not reference.get("name"):
        yield field_errors.required("roleRef.name")


def _role(given: Object) -> Iterator[FieldError]:
    for index, rule in enumerate(given.get("rules") or ()):
        if not rule.get("verbs"):
            yield field_errors.required(f"rules[{index}].verbs", "verbs must contain at least one value")
        if not rule.get("nonResourceURLs") and not rule.get("resources"):
            why = "resource rules must supply at least one resource"
            yield field_errors.required(f"rules[{index}].resources", why)


def _budget(given: Object) -> Iterator[FieldError]:
    spec = given["spec"]
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = {key: one for key, one in spec.items() if key != "unhealthyPodEvictionPolicy"}
        yield field_errors.invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")


def _ingress(given: Object) -> Iterator[FieldError]:
    spec = given.get("spec") or {}
    if not spec.get("rules") and not spec.get("defaultBackend"):
        yield field_errors.invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    for index, rule in enumerate(spec.get("rules") or ()):
        host = rule.get("host", "").removeprefix("*.")
        if host and re.fullmatch(r"[0-9.]+", host):
            yield field_errors.invalid(f"spec.rules[{index}].host", host, "must be a DNS name, not an IP address")
        elif host and (wrong := names.subdomain(host)):
            yield field_errors.invalid(f"spec.rules[{index}].host", host, wrong)


_RULES: Mapping[tuple[str, str], Rule] = {
    ("", "configmaps"): _data,
    ("", "secrets"): _secret,
    ("", "pods"): _pod,
    ("", "services"): service_rules.errors,
    ("", "persistentvolumeclaims"): _claim,
    ("apps", "deployments"): _selected,
    ("apps", "daemonsets"): _selected,
    ("apps", "statefulsets"): _selected,
    ("apps", "replicasets"): _selected,
    ("batch", "jobs"): _job,
    ("batch", "cronjobs"): _cron_job,
    ("autoscaling", "horizontalpodautoscalers"): _autoscaler,
    ("networking.k8s.io", "ingresses"): _ingress,
    ("policy", "poddisruptionbudgets"): _budget,
    ("rbac.authorization.k8s.io", "roles"): _role,
    ("rbac.authorization.k8s.io", "clusterroles"): _role,
    ("rbac.authorization.k8s.io", "rolebindings"): _binding,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): _binding,
    ("apiextensions.k8s.io", "customresourcedefinitions"): _definition,
}
