"""One request in, one answer out: who asks, may they, and who does it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.kubernetes_double import (
    access,
    admission,
    bodies,
    deleting,
    discovery,
    list_options,
    openapi,
    reading,
    releases,
    requests,
    reviews,
    scaling,
    statuses,
    versions,
    warnings,
    watching,
    writes,
    writing,
)
from tests.support.kubernetes_double.catalogue import CRDS, Catalogue, Resource
from tests.support.kubernetes_double.requests import Answer, Asked, Request, User
from tests.support.kubernetes_double.statuses import RefusedError
from tests.support.kubernetes_double.storage import Store
from tests.support.kubernetes_double.types import Object

_WELL = {"/healthz", "/livez", "/readyz"}
_NOT_SERVED = requests.plain("404 page not found\n", status=404)


class Api:
    """The API over a store.

    Args:
        store: Where objects are.
        pace: How watches go.
        later: Called with what the server does by itself after an answer.
        release: Which server it plays.
    """

    def __init__(
        self,
        store: Store,
        *,
        pace: watching.Pace,
        later: Callable[[Callable[[], None]], None],
        release: releases.Release,
    ) -> None:
        self._store = store
        self._pace = pace
        self._later = later
        self._release = release
        self._catalogue = Catalogue(store, release.built_in())
        self._access = access.Access(store)
        self._writer = writing.Writer(store)
        self._deleter = deleting.Deleter(store)
        self._tokens: dict[str, str] = {}
        self.address = ""

    @property
    def policies(self) -> list[admission.Policy]:
        """What a test lets admission make of objects, to be added to and taken from."""
        return self._writer.policies

    def token(self, user: str) -> str:
        """A token that says that its bearer is somebody."""
        token = secrets.token_urlsafe(24)
        self._tokens[token] = user
        return token

    def answered(self, request: Request, *, certified: str = "") -> Answer:
        """The answer. ``certified`` is who the client's certificate says that it is."""
        try:
            if request.method == "HEAD":
                raise statuses.not_allowed()
            user = self._who(request, certified)
            asked = requests.asked(request)
            self._access.check(user, asked)
            return self._resource(request, asked, user) if asked.is_resource else self._path(request)
        except RefusedError as refused:
            return requests.answer(refused.body, status=refused.body["code"], headers=refused.headers)

    def _who(self, request: Request, certified: str) -> User:
        """Who asks, or as whom they ask, where they may ask as others."""
        said = request.headers.get("authorization", "")
        name = certified
        if said:
            name = self._tokens.get(said.removeprefix("Bearer "), "")
            if not name:
                raise RefusedError(statuses.status(401, "Unauthorized", "Unauthorized"))
        user = access.account(name) if name else access.ANONYMOUS
        other = request.headers.get("impersonate-user", "")
        if not other:
            return user
        self._access.check(user, Asked(verb="impersonate", path="", is_resource=True, plural="users", name=other))
        group = request.headers.get("impersonate-group", "")
        groups = {access.AUTHENTICATED, group} if group else access.account(other).groups - {access.MASTERS}
        return User(name=other, groups=frozenset(groups))

    def _path(self, request: Request) -> Answer:
        if request.path.rstrip("/") in _WELL:
            return requests.plain("ok")
        if request.path.rstrip("/") == "/version":
            return requests.answer(releases.version(self._release))
        groups = self._catalogue.groups()
        _check_accepted(request)
        found = discovery.answered(request, groups, self.address, aggregated=self._release.aggregated)
        if found is None and self._release.openapi_v3:
            found = openapi.answered(request, groups, version=self._release.git_version)
        return found or _NOT_SERVED

    def _resource(self, request: Request, asked: Asked, user: User) -> Answer:
        resource = self._catalogue.find(asked.group, asked.version, asked.plural)
        if resource is None or _misplaced(asked, resource):
            return self._not_served(asked)
        if asked.plural == "namespaces":
            asked = replace(asked, namespace="")
        write = writes.Write(request=request, asked=asked, resource=resource, user=user)
        if asked.subresource:
            return self._subresource(write)
        if asked.verb not in resource.verbs or not _fits(asked, resource):
            raise statuses.not_allowed()
        if asked.verb in {"get", "list", "watch"}:
            return self._read(write)
        return self._change(write)

    def _not_served(self, asked: Asked) -> Answer:
        """A group of the server itself answers for what it has not; for other groups nobody answers."""
        if self._catalogue.is_own(asked.group):
            message = "the server could not find the requested resource"
            raise RefusedError(statuses.status(404, "NotFound", message, details={}))
        return _NOT_SERVED

    def _read(self, write: writes.Write) -> Answer:
        _check_accepted(write.request)
        request, asked, resource = write.request, write.asked, write.resource
        if asked.verb == "get":
            found = self._store.get(resource.bucket, write.key)
            if found is None:
                raise statuses.not_found(resource.qualified, asked.name)
            return _shown(request, versions.shown(found, resource))
        chosen = reading.chosen(request, asked, resource)
        if asked.verb == "watch":
            list_options.check_watch(request.query)
            lines = watching.events(self._store, request, chosen, self._pace)
            return Answer(headers={"Content-Type": requests.JSON}, body=lines)
        with self._store.lock:
            return _shown(request, reading.listed(self._store, request, chosen), listed=True)

    def _change(self, write: writes.Write) -> Answer:
        verb = write.asked.verb
        if verb == "create":
            body = reviews.reviewed(write.resource.kind, _json(write), write.user, self._access)
            if body is not None:
                head = {"kind": write.resource.kind, "apiVersion": write.resource.api_version}
                return requests.answer(head | body, status=201)
            return self._written(self._writer.create(write), write)
        if verb == "update":
            return self._written(self._writer.update(write), write)
        if verb == "patch":
            return self._written(self._writer.patch(write), write)
        return self._delete(write)

    def _written(self, done: writing.Written, write: writes.Write) -> Answer:
        if write.resource.bucket == CRDS and not write.dry:
            self._later(lambda: self._writer.establish(done.object["metadata"]["name"]))
        told = [*done.warnings, *warnings.of_kind(write.resource), *warnings.of_object(done.object, write.resource)]
        headers = {"Warning": ", ".join(_warning(text) for text in told)} if told else {}
        return requests.answer(done.object, status=201 if done.created else 200, headers=headers)

    def _delete(self, write: writes.Write) -> Answer:
        if write.asked.verb == "delete":
            body = self._deleter.delete(write)
            if write.resource.bucket == CRDS and not write.dry:
                self._later(lambda: self._deleter.clean_up(write.asked.name))
            return requests.answer(body)
        with self._store.lock:
            chosen = reading.chosen(write.request, write.asked, write.resource)
            found = [
                (key, one)
                for key, one in self._store.listed(write.resource.bucket, prefix=chosen.prefix)
                if chosen.test(one)
            ]
            self._deleter.delete_many(write, found)
            metadata = {"resourceVersion": str(self._store.revision)}
        return requests.answer(reading.as_list((one for _, one in found), write.resource, metadata))

    def _subresource(self, write: writes.Write) -> Answer:
        asked, resource = write.asked, write.resource
        facts = resource.subresources.get(asked.subresource)
        if facts is None:
            if resource.custom is not None:
                raise statuses.not_found(resource.qualified, asked.name)
            return self._not_served(asked)
        if self._store.get(resource.bucket, write.key) is None and asked.subresource not in {"status", "scale"}:
            raise statuses.not_found(resource.qualified, asked.name)
        if asked.verb not in facts["verbs"]:
            raise statuses.not_allowed()
        if asked.subresource == "scale":
            return requests.answer(scaling.scaled(self._store, self._writer, write))
        if asked.subresource == "token":
            return self._service_token(write)
        if asked.subresource == "finalize":
            return requests.answer(self._writer.finalize(write))
        if asked.subresource != "status":
            return _NOT_SERVED
        return self._read(write) if asked.verb == "get" else self._change(write)

    def _service_token(self, write: writes.Write) -> Answer:
        name = f"system:serviceaccount:{write.asked.namespace}:{write.asked.name}"
        status = {"token": self.token(name), "expirationTimestamp": "2036-01-01T00:00:00Z"}
        body = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {}}
        return requests.answer(body | {"spec": _json(write).get("spec") or {}, "status": status}, status=201)


def _misplaced(asked: Asked, resource: Resource) -> bool:
    """Whether an object is looked for in a namespace where it has none, or the other way round."""
    if resource.namespaced:
        return bool(asked.name) and not asked.namespace
    return bool(asked.namespace) and asked.plural != "namespaces"


def _fits(asked: Asked, resource: Resource) -> bool:
    """Whether a verb fits a path: what is created has no name yet, what is changed has, both have a namespace."""
    if asked.verb == "create":
        return not asked.name and (bool(asked.namespace) or not resource.namespaced)
    return bool(asked.name) or asked.verb not in {"update", "patch"}


def _check_accepted(request: Request) -> None:
    """Refuse who understands no JSON: there is nothing else here."""
    kinds = {one.partition(";")[0].strip() for one in request.headers.get("accept", "*/*").split(",")}
    if not kinds & {"", "*/*", "application/*", requests.JSON}:
        message = "406: Not Acceptable\n\nAvailable representations: application/json"
        raise RefusedError(statuses.status(406, "NotAcceptable", message, details={}))


def _json(write: writes.Write) -> Object:
    body: Any = bodies.parsed(write.request) if write.request.body.strip() else {}
    return body if isinstance(body, dict) else {}


def _warning(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{escaped}"'


def _shown(request: Request, body: Object, *, listed: bool = False) -> Answer:
    """The whole, or its metadata where only that is asked for."""
    wanted = "as=PartialObjectMetadataList" if listed else "as=PartialObjectMetadata"
    accepted = request.headers.get("accept", "").partition(",")[0].replace(" ", "")
    return requests.answer(requests.partial(body, listed=listed) if wanted in accepted else body)
