"""What a request carries, as an object of the kind that it is sent to."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator
from typing import Any

import orjson

from lockstep import documents, errors
from tests.support.kubernetes_double import (
    checking,
    defaulting,
    field_errors,
    forms,
    quantities,
    statuses,
    strategies,
    structural,
)
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.requests import Request
from tests.support.kubernetes_double.types import ANY, Form, Object, Type


def parsed(request: Request) -> Any:
    """The body as JSON; YAML where it is not.

    Raises:
        RefusedError: It is neither; in particular it is Protobuf, which only a real server reads.
    """
    if request.media_type == "application/vnd.kubernetes.protobuf":
        known = "application/json, application/yaml"
        message = f"the body of the request was in an unknown format - accepted media types include: {known}"
        raise statuses.RefusedError(statuses.status(415, "UnsupportedMediaType", message))
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError:
        try:
            (document,) = documents.read(request.body, file="body")
        except (errors.DocumentError, ValueError) as error:
            raise statuses.bad_request(f"error decoding YAML: {error}") from error
        return document.value


def _unrecognised(resource: Resource, why: str) -> statuses.RefusedError:
    what = f"the object provided is unrecognized (must be of type {resource.kind})"
    return statuses.bad_request(f"{what}: couldn't get version/kind; json parse error: {why}")


def read(request: Request, resource: Resource) -> tuple[Object, list[str]]:
    """The object that a create or an update sends, and what it warns of.

    Raises:
        RefusedError: It is of another kind, has a value of the wrong type, or a field too many where that is an error.
    """
    try:
        body = parsed(request)
    except statuses.RefusedError as refused:
        if refused.body["code"] == 415:
            raise
        raise _unrecognised(resource, str(refused)) from refused
    if not isinstance(body, dict):
        raise _unrecognised(resource, "cannot unmarshal it into Go value of type struct")
    _check_kind(body, resource)
    return decoded(body, resource, strictness=request.query.get("fieldValidation", "Warn"))


def _check_kind(body: Object, resource: Resource) -> None:
    version, kind = body.get("apiVersion", resource.api_version), body.get("kind", resource.kind)
    if resource.custom is not None:
        _check_custom_kind(version, kind, body, resource)
    elif (version, kind) != (resource.api_version, resource.kind):
        short = version.rpartition("/")[2]
        raise statuses.bad_request(
            f'{kind} in version "{short}" cannot be handled as a {resource.kind}: '
            f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        )


def _check_custom_kind(version: str, kind: str, body: Object, resource: Resource) -> None:
    if version != resource.api_version:
        raise statuses.bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
    if kind != resource.kind:
        name = (body.get("metadata") or {}).get("name", "")
        raise statuses.invalid(
            kind, resource.group, name, [field_errors.invalid("kind", kind, f"must be {resource.kind}")]
        )


def decoded(body: Object, resource: Resource, *, strictness: str = "Ignore") -> tuple[Object, list[str]]:
    """An object as its kind has it, defaults filled in, and the warnings of a lenient reader.

    Raises:
        RefusedError: A value has the wrong type, or a field is unknown and that is an error.
    """
    headed = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}} | body
    kept, unknown = structural.pruned(headed, resource.type)
    warnings = [f'unknown field "{path}"' for path in unknown]
    if warnings and strictness == "Strict":
        raise _unreadable(resource, f"strict decoding error: {', '.join(warnings)}")
    if resource.custom is None:
        wrong = next(_wrong(kept, resource.type), None)
        if wrong:
            raise _unreadable(resource, wrong)
    return completed(kept, resource), warnings if strictness == "Warn" else []


def _unreadable(resource: Resource, why: str) -> statuses.RefusedError:
    subject = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    return statuses.bad_request(f"{subject}: {why}")


def _wrong(value: Any, of: Type, at: str = "") -> Iterator[str]:
    """What Go could not read into its types."""
    if value is None or of.form is Form.ANY:
        return
    if of.form is Form.SCALAR:
        yield from _misread(value, of, at)
    elif isinstance(value, dict) and of.form is Form.RECORD:
        for name, one in value.items():
            yield from _wrong(one, of.under(name) or ANY, f"{at}.{name}".removeprefix("."))
    elif isinstance(value, list) and of.form is Form.LIST:
        for one in value:
            yield from _wrong(one, of.item or ANY, at)
    else:
        yield f"json: cannot unmarshal {_json_name(value)} into Go struct field {at}"


def _misread(value: Any, of: Type, at: str) -> Iterator[str]:
    if any(checking.errors(value, of)):
        yield f"json: cannot unmarshal {_json_name(value)} into Go struct field {at}"
    elif of.scalar == "integer" and isinstance(value, float) and not value.is_integer():
        yield f"json: cannot unmarshal number {value} into Go struct field {at}"
    elif of.scalar == "quantity":
        try:
            quantities.canonical(value)
        except ValueError as error:
            yield str(error)
    elif of.scalar == "byte":
        try:
            base64.b64decode(value, validate=True)
        except ValueError:
            yield "illegal base64 data"


def _json_name(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    return names[type(value)]


def completed(body: Object, resource: Resource) -> Object:
    """An object whose types are right, with what the server adds as it reads it."""
    if resource.custom is not None:
        metadata = forms.normal(body["metadata"] or {}, resource.type.fields["metadata"])
        made: Object = structural.defaulted(body | {"metadata": metadata}, resource.type)
        return made
    normal = forms.normal(_converted(body, resource), resource.type)
    filled = defaulting.filled(normal, resource.group, resource.kind)
    return forms.normal(filled, resource.type) | {"kind": resource.kind, "apiVersion": resource.api_version}


def _converted(body: Object, resource: Resource) -> Object:
    """What is written in one way and kept in another."""
    if resource.kind == "Secret" and body.get("stringData"):
        data = {key: base64.b64encode(text.encode()).decode() for key, text in body["stringData"].items()}
        return {**body, "data": {**(body.get("data") or {}), **data}, "stringData": None}
    if resource.kind == "Namespace" and resource.group == "" and body["metadata"].get("name"):
        made = copy.deepcopy(body)
        made["metadata"].setdefault("labels", {})
        made["metadata"]["labels"] = (made["metadata"]["labels"] or {}) | {
            "kubernetes.io/metadata.name": made["metadata"]["name"]
        }
        return made
    if resource.kind == "DaemonSet":
        made = copy.deepcopy(body)
        made["metadata"]["annotations"] = {strategies.TEMPLATE_GENERATION: "1"} | (
            made["metadata"].get("annotations") or {}
        )
        return made
    return body
