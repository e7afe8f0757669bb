"""What is asked and what is answered, apart from how it travels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.support.kubernetes_double.types import Object

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who asks."""

    name: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: header names in small letters, a parameter that is given twice by its first value."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def flag(self, name: str) -> bool:
        """Whether a parameter is set: ``1``, ``true`` and the like, or there without a value."""
        return name in self.query and self.query[name].lower() not in {"0", "f", "false"}

    @property
    def media_type(self) -> str:
        """What the body is said to be."""
        return self.headers.get("content-type", "").partition(";")[0].strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; a body that is an iterator is sent as it comes."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterator[bytes] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request means: a verb on a resource, or on a path that is none."""

    verb: str
    path: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def qualified(self) -> str:
        """``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


def asked(request: Request) -> Asked:
    """What a request means. (Kubernetes' ``RequestInfo``.)."""
    parts = request.path.strip("/").split("/")
    head = {"api": 2, "apis": 3}.get(parts[0], 0)
    if not head or len(parts) <= head:
        return Asked(verb=request.method.lower(), path=request.path)
    group, version = ("", parts[1]) if head == 2 else (parts[1], parts[2])
    rest = parts[head:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        # A namespace's own subresources lie below it like any other object's.
        if len(rest) > 2 and rest[2] not in {"status", "finalize"}:
            rest = rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    return Asked(
        verb=_verb(request, named=bool(name)),
        path=request.path,
        is_resource=True,
        group=group,
        version=version,
        plural=plural,
        namespace=namespace,
        name=name,
        subresource=subresource,
    )


def _verb(request: Request, *, named: bool) -> str:
    if request.method in {"GET", "HEAD"}:
        if request.flag("watch"):
            return "watch"
        return "get" if named else "list"
    if request.method == "DELETE":
        return "delete" if named else "deletecollection"
    return _VERBS.get(request.method, request.method.lower())


def answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status=status, headers={"Content-Type": JSON, **(headers or {})}, body=orjson.dumps(body))


def plain(text: str, *, status: int = 200) -> Answer:
    """An answer in plain text."""
    return Answer(status=status, headers={"Content-Type": "text/plain; charset=utf-8"}, body=text.encode())


def partial(body: Object, *, listed: bool = False) -> Object:
    """An object's metadata alone, as ``PartialObjectMetadata``."""
    version = "meta.k8s.io/v1"
    if not listed:
        return {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": body["metadata"]}
    items = [partial(one) for one in body["items"]]
    return {"kind": "PartialObjectMetadataList", "apiVersion": version, "metadata": body["metadata"], "items": items}
