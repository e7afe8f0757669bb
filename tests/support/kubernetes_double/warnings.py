"""What the server warns of when it is sent something that works, and one day will not, or that does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.types import Object

_TEMPLATES: Mapping[tuple[str, str], str] = {
    ("", "pods"): "",
    ("", "podtemplates"): "template",
    ("", "replicationcontrollers"): "spec.template",
    ("apps", "daemonsets"): "spec.template",
    ("apps", "deployments"): "spec.template",
    ("apps", "replicasets"): "spec.template",
    ("apps", "statefulsets"): "spec.template",
    ("batch", "jobs"): "spec.template",
    ("batch", "cronjobs"): "spec.jobTemplate.spec.template",
}
_KINDS = {
    ("", "componentstatuses"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
_ANNOTATIONS = {
    "container.apparmor.security.beta.kubernetes.io/": ("deprecated since v1.30", "appArmorProfile"),
    "container.seccomp.security.alpha.kubernetes.io/": ("non-functional in v1.27+", "seccompProfile"),
    "seccomp.security.alpha.kubernetes.io/pod": ("non-functional in v1.27+", "seccompProfile"),
}


def of_kind(resource: Resource) -> list[str]:
    """What is said whenever this kind is asked for."""
    return [_KINDS[resource.bucket]] if resource.bucket in _KINDS else []


def of_object(given: Object, resource: Resource) -> list[str]:
    """What is said of one object that is written."""
    path = _TEMPLATES.get(resource.bucket)
    if path is None:
        return []
    pod: Any = given
    for name in filter(None, path.split(".")):
        pod = pod.get(name) or {}
    at = f"{path}.".removeprefix(".")
    return [*_annotations(pod, at), *_repeated(pod, at)]


def _annotations(pod: Object, at: str) -> Iterator[str]:
    for name in sorted((pod.get("metadata") or {}).get("annotations") or ()):
        for start, (since, field) in _ANNOTATIONS.items():
            if name.startswith(start):
                yield f'{at}metadata.annotations[{name}]: {since}; use the "{field}" field instead'


def _repeated(pod: Object, at: str) -> Iterator[str]:
    """What is set twice, of which an apply keeps one."""
    for number, container in enumerate((pod.get("spec") or {}).get("containers") or ()):
        seen: set[str] = set()
        for index, env in enumerate(container.get("env") or ()):
            if env["name"] in seen:
                where = f"{at}spec.containers[{number}].env[{index}]"
                yield f'{where}: hides previous definition of "{env["name"]}", which may be dropped when using apply'
            seen.add(env["name"])
