"""Pod Security Standards: what a namespace's label ``pod-security.kubernetes.io/enforce`` forbids.

(Kubernetes' documentation, "Pod Security Standards".)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.kubernetes_double.types import Object

_LABEL = "pod-security.kubernetes.io/enforce"
_MAY_BE_ADDED = {
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
}
_VOLUMES = {
    "name",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "image",
}
_PROFILES = {"RuntimeDefault", "Localhost"}


def violation(pod: Object, labels: Mapping[str, str]) -> str:
    """Why a Pod may not be in a namespace with these labels; empty when it may."""
    level = labels.get(_LABEL, "privileged")
    if level not in {"baseline", "restricted"}:
        return ""
    spec = pod["spec"]
    found = list(_baseline(spec)) + (list(_restricted(spec)) if level == "restricted" else [])
    version = labels.get(f"{_LABEL}-version", "latest")
    return f'violates PodSecurity "{level}:{version}": {", ".join(found)}' if found else ""


def _containers(spec: Object) -> list[Object]:
    return [one for kind in ("initContainers", "containers", "ephemeralContainers") for one in spec.get(kind) or ()]


def _security(one: Object) -> Object:
    return one.get("securityContext") or {}


def _named(containers: list[Object]) -> str:
    names = ", ".join(f'"{one["name"]}"' for one in containers)
    return f"container{'s' if len(containers) > 1 else ''} {names}"


def _baseline(spec: Object) -> Iterator[str]:
    containers = _containers(spec)
    adding = [one for one in containers if set(_capabilities(one, "add")) - _MAY_BE_ADDED]
    if adding:
        extra = sorted({added for one in adding for added in _capabilities(one, "add")} - _MAY_BE_ADDED)
        listed = ", ".join(f'"{one}"' for one in extra)
        why = f"{_named(adding)} must not include {listed} in securityContext.capabilities.add"
        yield f"non-default capabilities ({why})"
    shared = [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    if shared:
        yield f"host namespaces ({', '.join(f'{name}=true' for name in shared)})"
    host_paths = [one["name"] for one in spec.get("volumes") or () if one.get("hostPath")]
    if host_paths:
        yield f"hostPath volumes ({_volumes(host_paths)})"
    yield from _host_ports(containers)
    privileged = [one for one in containers if _security(one).get("privileged")]
    if privileged:
        yield f"privileged ({_named(privileged)} must not set securityContext.privileged=true)"


def _host_ports(containers: list[Object]) -> Iterator[str]:
    users = [one for one in containers if any(port.get("hostPort") for port in one.get("ports") or ())]
    numbers = [str(port["hostPort"]) for one in users for port in one["ports"] if port.get("hostPort")]
    if users:
        verb = "uses" if len(users) == 1 else "use"
        yield f"hostPort ({_named(users)} {verb} hostPort{'s' if len(numbers) > 1 else ''} {', '.join(numbers)})"


def _volumes(names: list[str]) -> str:
    return f"volume{'s' if len(names) > 1 else ''} " + ", ".join(f'"{name}"' for name in names)


def _capabilities(one: Object, what: str) -> list[Any]:
    return (_security(one).get("capabilities") or {}).get(what) or []


def _restricted(spec: Object) -> Iterator[str]:
    pod = _security(spec)
    containers = _containers(spec)
    growing = [one for one in containers if _security(one).get("allowPrivilegeEscalation") is not False]
    if growing:
        yield (
            f"allowPrivilegeEscalation != false ({_named(growing)} must set "
            "securityContext.allowPrivilegeEscalation=false)"
        )
    keeping = [one for one in containers if "ALL" not in _capabilities(one, "drop")]
    if keeping:
        yield f'unrestricted capabilities ({_named(keeping)} must set securityContext.capabilities.drop=["ALL"])'
    odd = [one["name"] for one in spec.get("volumes") or () if set(one) - _VOLUMES]
    if odd:
        yield f"restricted volume types ({_volumes(odd)} uses a restricted volume type)"
    rooted = [one for one in containers if not _security(one).get("runAsNonRoot", pod.get("runAsNonRoot"))]
    if rooted:
        yield f"runAsNonRoot != true (pod or {_named(rooted)} must set securityContext.runAsNonRoot=true)"
    loose = [one for one in containers if _profile(one, pod) not in _PROFILES]
    if loose:
        yield (
            f"seccompProfile (pod or {_named(loose)} must set securityContext.seccompProfile.type to "
            '"RuntimeDefault" or "Localhost")'
        )


def _profile(one: Object, pod: Object) -> Any:
    profile = _security(one).get("seccompProfile") or pod.get("seccompProfile") or {}
    return profile.get("type")
