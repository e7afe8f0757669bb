"""Creating and changing objects: every write takes the same way, whatever it came as.

read, own (``managedFields``), admit, prepare, validate, store; a write that changes nothing is not stored, so that
nobody who watches is woken and ``resourceVersion`` stays.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field, replace

from tests.support.kubernetes_double import (
    access,
    admission,
    allocations,
    bodies,
    escalation,
    forms,
    merging,
    ownership,
    patches,
    statuses,
    strategies,
    types,
    validation,
    versions,
    writes,
)
from tests.support.kubernetes_double.catalogue import CRDS, Resource
from tests.support.kubernetes_double.storage import Store
from tests.support.kubernetes_double.types import Object

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, so that no word comes of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of a write."""

    object: Object
    created: bool
    warnings: list[str] = field(default_factory=list)


class Writer:
    """Writes to a store. Every method holds the store's lock, and raises ``RefusedError`` where nothing is written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._admission = admission.Admission(store)
        self._access = access.Access(store)
        self._allocations = allocations.Allocations()

    @property
    def policies(self) -> list[admission.Policy]:
        """What a test lets admission make of objects, to be added to."""
        return self._admission.policies

    def create(self, write: writes.Write) -> Written:
        """A new object from what the request carries."""
        writes.check_options(write)
        body, warnings = bodies.read(write.request, write.resource)
        metadata = dict(body["metadata"])
        if metadata.get("resourceVersion"):
            raise statuses.internal("resourceVersion should not be set on objects to be created")
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + "".join(secrets.choice(_ALPHABET) for _ in range(5))
        with self._store.lock:
            placed = writes.placed(bodies.completed(body | {"metadata": metadata}, write.resource), write)
            owners = ownership.updated(_blank(write.resource), placed, {}, write.writing())
            made = self._created(_owned(placed, owners), write)
        return Written(object=made, created=True, warnings=warnings)

    def update(self, write: writes.Write) -> Written:
        """The object replaced by what the request carries."""
        writes.check_options(write)
        body, warnings = bodies.read(write.request, write.resource)
        placed = writes.placed(body, write)
        with self._store.lock:
            live = self._live(write)
            writes.check_version(live, body, write)
            made = self._changed(live, placed, write)
        return Written(object=made, created=False, warnings=warnings)

    def patch(self, write: writes.Write) -> Written:
        """The object with a patch applied."""
        kind = write.request.media_type
        if kind not in patches.MEDIA_TYPES or (kind == patches.STRATEGIC and write.resource.custom):
            raise writes.unsupported(write.resource)
        if kind == patches.APPLY:
            return self._apply(write)
        writes.check_options(write)
        patch = bodies.parsed(write.request)
        with self._store.lock:
            live = self._live(write)
            raw = patches.patched(live, patch, kind, write.resource.type)
            body, warnings = bodies.decoded(
                raw, write.resource, strictness=write.request.query.get("fieldValidation", "Warn")
            )
            writes.check_version(live, body, write)
            made = self._changed(live, writes.placed(body, write), write)
        return Written(object=made, created=False, warnings=warnings)

    def finalize(self, write: writes.Write) -> Object:
        """A namespace with the finalizers that are left; gone when nothing holds it any more."""
        with self._store.lock:
            live = self._live(write)
            finalizers = (bodies.parsed(write.request).get("spec") or {}).get("finalizers") or []
            made = live | {"spec": {"finalizers": finalizers} if finalizers else {}}
            gone = not finalizers and live["metadata"].get("deletionTimestamp")
            written = self._store.write(write.resource.bucket, write.key, None if gone else made)
            return made if gone else written

    def establish(self, name: str) -> None:
        """Serve what a definition defines, as the server does by itself a moment after it is written."""
        with self._store.lock:
            live = self._store.get(CRDS, name)
            if live is not None and not live["metadata"].get("deletionTimestamp"):
                now = writes.present()
                made = strategies.established(live, now)
                if made != live:
                    self._store.write(CRDS, name, _owned(made, _servers_own(live, made, now)))

    def _apply(self, write: writes.Write) -> Written:
        writes.check_apply(write)
        patch = bodies.parsed(write.request)
        writes.check_patch(patch, write)
        patch = {"metadata": {}} | patch
        with self._store.lock:
            stored = self._store.get(write.resource.bucket, write.key)
            if stored is None and (write.asked.subresource or patch["metadata"].get("uid")):
                raise statuses.not_found(write.resource.qualified, write.asked.name)
            if stored is None:
                # What is not there is made by an apply, and that takes the right to make it.
                self._access.check(write.user, replace(write.asked, verb="create"))
            live = versions.shown(stored, write.resource) if stored else _blank(write.resource)
            writes.check_version(live, patch, write)
            made = writes.placed(self._merged(live, patch, write), write)
            if stored is None:
                return Written(object=self._created(made, write), created=True)
            return Written(object=self._stored(live, made, write), created=False)

    def _merged(self, live: Object, patch: Object, write: writes.Write) -> Object:
        bare = _without_owners(live)
        owners = ownership.read((live.get("metadata") or {}).get("managedFields"))
        if not owners and live.get("metadata", {}).get("uid"):
            owners = _former_owner(bare, write)
        force = write.request.flag("force")
        merged, left = ownership.applied(bare, patch, owners, write.writing(applies=True), force=force)
        made, _ = bodies.decoded(_owned({"metadata": {}} | merged, left), write.resource)
        return made

    def _live(self, write: writes.Write) -> Object:
        found = self._store.get(write.resource.bucket, write.key)
        if found is None:
            raise statuses.not_found(write.resource.qualified, write.asked.name)
        return versions.shown(found, write.resource)

    def _created(self, given: Object, write: writes.Write) -> Object:
        """Admit, prepare, validate and keep a new object."""
        name = given["metadata"].get("name", "")
        write = replace(write, asked=replace(write.asked, name=name))
        made = _born(given, write)
        self._admission.check_namespace(made, write.resource)
        made = self._admission.mutated(self._admission.admitted(made), write.resource)
        made = strategies.created(made, write.resource)
        if write.resource.bucket == ("", "services"):
            made = self._allocations.service(made)
        escalation.check(made, write.resource, write.user, store=self._store)
        validation.check_new(made, write.resource)
        self._admission.check(made, write.resource)
        there = self._store.get(write.resource.bucket, write.key)
        if there is not None:
            leaving = bool(there["metadata"].get("deletionTimestamp"))
            raise statuses.already_exists(write.resource.qualified, name, leaving=leaving)
        if write.dry:
            return made
        return self._store.write(write.resource.bucket, write.key, made)

    def _changed(self, live: Object, new: Object, write: writes.Write) -> Object:
        """Own and keep a changed object."""
        untracked = new["metadata"].get("managedFields") == [{}]
        owners = ownership.read(None if untracked else live["metadata"].get("managedFields"))
        left = ownership.updated(_without_owners(live), _without_owners(new), owners, write.writing())
        return self._stored(live, _owned(new, left), write)

    def _stored(self, live: Object, new: Object, write: writes.Write) -> Object:
        """Prepare, validate and keep a changed object; one that has not changed is left as it is."""
        admitted = new if write.asked.subresource else self._admission.admitted(new)
        made = strategies.updated(live, admitted, write.resource, write.asked.subresource)
        if write.asked.subresource != "status" and strategies.changed(live, made, write.resource):
            generation = live["metadata"].get("generation", 0) + 1
            made = made | {"metadata": made["metadata"] | {"generation": generation}}
        metadata = {key: one for key, one in made["metadata"].items() if key != "resourceVersion"}
        made = made | {"metadata": metadata | {"resourceVersion": live["metadata"]["resourceVersion"]}}
        if write.asked.subresource != "status":
            escalation.check(made, write.resource, write.user, store=self._store)
            validation.check_change(live, made, write.resource)
        if _timeless(made) == _timeless(live):
            return live
        if write.dry:
            return made
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers") and _is_done(made, write.resource):
            self._store.write(write.resource.bucket, write.key, None)
            return made
        return self._store.write(write.resource.bucket, write.key, made)


def _born(given: Object, write: writes.Write) -> Object:
    """A new object with what only the server says of it."""
    said = {key: one for key, one in given["metadata"].items() if key not in {"deletionTimestamp", "generation"}}
    said |= {"uid": str(uuid.uuid4()), "creationTimestamp": write.now}
    counted = {"generation": 1} if strategies.counts(write.resource) else {}
    return given | {"metadata": said | counted}


def _is_done(made: Object, resource: Resource) -> bool:
    """Whether nothing holds an object that is to be deleted; a namespace has finalizers of its own."""
    return resource.bucket != ("", "namespaces") or not made.get("spec", {}).get("finalizers")


def _blank(resource: Resource) -> Object:
    """What an object is compared with when there was none: the empty one of its kind."""
    return forms.zero(resource.type) if resource.custom is None else {}


def _servers_own(old: Object, new: Object, now: str) -> ownership.Owners:
    """The owners of a definition after the server has written its status."""
    version = "apiextensions.k8s.io/v1"
    manager = ownership.Manager(name="kube-apiserver", applies=False, version=version, subresource="status")
    of = types.built_in(CRDS[0], "v1", "CustomResourceDefinition")
    writing = ownership.Writing(manager=manager, of=of, now=now, reset=frozenset({("f:spec",)}))
    owners = ownership.read(old["metadata"].get("managedFields"))
    return ownership.updated(_without_owners(old), _without_owners(new), owners, writing)


def _owned(given: Object, owners: ownership.Owners) -> Object:
    made, entries = _without_owners(given), ownership.written(owners)
    return made | {"metadata": made["metadata"] | {"managedFields": entries}} if entries else made


def _without_owners(given: Object) -> Object:
    metadata = {key: one for key, one in (given.get("metadata") or {}).items() if key != "managedFields"}
    return given | {"metadata": metadata}


def _former_owner(bare: Object, write: writes.Write) -> ownership.Owners:
    """Whoever made an object that was never tracked: known from its first apply on."""
    manager = ownership.Manager(name="before-first-apply", applies=False, version=write.resource.api_version)
    fields = write.writing().own(merging.fields_of(bare, write.resource.type))
    return {manager.key: ownership.Owned(manager=manager, fields=fields, time=write.now)}


def _timeless(given: Object) -> Object:
    """An object without the times at which its fields came to be owned."""
    fields = given["metadata"].get("managedFields") or ()
    entries = [{key: one for key, one in entry.items() if key != "time"} for entry in fields]
    return given | {"metadata": given["metadata"] | {"managedFields": entries}}
