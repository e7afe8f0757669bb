"""Which kinds are served: those that are built in, and those that CRDs have brought."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.kubernetes_double import structural, types
from tests.support.kubernetes_double.storage import Bucket, Store
from tests.support.kubernetes_double.types import Object, Type

CRDS: Bucket = ("apiextensions.k8s.io", "customresourcedefinitions")
_FACTS = Path(__file__).with_name("facts")
_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
# Kinds that two groups or versions show: where they are kept.
_KEPT_UNDER = {("events.k8s.io", "events"): ("", "events")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind in one version."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]
    type: Type = field(repr=False)
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: Mapping[str, Object] = field(default_factory=dict)
    hash: str = ""
    custom: Object | None = field(default=None, repr=False)
    """For a custom resource the version as its definition writes it."""

    @property
    def qualified(self) -> str:
        """``deployments.apps``, as messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def bucket(self) -> Bucket:
        """What its objects are stored under."""
        return _KEPT_UNDER.get((self.group, self.plural), (self.group, self.plural))

    def key(self, namespace: str, name: str) -> str:
        """What one of its objects is stored under."""
        return f"{namespace}/{name}" if self.namespaced else name


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupVersion:
    """One version of a group, with its kinds."""

    group: str
    version: str
    resources: tuple[Resource, ...]


@functools.cache
def built_in() -> tuple[GroupVersion, ...]:
    """Every kind of the server itself, in the order of discovery."""
    return tuple(_group_version(entry) for entry in json.loads((_FACTS / "resources.json").read_text()))


def _group_version(entry: Object) -> GroupVersion:
    group, version = entry["group"], entry["version"]
    made = tuple(_resource(group, version, facts) for facts in entry["resources"])
    return GroupVersion(group=group, version=version, resources=made)


def _resource(group: str, version: str, facts: Mapping[str, Any]) -> Resource:
    return Resource(
        group=group,
        version=version,
        plural=facts["plural"],
        singular=facts["singular"],
        kind=facts["kind"],
        namespaced=facts["namespaced"],
        verbs=tuple(facts["verbs"]),
        type=types.built_in(facts.get("group", group), facts.get("version", version), facts["kind"]),
        short_names=tuple(facts.get("shortNames", ())),
        categories=tuple(facts.get("categories", ())),
        subresources=facts.get("subresources", {}),
        hash=facts["hash"],
    )


class Catalogue:
    """Finds kinds. What CRDs bring is read from the store each time: it is there once it is established.

    Args:
        store: Where CRDs are.
        own: What the server serves by itself.
    """

    def __init__(self, store: Store, own: tuple[GroupVersion, ...]) -> None:
        self._store = store
        self._own = own
        self._groups = {one.group for one in own}
        self._fixed = {(one.group, one.version, r.plural): r for one in own for r in one.resources}
        self._made: dict[tuple[str, str], tuple[Resource, ...]] = {}

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """One kind; None when it is not served."""
        fixed = self._fixed.get((group, version, plural))
        if fixed:
            return fixed
        definition = self._store.get(CRDS, f"{plural}.{group}")
        found = self._versions(definition) if definition and established(definition) else ()
        return next((one for one in found if one.version == version), None)

    def groups(self) -> list[GroupVersion]:
        """Everything that is served, groups of CRDs last."""
        found: dict[tuple[str, str], list[Resource]] = {}
        for _, definition in self._store.listed(CRDS):
            for one in self._versions(definition) if established(definition) else ():
                found.setdefault((one.group, one.version), []).append(one)
        custom = [
            GroupVersion(group=group, version=version, resources=tuple(resources))
            for (group, version), resources in sorted(found.items())
        ]
        return [*self._own, *custom]

    def is_own(self, group: str) -> bool:
        """Whether the server itself answers for a group."""
        return group in self._groups

    def resources(self) -> Iterator[Resource]:
        """Every kind."""
        for one in self.groups():
            yield from one.resources

    def _versions(self, definition: Object) -> tuple[Resource, ...]:
        metadata = definition["metadata"]
        key = (metadata["uid"], metadata["resourceVersion"])
        if key not in self._made:
            served = [one for one in definition["spec"]["versions"] if one["served"]]
            self._made[key] = tuple(_custom(definition, one) for one in served)
        return self._made[key]


def established(definition: Object) -> bool:
    """Whether a definition's kind is served."""
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _hash(storage: str) -> str:
    """What clients take for a sign that objects are stored in another way."""
    return base64.b64encode(hashlib.sha256(storage.encode()).digest()[:8]).decode()


def _custom(definition: Object, version: Object) -> Resource:
    spec, names = definition["spec"], definition["spec"]["names"]
    more = {
        name: {"kind": names["kind"], "verbs": ["get", "patch", "update"]} for name in version.get("subresources", {})
    }
    if "scale" in more:
        more["scale"] |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    return Resource(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        singular=names["singular"],
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        verbs=_VERBS,
        type=structural.resource_type(version.get("schema", {}).get("openAPIV3Schema", {})),
        short_names=tuple(names.get("shortNames", ())),
        categories=tuple(names.get("categories", ())),
        subresources=more,
        hash=_hash(f"{spec['group']}/{version['name']}/{names['kind']}"),
        custom=version,
    )
