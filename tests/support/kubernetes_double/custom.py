"""Validation of custom resources by their schema. Rules in CEL are not looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.kubernetes_double import field_errors, names
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.field_errors import FieldError
from tests.support.kubernetes_double.types import Object

_PYTHON = {"string": str, "boolean": bool, "object": dict, "array": list}


def errors(given: Object, resource: Resource) -> Iterator[FieldError]:
    """Everything that is wrong with a custom resource."""
    name = given["metadata"].get("name", "")
    if not name:
        yield field_errors.required("metadata.name", "name or generateName is required")
    elif wrong := names.subdomain(name):
        yield field_errors.invalid("metadata.name", name, wrong)
    yield from names.labels(given["metadata"].get("labels") or {}, "metadata.labels")
    schema = (resource.custom or {}).get("schema", {}).get("openAPIV3Schema", {})
    yield from _value(given, schema, "")


def _value(value: Any, schema: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    if value is None and schema.get("nullable"):
        return
    wanted = schema.get("type")
    if wanted and not _is(value, wanted):
        shown = _kind(value)
        why = f'{at} in body must be of type {wanted}: "{shown}"'
        yield FieldError(field=at, reason="FieldValueTypeInvalid", message=f'Invalid value: "{shown}": {why}')
        return
    yield from _bounds(value, schema, at)
    if isinstance(value, dict):
        yield from _object(value, schema, at)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(item, schema.get("items", {}), f"{at}[{index}]")


def _object(value: Object, schema: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    for name in schema.get("required", ()):
        if name not in value:
            yield field_errors.required(f"{at}.{name}".removeprefix("."))
    more = schema.get("additionalProperties")
    for name, one in value.items():
        inner = schema.get("properties", {}).get(name, more if isinstance(more, dict) else None)
        if inner is not None and name not in ({"metadata"} if not at else ()):
            yield from _value(one, inner, f"{at}.{name}".removeprefix("."))


def _is(value: Any, wanted: str) -> bool:
    if wanted in {"integer", "number"}:
        numbers = int if wanted == "integer" else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool)
    return isinstance(value, _PYTHON[wanted])


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return {str: "string", int: "integer", float: "number", dict: "object", list: "array"}[type(value)]


def _bounds(value: Any, schema: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    if "enum" in schema and value not in schema["enum"]:
        yield field_errors.unsupported(at, value, schema["enum"])
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield field_errors.invalid(at, value, f"{at} in body should match '{schema['pattern']}'")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            why = f"{at} in body should be greater than or equal to {schema['minimum']}"
            yield field_errors.invalid(at, value, why)
        if "maximum" in schema and value > schema["maximum"]:
            yield field_errors.invalid(at, value, f"{at} in body should be less than or equal to {schema['maximum']}")
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        yield field_errors.too_long(at, f"may not be more than {schema['maxLength']} bytes")
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        why = f"{at} in body should be at least {schema['minLength']} chars long"
        yield field_errors.invalid(at, value, why)
