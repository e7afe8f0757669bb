"""The index of ``/openapi/v3``, and a description of each group that names its kinds and no more."""

from __future__ import annotations

import hashlib

from tests.support.kubernetes_double import requests
from tests.support.kubernetes_double.catalogue import GroupVersion
from tests.support.kubernetes_double.requests import Answer, Request
from tests.support.kubernetes_double.types import Object

_ROOT = "/openapi/v3"


def answered(request: Request, groups: list[GroupVersion], *, version: str) -> Answer | None:
    """The answer to a question about the description of the API; None when it is none."""
    path = request.path.rstrip("/")
    if path == _ROOT:
        return _index(groups)
    found = next((one for one in groups if path == f"{_ROOT}/{_place(one)}"), None)
    return requests.answer(_described(found, version)) if found else None


def _place(one: GroupVersion) -> str:
    return f"apis/{one.group}/{one.version}" if one.group else f"api/{one.version}"


def _index(groups: list[GroupVersion]) -> Answer:
    paths = {}
    for one in groups:
        place = _place(one)
        kinds = ",".join(resource.kind for resource in one.resources)
        digest = hashlib.sha512(f"{place}:{kinds}".encode()).hexdigest().upper()
        paths[place] = {"serverRelativeURL": f"{_ROOT}/{place}?hash={digest}"}
    return requests.answer({"paths": paths}, headers={"Content-Type": "text/plain; charset=utf-8"})


def _described(one: GroupVersion, version: str) -> Object:
    """Enough for ``kubectl`` to see that the server validates fields itself."""
    paths, schemas = {}, {}
    option = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}]
    for resource in one.resources:
        kind = {"group": one.group, "version": one.version, "kind": resource.kind}
        where = f"/{_place(one)}/{'namespaces/{namespace}/' if resource.namespaced else ''}{resource.plural}/{{name}}"
        operation = {"x-kubernetes-group-version-kind": kind, "parameters": option, "responses": {}}
        paths[where] = {"patch": operation}
        schemas[f"{one.group}.{one.version}.{resource.kind}"] = {
            "type": "object",
            "x-kubernetes-group-version-kind": [kind],
        }
    info = {"title": "double", "version": version}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}
