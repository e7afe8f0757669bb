"""Custom resources: their definitions, and what their schemas make of objects."""

from __future__ import annotations

from typing import Any

from tests.kubernetes_double.scenarios import (
    Step,
    apply,
    create,
    delete,
    get,
    json_patch,
    merge,
    namespace,
    replace,
    strategic,
)

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_PARTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "n": {"type": "integer", "default": 1}},
    },
}
_SPEC = {
    "need": {"type": "string"},
    "size": {"type": "integer", "default": 3, "minimum": 1, "maximum": 9},
    "mode": {"type": "string", "enum": ["a", "b"]},
    "cpu": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "list": {"type": "array", "items": {"type": "string"}},
    "parts": _PARTS,
}


def _definition(group: str, **spec: Any) -> dict[str, Any]:
    status = {"type": "object", "properties": {"n": {"type": "integer"}}}
    inner = {"type": "object", "required": ["need"], "properties": _SPEC}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"status": status, "spec": inner}}}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": schema}
    names = {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wd"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version], **spec},
    }


def custom_resources(name: str) -> list[Step]:
    """From the definition to its end."""
    group = f"{name}.example"
    definition, at = f"{_DEFINITIONS}/widgets.{group}", f"/apis/{group}/v1/namespaces/{name}/widgets"

    def widget(called: str = "one", **spec: Any) -> dict[str, Any]:
        head = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": called}}
        return {**head, "spec": {"need": "x", **spec}}

    rich = widget(
        cpu="1000m", parts=[{"name": "a"}, {"name": "b", "n": 2}], tags=["x", "y"], list=["1"], free={"a": {"b": [1]}}
    )
    refused = [
        widget(unknown=1),
        widget(size="x"),
        widget(mode="c"),
        widget(size=99),
        widget(parts=[{"n": 1}]),
        widget(tags=["a", "a"]),
        widget(parts=[{"name": "a"}, {"name": "a"}]),
        {**widget(), "more": 1},
        {**widget(), "spec": {}},
    ]
    return [
        *namespace(name),
        apply(definition, _definition(group)),
        get(at, until=200),
        get(f"/apis/{group}"),
        get(f"/apis/{group}/v1"),
        get(f"/apis/{group}/v1/others"),
        get(f"/apis/{group}/v1/widgets/one"),
        apply(f"{at}/one", rich),
        apply(f"{at}/one", rich),
        apply(f"{at}/one", widget(parts=[{"name": "b", "n": 2}], tags=["y"], labels={})),
        apply(f"{at}/one", widget(tags=["z"], size=5), manager="other"),
        apply(f"{at}/one", {**widget(), "spec": {"need": "y"}}, manager="other"),
        apply(f"{at}/one", widget(need="y"), manager="other", options="&force=true"),
        *(apply(f"{at}/one", one) for one in refused),
        create(at, widget("two", unknown=1, size=None)),
        create(f"{at}?fieldValidation=Strict", widget("three", unknown=1)),
        create(at, widget("three", size="x")),
        create(at, widget("Three_")),
        create(at, {**widget("three"), "kind": "Other"}),
        create(at, {**widget("three"), "apiVersion": "v1"}),
        replace(f"{at}/two", widget("two")),
        merge(f"{at}/two", {"spec": {"size": 7, "mode": None}}),
        strategic(f"{at}/two", {"spec": {"size": 7}}),
        json_patch(f"{at}/two", {"op": "replace", "path": "/spec/size", "value": 2}),
        merge(f"{at}/two/status", {"status": {"n": 3}, "spec": {"size": 9}}),
        merge(f"{at}/two", {"status": {"n": 5}}),
        get(f"{at}/two/scale"),
        get(at),
        get(f"/apis/{group}/v1/widgets"),
        delete(f"{at}/two"),
        delete(at),
        apply(f"{_DEFINITIONS}/bad.{group}", {**_definition(group), "metadata": {"name": f"bad.{group}"}}),
        merge(definition, {"spec": {"scope": "Cluster"}}),
        delete(definition),
        get(definition, until=404),
    ]


def nulls(name: str) -> list[Step]:
    """Where null is a value, where it holds off a default, and where it is nothing."""
    group = f"{name}.nulls.example"
    definition, at = _definition(group), f"/apis/{group}/v1/namespaces/{name}/widgets"
    body = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    body["required"] = []
    body["properties"] |= {
        "perhaps": {"type": "integer", "nullable": True, "default": 5},
        "nothing": {"type": "integer", "nullable": True},
        "some": {"type": "object", "additionalProperties": {"type": "string", "nullable": True}},
    }
    kept = {"free": {"a": None, "b": {"c": None}}, "perhaps": None, "nothing": None, "some": {"k": None}}
    lost: list[dict[str, Any]] = [{"need": None}, {"labels": {"k": None}}, {"free": None}, {"size": None}]
    head = {"apiVersion": f"{group}/v1", "kind": "Widget"}
    return [
        *namespace(name),
        apply(f"{_DEFINITIONS}/widgets.{group}", definition),
        get(at, until=200),
        create(at, {**head, "metadata": {"name": "created"}, "spec": kept}),
        apply(f"{at}/applied", {**head, "metadata": {"name": "applied"}, "spec": kept}),
        *(create(at, {**head, "metadata": {"name": f"lost-{next(iter(one))}"}, "spec": one}) for one in lost),
        delete(f"{_DEFINITIONS}/widgets.{group}"),
    ]


SCENARIOS = (custom_resources, nulls)
