"""The schemas of kinds as ``/openapi/v3`` shows them: from the same facts that the double's types are made of."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from tests.support.kubernetes_double import types
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.types import Object

_REFERENCE = "#/components/schemas/"
# What the real server writes for types of Go that JSON has several forms for.
_SCALARS: dict[str, Object] = {
    "any": {},
    "boolean": {"type": "boolean"},
    "byte": {"type": "string", "format": "byte"},
    "int-or-string": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "string": {"type": "string"},
    "time": {"type": "string", "format": "date-time"},
}
# Types that are shown by their own names, by which readers know them.
_NAMED = {
    "int-or-string": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
}


def of(resource: Resource) -> tuple[str, Object]:
    """The name of a kind's schema, and the schemas of everything that it is made of by their names."""
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    if resource.custom is not None:
        name = f"{resource.group}.{resource.version}.{resource.kind}"
        schema = resource.custom.get("schema", {}).get("openAPIV3Schema", {"type": "object"})
        return name, {name: {**schema, "x-kubernetes-group-version-kind": [kind]}}
    name = f"{resource.group.partition('.')[0] or 'core'}.{resource.version}.{resource.kind}"
    made = dict(_closure(name))
    return name, {**made, name: {**made[name], "x-kubernetes-group-version-kind": [kind]}}


@functools.cache
def _facts() -> dict[str, Object]:
    found: dict[str, Object] = json.loads((types.FACTS / "types.json").read_text())
    return found


def _closure(name: str) -> Iterator[tuple[str, Object]]:
    """A type and everything that it refers to."""
    seen, waiting = {name}, [name]
    while waiting:
        at = waiting.pop()
        schema = _SCALARS[_PLAIN[at]] if at in _PLAIN else _record(_facts()[at])
        yield at, schema
        found = set(_references(schema)) - seen
        seen |= found
        waiting += sorted(found)


_PLAIN = {shown: scalar for scalar, shown in _NAMED.items()}


def _record(entry: Object) -> Object:
    made: Object = {"type": "object", "properties": {name: _of(one) for name, one in entry["fields"].items()}}
    if entry.get("atomic"):
        made["x-kubernetes-map-type"] = "atomic"
    return made


def _of(fact: Any) -> Object:
    if isinstance(fact, str):
        name = _NAMED.get(fact, fact)
        return {"$ref": _REFERENCE + name} if name != fact or fact in _facts() else dict(_SCALARS[fact])
    if "map" in fact:
        atomic = {"x-kubernetes-map-type": "atomic"} if fact.get("atomic") else {}
        return {"type": "object", "additionalProperties": _of(fact["map"]), **atomic}
    made: Object = {"type": "array", "items": _of(fact["list"])}
    if fact.get("keys"):
        return {**made, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(fact["keys"])}
    return {**made, "x-kubernetes-list-type": "set" if fact.get("set") else "atomic"}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema and isinstance(schema["$ref"], str):
            yield schema["$ref"].removeprefix(_REFERENCE)
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)
