"""The types of custom resources, from the structural schemas of their definitions.

(Kubernetes' documentation, "Extend the Kubernetes API with CustomResourceDefinitions".)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.kubernetes_double import types
from tests.support.kubernetes_double.types import ANY, STRING, Form, Object, Type


def resource_type(schema: Mapping[str, Any]) -> Type:
    """The type of one version of a custom resource."""
    made = (
        _record(schema) if schema.get("properties") or not schema.get("x-kubernetes-preserve-unknown-fields") else None
    )
    made = made or Type(form=Form.RECORD, rest=ANY)
    made.fields |= _head()
    return made


def _head() -> dict[str, Type]:
    return {"apiVersion": STRING, "kind": STRING, "metadata": types.named("meta.v1.ObjectMeta")}


def _of(schema: Mapping[str, Any]) -> Type:
    if schema.get("x-kubernetes-int-or-string"):
        return Type(form=Form.SCALAR, scalar="int-or-string")
    kind = schema.get("type")
    if kind == "array":
        return _list(schema)
    if kind == "object":
        bare = not schema.get("properties") and "additionalProperties" not in schema
        return ANY if bare and not schema.get("x-kubernetes-embedded-resource") else _record(schema)
    return ANY if kind is None else Type(form=Form.SCALAR, scalar=kind)


def _record(schema: Mapping[str, Any]) -> Type:
    properties = schema.get("properties", {})
    made = Type(form=Form.RECORD, fields={name: _of(one) for name, one in properties.items()})
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        made.rest = _of(more)
    elif more or schema.get("x-kubernetes-preserve-unknown-fields"):
        made.rest = ANY
    if schema.get("x-kubernetes-embedded-resource"):
        made.fields |= {name: one for name, one in _head().items() if name not in properties}
    made.nullable = frozenset(name for name, one in properties.items() if one.get("nullable"))
    made.rest_nullable = not isinstance(more, dict) or bool(more.get("nullable"))
    made.defaults = {name: one["default"] for name, one in properties.items() if "default" in one}
    made.required = frozenset(schema.get("required", ()))
    made.atomic = schema.get("x-kubernetes-map-type") == "atomic"
    return made


def _list(schema: Mapping[str, Any]) -> Type:
    kind = schema.get("x-kubernetes-list-type", "atomic")
    keys = tuple(schema.get("x-kubernetes-list-map-keys", ())) if kind == "map" else ()
    return Type(
        form=Form.LIST, item=_of(schema.get("items", {})), keys=keys, unique=kind == "set", atomic=kind == "atomic"
    )


def pruned(value: Any, of: Type, at: str = "") -> tuple[Any, list[str]]:
    """What is declared of a value, and the paths of what was not."""
    if of.form is Form.LIST and isinstance(value, list):
        parts = [pruned(item, of.item or ANY, f"{at}[{index}]") for index, item in enumerate(value)]
        return [part for part, _ in parts], [path for _, paths in parts for path in paths]
    if of.form is not Form.RECORD or not isinstance(value, dict):
        return value, []
    kept: Object = {}
    lost: list[str] = []
    for name, one in value.items():
        inner, here = of.under(name), f"{at}.{name}".removeprefix(".")
        if inner is None:
            lost.append(here)
        else:
            kept[name], more = pruned(one, inner, here)
            lost += more
    return kept, lost


def defaulted(value: Any, of: Type) -> Any:
    """A value with its defaults filled in; a null that may be there holds them off, and any other is nothing."""
    if of.form is Form.LIST and isinstance(value, list):
        return [defaulted(item, of.item or ANY) for item in value]
    if of.form is not Form.RECORD or not isinstance(value, dict):
        return value
    filled = {name: one for name, one in value.items() if one is not None or _may_be_null(name, of)}
    filled = {name: one for name, one in of.defaults.items() if name not in filled} | filled
    return {name: defaulted(one, of.under(name) or ANY) for name, one in filled.items()}


def _may_be_null(name: str, of: Type) -> bool:
    """Whether the server keeps a null under a name (apiextensions-apiserver, defaulting/prune.go)."""
    return name in of.nullable if name in of.fields else of.rest_nullable
