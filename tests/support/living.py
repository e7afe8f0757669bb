"""What controllers, injectors and load balancers leave on whatever objects there are, another way at every site."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from lockstep.values import Json
from tests.support import apiserver

_HOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def live(admin: apiserver.Admin, site: str, paths: Iterable[str], *, authority: str) -> None:
    """Let some objects of a server have lived at a site.

    Args:
        admin: Who may do everything there.
        site: The name of the site.
        paths: Where the objects are.
        authority: A certificate in base64, which a controller injects wherever one is wanted.
    """
    for path in paths:
        found = admin.get(path)
        bundled = _bundle(found, authority)
        if bundled:
            admin.merge(path, bundled)
        if found["kind"] == "HorizontalPodAutoscaler":
            _scale(admin, found, site)
        if found["kind"] == "Namespace":
            _inhabit(admin, found["metadata"]["name"], authority)
        for change in (_port, _claim, _finalizer, _counted, _mark):
            patch = change(found, site)
            if patch:
                admin.merge(path, patch)


def _port(found: Json, site: str) -> dict[str, Json]:
    """Another node port, where the server made one up."""
    if found["kind"] != "Service" or found["spec"].get("type") not in ("NodePort", "LoadBalancer"):
        return {}
    if _was_set(found, "nodePort"):
        return {}
    start = 30000 + zlib.crc32(f"{found['metadata']['uid']}{site}".encode()) % 2700
    ports = [{**port, "nodePort": start + number} for number, port in enumerate(found["spec"]["ports"])]
    return {"spec": {"ports": ports}}


def _was_set(found: Json, field: str) -> bool:
    return any(f"f:{field}" in repr(one.get("fieldsV1")) for one in found["metadata"].get("managedFields", ()))


def _bundle(found: Json, authority: str) -> dict[str, Json]:
    """The authority of the cluster, where nobody gave one."""
    kind, bundle = found["kind"], {"caBundle": authority}
    if kind in _HOOKS:
        hooks = found.get("webhooks", [])
        return (
            {"webhooks": [{**one, "clientConfig": {**bundle, **one["clientConfig"]}} for one in hooks]} if hooks else {}
        )
    if kind == "CustomResourceDefinition" and found["spec"].get("conversion", {}).get("webhook"):
        return {"spec": {"conversion": {"webhook": {"clientConfig": bundle}}}}
    if kind == "APIService" and found["spec"].get("service") and not found["spec"].get("insecureSkipTLSVerify"):
        return {"spec": bundle}
    return {}


def _claim(found: Json, site: str) -> dict[str, Json]:
    if found["kind"] != "PersistentVolumeClaim" or found["spec"].get("volumeName"):
        return {}
    bound = {"pv.kubernetes.io/bind-completed": "yes", "volume.kubernetes.io/selected-node": f"node-{site}"}
    return {"metadata": {"annotations": bound}, "spec": {"volumeName": f"pvc-{site}"}}


def _finalizer(found: Json, site: str) -> dict[str, Json]:
    """A controller wants to be asked before a custom resource goes."""
    if "." not in found["apiVersion"] or ".k8s.io/" in found["apiVersion"] or found["metadata"].get("finalizers"):
        return {}
    return {"metadata": {"finalizers": [f"controller.example/{site}"]}}


def _scale(admin: apiserver.Admin, found: Json, site: str) -> None:
    """As many as an autoscaler finds right, within its bounds."""
    target, spec = found["spec"]["scaleTargetRef"], found["spec"]
    home = found["metadata"]["namespace"]
    path = f"/apis/{target['apiVersion']}/namespaces/{home}/{target['kind'].lower()}s/{target['name']}"
    if target["kind"] in _WORKLOADS and admin.answers(path):
        room = spec["maxReplicas"] - spec.get("minReplicas", 1)
        admin.merge(path, {"spec": {"replicas": spec.get("minReplicas", 1) + min(len(site) % 3, room)}})


def _inhabit(admin: apiserver.Admin, namespace: str, authority: str) -> None:
    """What every name space gets."""
    home = f"/api/v1/namespaces/{namespace}"
    if not admin.answers(f"{home}/serviceaccounts/default"):
        admin.create(f"{home}/serviceaccounts", {"metadata": {"name": "default"}})
    if not admin.answers(f"{home}/configmaps/kube-root-ca.crt"):
        data = {"ca.crt": authority}
        admin.create(f"{home}/configmaps", {"metadata": {"name": "kube-root-ca.crt"}, "data": data})


def _counted(found: Json, site: str) -> dict[str, Json]:
    if found["kind"] not in _WORKLOADS:
        return {}
    return {"metadata": {"annotations": {"deployment.kubernetes.io/revision": str(len(site))}}}


def _mark(found: Json, site: str) -> dict[str, Json]:
    """A platform notes on a name space which users its Pods run as."""
    if found["kind"] != "Namespace":
        return {}
    return {"metadata": {"annotations": {"openshift.io/sa.scc.uid-range": f"{len(site)}000/10000"}}}
