"""What a post means, whoever sent it: a ref moved, an image moved, or nothing that concerns us.

An event is a hint. It names what somebody should look at again; nobody acts on the ids that it carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from lockstep import values
from lockstep.values import Json


class RefKind(Enum):
    """Where a ref lives."""

    BRANCH = "branch"
    TAG = "tag"
    OTHER = "other"


class Action(Enum):
    """What became of a ref or an image."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPush:
    """A ref of a git repository moved.

    Args:
        names: What the sender calls the repository, such as ``bank/pay``.
        urls: Every URL under which the sender knows it. They are compared with the configuration, never used.
        ref: The full ref, ``refs/heads/main``.
        kind: Branch, tag or another.
        action: Created, updated or deleted.
        before: The object id that it had; empty when there was none, or when the sender does not say.
        after: The object id that it has; empty likewise.
        forced: Whether history was rewritten; None when the sender does not say.
    """

    names: tuple[str, ...]
    urls: tuple[str, ...]
    ref: str
    kind: RefKind
    action: Action
    before: str = ""
    after: str = ""
    forced: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePush:
    """A manifest was pushed to a registry. ``tag`` is empty for a push by digest, ``digest`` when not said."""

    repository: str
    tag: str
    digest: str
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Nothing that concerns us, and why."""

    reason: str


Event: TypeAlias = GitPush | ImagePush | Nothing


def kind_of(ref: str) -> RefKind:
    """Where a full ref lives."""
    if ref.startswith("refs/heads/"):
        return RefKind.BRANCH
    return RefKind.TAG if ref.startswith("refs/tags/") else RefKind.OTHER


def action_of(before: str, after: str) -> Action:
    """What happened between two object ids, of which git writes 40 or 64 zeros for "nothing here"."""
    if values.is_null_oid(after):
        return Action.DELETE
    return Action.CREATE if values.is_null_oid(before) else Action.UPDATE


def as_json(event: Event) -> Json:
    """The event as it is kept with its delivery, and shown."""
    if isinstance(event, GitPush):
        return {
            "type": "GitPush",
            "repository": event.names[0] if event.names else (event.urls[0] if event.urls else ""),
            "ref": event.ref,
            "kind": event.kind.value,
            "action": event.action.value,
            "before": event.before,
            "after": event.after,
            "forced": event.forced,
        }
    if isinstance(event, ImagePush):
        return {
            "type": "ImagePush",
            "repository": event.repository,
            "tag": event.tag,
            "digest": event.digest,
            "action": event.action.value,
        }
    return {"type": "Nothing", "reason": event.reason}
