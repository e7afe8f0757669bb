"""What is asked for when something is written, and what is refused before anybody looks at what is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.kubernetes_double import checking, field_errors, ownership, patches, statuses, strategies
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.requests import Asked, Request, User
from tests.support.kubernetes_double.types import Object


def present() -> str:
    """The time as objects have it: to the second."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write that is asked for."""

    request: Request
    asked: Asked
    resource: Resource
    user: User
    now: str = field(default_factory=present)

    @property
    def dry(self) -> bool:
        """Whether nothing is to be kept."""
        return self.request.query.get("dryRun") == "All"

    @property
    def key(self) -> str:
        """What its object is stored under."""
        return self.resource.key(self.asked.namespace, self.asked.name)

    def manager(self, *, applies: bool = False) -> ownership.Manager:
        """Who comes to own what it changes."""
        agent = self.request.headers.get("user-agent", "unknown").partition("/")[0]
        return ownership.Manager(
            name=self.request.query.get("fieldManager") or agent,
            applies=applies,
            version=self.resource.api_version,
            subresource=self.asked.subresource,
        )

    def writing(self, *, applies: bool = False) -> ownership.Writing:
        """The same as ownership sees it."""
        return ownership.Writing(
            manager=self.manager(applies=applies),
            of=self.resource.type,
            now=self.now,
            reset=strategies.reset(self.resource, self.asked.subresource),
        )


def placed(given: Object, write: Write) -> Object:
    """An object at the place that it was sent to.

    Raises:
        RefusedError: It says that it belongs elsewhere.
    """
    metadata = dict(given.get("metadata") or {})
    asked = write.asked
    if asked.name and not metadata.get("name"):
        why = f"the name of the object ({asked.name} based on URL) was undeterminable: name must be provided"
        raise statuses.bad_request(why)
    if asked.name and metadata["name"] != asked.name:
        raise statuses.bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({asked.name})"
        )
    if write.resource.namespaced and metadata.setdefault("namespace", asked.namespace) != asked.namespace:
        raise statuses.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not write.resource.namespaced:
        metadata.pop("namespace", None)
    return given | {"metadata": metadata}


def check_version(live: Object, body: Object, write: Write) -> None:
    """Refuse a write that rests on what is no longer so."""
    metadata, now = body.get("metadata") or {}, live.get("metadata", {})
    if metadata.get("uid") and metadata["uid"] != now.get("uid"):
        why = (
            f"StorageError: invalid object, Code: 4, Key: /registry/{write.resource.plural}/{write.key}, "
            "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: "
            f"UID in precondition: {metadata['uid']}, UID in object meta: {now.get('uid')}"
        )
        raise statuses.conflict(write.resource.qualified, write.asked.name, why)
    if metadata.get("resourceVersion") and metadata["resourceVersion"] != now.get("resourceVersion"):
        why = "the object has been modified; please apply your changes to the latest version and try again"
        raise statuses.conflict(write.resource.qualified, write.asked.name, why)
    if write.request.method == "PUT" and write.resource.custom and not metadata.get("resourceVersion"):
        error = field_errors.invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise statuses.invalid(write.resource.plural, write.resource.group, write.asked.name, [error])


def check_options(write: Write) -> None:
    """Refuse options that there are not, or not for this."""
    kinds = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
    kind = kinds[write.request.method]
    dry = write.request.query.get("dryRun", "All")
    if dry != "All":
        raise _invalid_option(kind, field_errors.unsupported("dryRun", [dry], ["All"]))
    if write.request.query.get("force") and write.request.media_type != patches.APPLY:
        raise _invalid_option(kind, field_errors.forbidden("force", "may not be specified for non-apply patch"))


def check_apply(write: Write) -> None:
    """Refuse an apply by nobody."""
    if not write.request.query.get("fieldManager"):
        error = field_errors.required("fieldManager", "is required for apply patch")
        raise _invalid_option("PatchOptions", error)


def _invalid_option(kind: str, error: field_errors.FieldError) -> statuses.RefusedError:
    return statuses.invalid(kind, "meta.k8s.io", "", [error])


def check_patch(patch: Any, write: Write) -> None:
    """Refuse an apply that is not of this kind or that has fields which the kind has not."""
    resource = write.resource
    if not isinstance(patch, dict):
        raise statuses.bad_request("error decoding YAML: an object is wanted")
    version, kind = patch.get("apiVersion") or "/", patch.get("kind") or ""
    if (version, kind) != (resource.api_version, resource.kind):
        raise statuses.bad_request(f"invalid object type: {version if '/' in version else f'/{version}'}, Kind={kind}")
    if (patch.get("metadata") or {}).get("managedFields"):
        raise statuses.bad_request("metadata.managedFields must be nil")
    found = list(checking.errors(patch, resource.type))
    if found:
        told = found[0] if len(found) == 1 else "errors:" + "".join(f"\n  {error}" for error in found)
        metadata = patch.get("metadata") or {}
        where = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
        what = f"{resource.api_version}, Kind={resource.kind}"
        raise statuses.internal(f"failed to create typed patch object ({where}; {what}): {told}")


def unsupported(resource: Resource) -> statuses.RefusedError:
    """What is said of a body of another kind than the server takes."""
    if resource.custom is None:
        body = statuses.status(415, "UnsupportedMediaType", "415: Unsupported Media Type", details={})
    else:
        known = ", ".join(kind for kind in patches.MEDIA_TYPES if kind != patches.STRATEGIC)
        message = f"the body of the request was in an unknown format - accepted media types include: {known}"
        body = statuses.status(415, "UnsupportedMediaType", message)
    return statuses.RefusedError(body)
