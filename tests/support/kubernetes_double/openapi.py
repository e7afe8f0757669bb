"""The index of ``/openapi/v3``, and the description of each group: its kinds with their schemas."""

from __future__ import annotations

import hashlib

from tests.support.kubernetes_double import catalogue, descriptions, requests
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
    return requests.answer(described(found, version=version)) if found else None


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


def described(one: GroupVersion, *, version: str) -> Object:
    """What is served of a group, as the real server describes it but for operations, of which it names one.

    That one is enough for ``kubectl`` to see that the server validates fields itself.
    """
    paths: Object = {}
    schemas: Object = {}
    option = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}]
    for resource in one.resources:
        kind = {"group": one.group, "version": one.version, "kind": resource.kind}
        where = f"/{_place(one)}/{'namespaces/{namespace}/' if resource.namespaced else ''}{resource.plural}/{{name}}"
        operation = {"x-kubernetes-group-version-kind": kind, "parameters": option, "responses": {}}
        paths[where] = {"patch": operation}
        own, needed = descriptions.of(resource)
        schemas = {**needed, **schemas, own: needed[own]}
    info = {"title": "double", "version": version}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def told(path: str) -> Object:
    """What a double without definitions says at one of the paths by which kinds are found out, to whoever asks here."""
    groups = {_place(one): one for one in catalogue.built_in()}
    place = path.partition("?")[0].strip("/")
    if place == "openapi/v3":
        return {"paths": {name: {"serverRelativeURL": f"{_ROOT}/{name}"} for name in groups}}
    if place in groups:
        listed = groups[place].resources
        return {"resources": [{"kind": one.kind, "verbs": list(one.verbs)} for one in listed]}
    return described(groups[place.removeprefix("openapi/v3/")], version="double")
