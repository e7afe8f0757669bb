"""What the server says when it does not do what it is asked: ``Status`` objects, in its own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.kubernetes_double.field_errors import FieldError
from tests.support.kubernetes_double.types import Object


class RefusedError(Exception):
    """A request that is answered with a failure."""

    def __init__(self, body: Object, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body["message"])
        self.body = body
        self.headers = dict(headers or {})


def status(code: int, reason: str, message: str, *, details: Object | None = None) -> Object:
    """A ``Status`` of a failure."""
    found: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    if reason:
        found["reason"] = reason
    if details is not None:
        found["details"] = details
    return found | {"code": code}


def named(name: str, group: str, kind: str) -> Object:
    """Details that say which object, without what is empty."""
    return {key: one for key, one in (("name", name), ("group", group), ("kind", kind)) if one}


def success(name: str, group: str, plural: str, *, uid: str) -> Object:
    """What a delete is answered with once the object is gone."""
    details = named(name, group, plural) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def bad_request(message: str) -> RefusedError:
    """The request itself makes no sense."""
    return RefusedError(status(400, "BadRequest", message))


def not_found(qualified: str, name: str) -> RefusedError:
    """There is no such object; ``qualified`` is such as ``deployments.apps``."""
    plural, _, group = qualified.partition(".")
    return RefusedError(status(404, "NotFound", f'{qualified} "{name}" not found', details=named(name, group, plural)))


def already_exists(qualified: str, name: str, *, leaving: bool) -> RefusedError:
    """There is one of that name; perhaps one that is to go."""
    plural, _, group = qualified.partition(".")
    details = named(name, group, plural)
    message = f'{"object is being deleted: " if leaving else ""}{qualified} "{name}" already exists'
    return RefusedError(status(409, "AlreadyExists", message, details=details))


def conflict(qualified: str, name: str, why: str) -> RefusedError:
    """It is not what the writer thinks it is."""
    plural, _, group = qualified.partition(".")
    message = f'Operation cannot be fulfilled on {qualified} "{name}": {why}'
    return RefusedError(status(409, "Conflict", message, details=named(name, group, plural)))


def invalid(kind: str, group: str, name: str, errors: Iterable[FieldError]) -> RefusedError:
    """Fields have values that they may not have."""
    found = list(errors)
    causes = [{"reason": one.reason, "message": one.message, "field": one.field} for one in found]
    listed = found[0].shown if len(found) == 1 else f"[{', '.join(one.shown for one in found)}]"
    qualified = f"{kind}.{group}" if group else kind
    message = f'{qualified} "{name}" is invalid: {listed}'
    return RefusedError(status(422, "Invalid", message, details=named(name, group, kind) | {"causes": causes}))


def forbidden(qualified: str, name: str, why: str, *, causes: list[Any] | None = None) -> RefusedError:
    """Somebody may not, or a rule of the cluster is against it."""
    plural, _, group = qualified.partition(".")
    subject = f'{qualified} "{name}"' if name else qualified
    details = named(name, group, plural) | ({"causes": causes} if causes else {})
    return RefusedError(status(403, "Forbidden", f"{subject} is forbidden: {why}", details=details))


def expired(message: str, *, continuation: str = "") -> RefusedError:
    """What was asked for is too old."""
    body = status(410, "Expired", message)
    if continuation:
        body["metadata"] = {"continue": continuation}
    return RefusedError(body)


def internal(message: str) -> RefusedError:
    """A 500 without a reason, as an error of a library comes out."""
    return RefusedError(status(500, "", message))


def not_allowed() -> RefusedError:
    """The path is served, the verb is not."""
    message = "the server does not allow this method on the requested resource"
    return RefusedError(status(405, "MethodNotAllowed", message, details={}))


def too_many(seconds: int) -> RefusedError:
    """Slow down."""
    message = "too many requests, please try again later"
    body = status(429, "TooManyRequests", message, details={"retryAfterSeconds": seconds})
    return RefusedError(body, headers={"Retry-After": str(seconds)})
