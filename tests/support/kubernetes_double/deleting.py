"""Deleting: preconditions, finalizers, propagation.

What depends on a deleted object stays: there are no controllers.
"""

from __future__ import annotations

from typing import Any

from tests.support.kubernetes_double import bodies, statuses
from tests.support.kubernetes_double.catalogue import CRDS, Resource
from tests.support.kubernetes_double.storage import Store
from tests.support.kubernetes_double.types import Object
from tests.support.kubernetes_double.writes import Write

# The kinds whose deletion is answered with the object; the others say "Success".
_SHOWN = {
    ("", "persistentvolumeclaims"),
    ("", "persistentvolumes"),
    ("", "pods"),
    ("", "podtemplates"),
    ("", "resourcequotas"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("resource.k8s.io", "deviceclasses"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"),
}
_IMMORTAL = {"default", "kube-public", "kube-system"}
_PODS = ("", "pods")
# The kinds whose dependents are kept where nothing is said about them.
_ORPHANING = {("", "replicationcontrollers"), ("batch", "jobs")}
_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_POLICIES = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


class Deleter:
    """Deletes from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def delete(self, write: Write) -> Object:
        """Delete one object; gives what to answer.

        Raises:
            RefusedError: It is not there, or is not what the caller thinks.
        """
        options = _options(write)
        with self._store.lock:
            live = self._store.get(write.resource.bucket, write.key)
            if live is None:
                raise statuses.not_found(write.resource.qualified, write.asked.name)
            if write.resource.bucket == ("", "namespaces") and write.asked.name in _IMMORTAL:
                raise statuses.forbidden("namespaces", write.asked.name, "this namespace may not be deleted")
            _check(live, options.get("preconditions") or {}, write)
            left = self._deleted(live, options, write)
        if left is not None:
            return left
        if write.resource.bucket in _SHOWN:
            return _marked(live, [], write, grace=0) if write.resource.bucket == _PODS else live
        uid = live["metadata"]["uid"]
        return statuses.success(write.asked.name, write.resource.group, write.resource.plural, uid=uid)

    def delete_many(self, write: Write, objects: list[tuple[str, Object]]) -> None:
        """Delete every one of a list that was just read."""
        options = _options(write)
        for _, one in objects:
            self._deleted(one, options, write)

    def _deleted(self, live: Object, options: Object, write: Write) -> Object | None:
        """Remove an object, or mark it where something holds it; gives it if it stays."""
        held = _held(live, options, write.resource)
        key = write.resource.key(live["metadata"].get("namespace", ""), live["metadata"]["name"])
        if held is None:
            if not write.dry:
                self._store.write(write.resource.bucket, key, None)
            return None
        marked = _marked(live, held, write)
        if marked is not live and not write.dry:
            marked = self._store.write(write.resource.bucket, key, marked)
        return marked

    def clean_up(self, name: str) -> None:
        """Remove every resource of a definition that is being deleted, and then the definition."""
        with self._store.lock:
            definition = self._store.get(CRDS, name)
            if definition is None or not definition["metadata"].get("deletionTimestamp"):
                return
            bucket = (definition["spec"]["group"], definition["spec"]["names"]["plural"])
            for key, _ in list(self._store.listed(bucket)):
                self._store.write(bucket, key, None)
            self._store.write(CRDS, name, None)


def _options(write: Write) -> Object:
    body: Any = bodies.parsed(write.request) if write.request.body.strip() else {}
    found: Object = dict(body or {})
    for name in ("propagationPolicy", "gracePeriodSeconds"):
        if name in write.request.query:
            found[name] = write.request.query[name]
    return found


def _check(live: Object, wanted: Object, write: Write) -> None:
    ends = {"uid": ("UID", "deleted and then recreated"), "resourceVersion": ("ResourceVersion", "modified")}
    for field, (name, what) in ends.items():
        if wanted.get(field) and wanted[field] != live["metadata"][field]:
            why = (
                f"the {name} in the precondition ({wanted[field]}) does not match the {name} in record "
                f"({live['metadata'][field]}). The object might have been {what}"
            )
            qualified = write.resource.qualified.replace(write.resource.plural, write.resource.kind, 1)
            raise statuses.conflict(qualified, write.asked.name, why)


def _held(live: Object, options: Object, resource: Resource) -> list[str] | None:
    """The finalizers that an object goes with; None when it can go at once."""
    finalizers = list(live["metadata"].get("finalizers") or ())
    policy = _POLICIES.get(options.get("propagationPolicy", "Orphan" if resource.bucket in _ORPHANING else ""))
    if policy and policy not in finalizers and not live["metadata"].get("deletionTimestamp"):
        finalizers.append(policy)
    if resource.bucket == CRDS and _CLEANUP not in finalizers:
        finalizers.append(_CLEANUP)
    lingering = resource.bucket == ("", "namespaces") and bool(live.get("spec", {}).get("finalizers"))
    graceful = resource.bucket == _PODS and bool(live["spec"].get("nodeName"))
    patient = graceful and str(options.get("gracePeriodSeconds", "")) != "0"
    return finalizers if finalizers or lingering or patient else None


def _marked(live: Object, finalizers: list[str], write: Write, *, grace: int | None = None) -> Object:
    """An object that is to be deleted once nothing holds it."""
    metadata = dict(live["metadata"])
    if metadata.get("deletionTimestamp") and (metadata.get("finalizers") or []) == finalizers:
        return live
    if grace is None:
        grace = live["spec"].get("terminationGracePeriodSeconds", 30) if write.resource.bucket == _PODS else 0
    metadata["deletionTimestamp"] = write.now
    if finalizers:
        metadata["finalizers"] = finalizers
    made = live | {"metadata": metadata}
    if write.resource.bucket == ("", "namespaces"):
        return made | {"status": (live.get("status") or {}) | {"phase": "Terminating"}}
    if write.resource.bucket == CRDS:
        made["status"] = _terminating(live["status"], write.now)
    else:
        metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            metadata["generation"] += 1
    return made


def _terminating(status: Object, now: str) -> Object:
    condition = {
        "type": "Terminating",
        "status": "True",
        "lastTransitionTime": now,
        "reason": "InstanceDeletionPending",
        "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    }
    others = [one for one in status.get("conditions") or () if one["type"] != "Terminating"]
    return status | {"conditions": [*others, condition]}
