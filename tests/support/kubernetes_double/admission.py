"""What the server's own admission plugins add to objects, and what they refuse.

(Kubernetes' documentation, "Admission Controllers"; those that are on by default and that a deploy can meet.)
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.support.kubernetes_double import pod_security, quantities, statuses
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.statuses import RefusedError
from tests.support.kubernetes_double.storage import Store
from tests.support.kubernetes_double.types import Object

_PODS = ("", "pods")
_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_TOKEN_AT = "/var/run/secrets/kubernetes.io/serviceaccount"  # where a container finds its token: a place, no secret
_PROTECTED = {
    ("", "persistentvolumeclaims"): "kubernetes.io/pvc-protection",
    ("", "persistentvolumes"): "kubernetes.io/pv-protection",
}
_TOKEN_SOURCES = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {
        "downwardAPI": {
            "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
        }
    },
]


Policy = Callable[[Object], Object]
"""What a test lets a mutating admission policy make of an object; the double has none of its own."""


class Admission:
    """Judges and completes objects by what is stored, and by the policies of a test."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.policies: list[Policy] = []

    def admitted(self, given: Object) -> Object:
        """An object as every policy in turn makes it."""
        for policy in self.policies:
            given = policy(given)
        return given

    def check_namespace(self, given: Object, resource: Resource) -> None:
        """Refuse what is created in a namespace that is not there, or that is being deleted."""
        if not resource.namespaced:
            return
        name = given["metadata"]["namespace"]
        found = self._store.get(("", "namespaces"), name)
        if found is None:
            raise statuses.not_found("namespaces", name)
        if found["metadata"].get("deletionTimestamp"):
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
            why = f"unable to create new content in namespace {name} because it is being terminated"
            raise statuses.forbidden(resource.qualified, given["metadata"].get("name", ""), why, causes=[cause])

    def mutated(self, given: Object, resource: Resource) -> Object:
        """A new object with what admission adds."""
        if resource.bucket == _PODS:
            return self._pod(given)
        protection = _PROTECTED.get(resource.bucket)
        if protection and protection not in (given["metadata"].get("finalizers") or ()):
            finalizers = [*(given["metadata"].get("finalizers") or ()), protection]
            given = given | {"metadata": given["metadata"] | {"finalizers": finalizers}}
        if resource.bucket == ("", "persistentvolumeclaims"):
            return self._claim(given)
        if resource.bucket == ("", "nodes") and not given["spec"].get("taints"):
            given = given | {"spec": given["spec"] | {"taints": [_NOT_READY]}}
        return given

    def _claim(self, claim: Object) -> Object:
        """With the default storage class, where there is one and none is named."""
        if "storageClassName" in claim["spec"]:
            return claim
        for name, found in self._store.listed(("storage.k8s.io", "storageclasses")):
            annotations = found["metadata"].get("annotations") or {}
            if annotations.get("storageclass.kubernetes.io/is-default-class") == "true":
                return claim | {"spec": claim["spec"] | {"storageClassName": name}}
        return claim

    def _pod(self, pod: Object) -> Object:
        spec = dict(pod["spec"])
        spec["serviceAccountName"] = spec["serviceAccount"] = spec.get("serviceAccountName") or "default"
        account = self._account(pod, spec["serviceAccountName"])
        if spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True)):
            spec |= _with_token(spec)
        spec |= self._priority(pod, spec)
        tolerations = spec.get("tolerations") or []
        known = {one.get("key", "") for one in tolerations}
        added = [
            {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for key in _TOLERATED
            if not known & {key, ""}
        ]
        return pod | {"spec": spec | {"tolerations": [*tolerations, *added]}}

    def _account(self, pod: Object, name: str) -> Object:
        namespace = pod["metadata"]["namespace"]
        found = self._store.get(("", "serviceaccounts"), f"{namespace}/{name}")
        if found is None:
            why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
            raise statuses.forbidden("pods", pod["metadata"].get("name", ""), why)
        return found

    def _priority(self, pod: Object, spec: Object) -> Object:
        name = spec.get("priorityClassName", "")
        if not name:
            return {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
        found = self._store.get(("scheduling.k8s.io", "priorityclasses"), name)
        if found is None:
            why = f"no PriorityClass with name {name} was found"
            raise statuses.forbidden("pods", pod["metadata"].get("name", ""), why)
        return {"priority": found.get("value", 0), "preemptionPolicy": found.get("preemptionPolicy")}

    def check(self, given: Object, resource: Resource) -> None:
        """Refuse a new object that a rule of the cluster is against."""
        if resource.bucket != _PODS:
            return
        name, spec = given["metadata"].get("name", ""), given["spec"]
        runtime = spec.get("runtimeClassName")
        if runtime and self._store.get(("node.k8s.io", "runtimeclasses"), runtime) is None:
            why = f'pod rejected: RuntimeClass "{runtime}" not found'
            raise statuses.forbidden("pods", name, why)
        namespace = self._store.get(("", "namespaces"), given["metadata"]["namespace"]) or {"metadata": {}}
        violation = pod_security.violation(given, namespace["metadata"].get("labels") or {})
        if violation:
            raise statuses.forbidden("pods", name, violation)
        self._check_quota(given)

    def _check_quota(self, pod: Object) -> None:
        """Refuse a Pod that a quota has no room for. What a quota allows is in its status, as its controller says."""
        wanted = _uses(pod["spec"])
        for name, quota in self._store.listed(("", "resourcequotas"), prefix=f"{pod['metadata']['namespace']}/"):
            status = quota.get("status") or {}
            refusal = _over(wanted, status.get("hard") or {}, status.get("used") or {})
            if refusal:
                raise _exceeded(pod, name.partition("/")[2], refusal)


def _with_token(spec: Object) -> Object:
    """Every container finds the token of its account where it looks for it."""
    name = f"kube-api-access-{secrets.token_hex(3)[:5]}"
    volume = {"name": name, "projected": {"sources": _TOKEN_SOURCES, "defaultMode": 420}}
    mount = {"name": name, "readOnly": True, "mountPath": _TOKEN_AT}
    found: Object = {"volumes": [*(spec.get("volumes") or ()), volume]}
    for kind in ("initContainers", "containers"):
        if spec.get(kind):
            found[kind] = [
                one
                if any(at["mountPath"] == _TOKEN_AT for at in one.get("volumeMounts") or ())
                else one | {"volumeMounts": [*(one.get("volumeMounts") or ()), mount]}
                for one in spec[kind]
            ]
    return found


def _uses(spec: Object) -> Mapping[str, Decimal | None]:
    """What a Pod counts for in a quota; None where it does not say and would have to."""
    found: dict[str, Decimal | None] = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for kind in ("requests", "limits"):
        for resource in ("cpu", "memory"):
            given = [one.get("resources", {}).get(kind, {}).get(resource) for one in spec["containers"]]
            total = None if None in given else sum((quantities.value(one) for one in given), Decimal(0))
            found[f"{kind}.{resource}"] = total
            if kind == "requests":
                found[resource] = total
    return found


def _over(wanted: Mapping[str, Decimal | None], hard: Object, used: Object) -> Any:
    unsaid = sorted(name for name in hard if name in wanted and wanted[name] is None)
    if unsaid:
        return unsaid
    over = {}
    for name, most in hard.items():
        more = wanted.get(name)
        if more is not None and quantities.value(used.get(name, "0")) + more > quantities.value(most):
            over[name] = (quantities.canonical(str(more)), used.get(name, "0"), most)
    return over


def _exceeded(pod: Object, quota: str, refusal: Any) -> RefusedError:
    if isinstance(refusal, list):
        missing = "; ".join(
            f"{name} for: {','.join(one['name'] for one in pod['spec']['containers'])}" for name in refusal
        )
        why = f"failed quota: {quota}: must specify {missing}"
    else:
        asked, used, most = (
            ",".join(f"{name}={values[place]}" for name, values in sorted(refusal.items())) for place in range(3)
        )
        why = f"exceeded quota: {quota}, requested: {asked}, used: {used}, limited: {most}"
    return statuses.forbidden("pods", pod["metadata"].get("name", ""), why)
