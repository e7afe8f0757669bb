"""What an API server says when it does not do what it was asked, as an error of the tree. Pure.

Source: ``metav1.Status`` of the API machinery, and what a real server answers where it says something else than
its documentation: an unknown or wrongly typed field of a server-side apply is a 500, a strange path a 404 in
plain text, a full quota a 403. Everything that a server says is a stranger's text: shortened, and on one line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from lockstep import errors
from lockstep.sites.cluster.transport import Answer
from lockstep.sites.http import dates
from lockstep.values import Json

_MOST_CHARACTERS = 1000
_MOST_CAUSES = 50
_QUOTING = (400, 422, 500)
# ``authorizer/rbac``: which right is missing, in the words of ``forbiddenMessage`` (apiserver, endpoints/handlers).
_MISSING_RIGHT = re.compile(
    r'User "[^"]*" cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)'
)
# structured-merge-diff and managedfields: what cannot be is told in a 500.
_UNTYPED = re.compile(
    r"failed to (?:create typed patch object|create typed new object|convert new object)[^:]*:\s*(?P<rest>.*)",
    re.DOTALL,
)
# apimachinery and apis/*/validation: what is told of a field that may never be changed, and of one that may not now.
_FIXED = re.compile(
    r"\bimmutable\b|\b(?:may|can|must) ?not (?:be )?chang|\bless than (?:previous|status)"
    r"|updates? .{0,200}\b(?:forbidden|may not|may only)\b",
    re.IGNORECASE | re.DOTALL,
)
_FIELD = re.compile(r"(?P<field>\.[^\s:]+): (?P<message>.+)", re.DOTALL)
_OWNER = re.compile(r'conflict with "(?P<manager>(?:[^"\\]|\\.)*)"')


class ExpiredError(errors.TemporaryError):
    """The server no longer has the moment that was asked for: begin again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a server was asked, in the words in which it is told to people."""

    server: str
    right: errors.Right


def check(answer: Answer, asked: Asked, *, now: datetime) -> None:
    """Let pass what was done as asked.

    Raises:
        LockstepError: It was not; which one, the module says.
    """
    if not 200 <= answer.status < 300:
        raise error_of(answer, asked, now=now)


def error_of(answer: Answer, asked: Asked, *, now: datetime) -> errors.LockstepError:
    """What an answer that is no success means."""
    if 300 <= answer.status < 400:
        return errors.RefusedError(
            f"{asked.server} sends us to another place, and credentials go nowhere else.",
            remedy="Write the API server's own address into the kubeconfig.",
        )
    return _error_of(_Said(answer=answer, status=status_of(answer), asked=asked, now=now))


def _error_of(said: _Said) -> errors.LockstepError:
    make = _BY_STATUS.get(said.answer.status)
    if make is None:
        make = _fault if said.answer.status >= 500 else _bad_request
    return make(said)


def status_of(answer: Answer) -> dict[str, Json]:
    """The ``Status`` of an answer; empty when it has none."""
    if "json" not in answer.headers.get("content-type", ""):
        return {}
    try:
        status = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return status if isinstance(status, dict) and status.get("kind") == "Status" else {}


def of_status(status: Mapping[str, Json], asked: Asked, *, now: datetime) -> errors.LockstepError:
    """What a ``Status`` in the middle of a watch means."""
    code = status.get("code")
    answer = Answer(status=code if isinstance(code, int) else 500, headers={}, body=b"")
    return _error_of(_Said(answer=answer, status=dict(status), asked=asked, now=now))


def line(text: Json) -> str:
    """A stranger's text, fit to be shown: one line, no control characters, not too long."""
    whole = " ".join(str(text)[: 2 * _MOST_CHARACTERS].split())
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in whole)
    return shown if len(shown) <= _MOST_CHARACTERS else f"{shown[:_MOST_CHARACTERS]}…"


def wait_seconds(answer: Answer, *, now: datetime) -> float:
    """How long a server asks us to wait (RFC 9110, "Retry-After": seconds or a date); 0 when it does not.

    A date is by the server's clock, and so has to be ``now``.
    """
    told = answer.headers.get("retry-after", "").strip()
    if told.isdecimal() and told.isascii():
        return float(told[:9])
    moment = dates.moment(told)
    return 0.0 if moment is None else max(0.0, (moment - now).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """An answer that is no success, taken apart."""

    answer: Answer
    status: dict[str, Json]
    asked: Asked
    now: datetime

    @property
    def message(self) -> str:
        """What the server says; when it is no Kubernetes that speaks, only its number.

        What is wrong with a Secret is often told by quoting it, and is not repeated.
        """
        if self.is_about_a_secret and self.answer.status in _QUOTING:
            return "what it says is not shown, because it may quote the Secret"
        return line(self.status.get("message") or f"it answered {self.answer.status}").rstrip(".")

    @property
    def is_about_a_secret(self) -> bool:
        return (self.asked.right.group, self.asked.right.resource) == ("", "secrets")

    @property
    def details(self) -> dict[str, Json]:
        details = self.status.get("details")
        return details if isinstance(details, dict) else {}

    @property
    def causes(self) -> list[dict[str, Json]]:
        causes = self.details.get("causes")
        return [one for one in causes if isinstance(one, dict)][:_MOST_CAUSES] if isinstance(causes, list) else []

    def has_cause(self, reason: str) -> bool:
        return any(cause.get("reason") == reason for cause in self.causes)


def _bad_request(said: _Said) -> errors.LockstepError:
    return errors.InputError(
        f"{said.asked.server} does not understand what it was asked ({said.asked.right}): {said.message}.",
        remedy="Correct the manifest.",
    )


def _unauthorised(said: _Said) -> errors.LockstepError:
    return errors.UnauthorisedError(
        f"{said.asked.server} does not know us.",
        remedy="Renew the token or the client certificate of the site's kubeconfig.",
    )


def _forbidden(said: _Said) -> errors.LockstepError:
    if said.has_cause("NamespaceTerminating"):
        return errors.ConflictError(
            f"The namespace {said.asked.right.namespace} is being deleted: {said.message}.",
            remedy="Wait until it is gone.",
        )
    found = _MISSING_RIGHT.search(str(said.status.get("message") or ""))
    if found is None:
        return errors.ForbiddenError(
            f"{said.asked.server} does not allow it: {said.message}.",
            remedy="A quota, a Pod security level or an admission rule of the site refuses it.",
        )
    right = errors.Right(
        verb=line(found["verb"]),
        resource=line(found["resource"]),
        group=line(found["group"]),
        namespace=line(found["namespace"] or ""),
        name=said.asked.right.name if said.asked.right.resource == found["resource"] else "",
    )
    return errors.ForbiddenError(
        f"We may not {right} at {said.asked.server}.",
        remedy=f"Let a role that is bound to us allow {right.verb} on {right.resource}.",
        right=right,
    )


def _not_found(said: _Said) -> errors.LockstepError:
    right = said.asked.right
    kind, name = str(said.details.get("kind") or ""), str(said.details.get("name") or "")
    if kind == "namespaces" and right.resource != "namespaces":
        return errors.NotFoundError(
            f"{said.asked.server} has no namespace {line(name)}.", remedy="Let the manifests or somebody create it."
        )
    if name:
        return errors.NotFoundError(f"{said.asked.server} has no {right.resource} {line(name)}.")
    return _not_served(said)


def _not_served(said: _Said) -> errors.LockstepError:
    right = said.asked.right
    kind = f"{right.resource}.{right.group}" if right.group else right.resource
    return errors.NotServedError(
        f"{said.asked.server} does not serve {kind}, or not this way.",
        remedy="Install what defines it there, or use a version that the site has.",
    )


def _not_understood(said: _Said) -> errors.LockstepError:
    return errors.UnsupportedError(
        f"{said.asked.server} does not speak as a Kubernetes API of 1.26 or later does: {said.message}.",
        remedy="Look whether a proxy stands before it.",
    )


def _conflict(said: _Said) -> errors.LockstepError:
    owned = tuple(
        errors.Owned(manager=_manager(cause), field=line(cause.get("field") or ""))
        for cause in said.causes
        if cause.get("reason") == "FieldManagerConflict"
    )
    if not owned:
        return errors.ConflictError(f"{said.asked.server}: {said.message}.", remedy="Look again, and decide again.")
    whose = ", ".join(f"{one.field} belongs to {one.manager}" for one in owned)
    return errors.OwnedError(
        f"{said.asked.right.resource} {said.asked.right.name}: {whose}.",
        remedy="Take these fields out of git, or name the object in the application's takeOver.",
        owned=owned,
    )


def _manager(cause: Mapping[str, Json]) -> str:
    found = _OWNER.search(str(cause.get("message") or ""))
    return line(found["manager"] if found else cause.get("message") or "somebody")


def _expired(said: _Said) -> errors.LockstepError:
    return ExpiredError(f"{said.asked.server} no longer has that moment: {said.message}.")


def _too_large(said: _Said) -> errors.LockstepError:
    return errors.InputError(
        f"{said.asked.server} finds it too large ({said.asked.right}).", remedy="Split the object: 1.5 MiB is the most."
    )


def _invalid(said: _Said) -> errors.LockstepError:
    faults = tuple(
        errors.Fault(field=line(cause.get("field") or ""), message=line(cause.get("message") or ""))
        for cause in said.causes
    )
    if any(_FIXED.search(str(cause.get("message") or "")) for cause in said.causes):
        return _invalid_error(said, faults, make=errors.FixedError)
    return _invalid_error(said, faults)


def _invalid_error(
    said: _Said, faults: tuple[errors.Fault, ...], *, make: type[errors.InvalidError] = errors.InvalidError
) -> errors.InvalidError:
    if said.is_about_a_secret:
        faults = tuple(errors.Fault(field=fault.field, message="its value is not shown") for fault in faults)
    fields = f" in {', '.join(fault.field for fault in faults)}" if said.is_about_a_secret and faults else ""
    return make(
        f"{said.asked.server} calls {said.asked.right.resource} {said.asked.right.name} invalid{fields}: "
        f"{said.message}.",
        remedy="Correct the manifest.",
        faults=faults,
    )


def _throttled(said: _Said) -> errors.LockstepError:
    seconds = wait_seconds(said.answer, now=said.now)
    return errors.ThrottledError(
        f"{said.asked.server} is busy and asks us to wait {seconds:g} s.",
        remedy="It is tried again by itself; let fewer calls go there at once if it goes on.",
        wait_seconds=seconds,
    )


def _internal(said: _Said) -> errors.LockstepError:
    found = _UNTYPED.search(str(said.status.get("message") or ""))
    if found is None:
        return _fault(said)
    field = _FIELD.search(found["rest"])
    faults = () if field is None else (errors.Fault(field=line(field["field"]), message=line(field["message"])),)
    return _invalid_error(said, faults)


def _fault(said: _Said) -> errors.LockstepError:
    return errors.FaultError(
        f"{said.asked.server} failed: {said.message}.", remedy="Look into the log of the site's API server."
    )


def _unavailable(said: _Said) -> errors.LockstepError:
    return _throttled(said) if said.answer.headers.get("retry-after") else _fault(said)


_BY_STATUS = {
    401: _unauthorised,
    403: _forbidden,
    404: _not_found,
    405: _not_served,
    406: _not_understood,
    409: _conflict,
    410: _expired,
    413: _too_large,
    415: _not_understood,
    422: _invalid,
    429: _throttled,
    500: _internal,
    502: _unavailable,
    503: _unavailable,
    504: _unavailable,
}
