"""CNCF distribution, and registries that post its envelope (``notifications/event.go``, media type v2).

The registry posts whatever it did: blobs, pulls, children of an index, and what Lockstep itself pushed. Its
queue is in memory and in order, and an answer of 4xx blocks it for ever: what does not concern us is kept as
nothing, never refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from lockstep import errors, values
from lockstep.values import Json
from webhooks import events, signatures
from webhooks.providers import payload
from webhooks.providers.provider import Identity, Post

# Media types of manifests and indexes: OCI image specification 1.1 and Docker image manifest version 2.
MANIFESTS = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
# How Lockstep calls itself to registries: what it pushed itself is no news.
OURS = "lockstep/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An endpoint of the registry's ``notifications``; ``header`` carries the secret."""

    header: str = "authorization"
    content_types: frozenset[str] = frozenset(
        {
            "application/vnd.docker.distribution.events.v2+json",
            "application/vnd.docker.distribution.events.v1+json",
            "application/json",
        }
    )
    pings: frozenset[str] = frozenset()

    @property
    def credentials(self) -> frozenset[str]:
        """The header that was chosen, and the usual one."""
        return frozenset({self.header, "authorization"})

    def verify(self, post: Post, secrets: Sequence[bytes]) -> signatures.Judgement:
        """The registry signs nothing: it sends headers that it was told to send."""
        return signatures.static(post.header(self.header), secrets)

    def identity(self, post: Post) -> Identity:
        """The ids of the events, which stay the same when the registry tries again."""
        try:
            found = payload.objects(payload.read(post.body), "events")
        except errors.InputError:
            return Identity(delivery="", event="")
        ids = payload.distinct(payload.text(event, "id") for event in found)
        actions = payload.distinct(payload.text(event, "action") for event in found)
        return Identity(delivery=_one(ids), event=" ".join(actions))

    def parse(self, event: str, body: bytes) -> list[events.Event]:  # noqa: ARG002 - each event says what it is
        """Pushes of manifests; each event of the envelope becomes one of ours, in order."""
        found = payload.objects(payload.read(body), "events")
        return [_event(one) for one in found] or [events.Nothing(reason="the envelope holds no event")]


def _one(ids: tuple[str, ...]) -> str:
    if len(ids) <= 1:
        return "".join(ids)
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _event(event: dict[str, Json]) -> events.Event:
    action = payload.text(event, "action")
    media_type = payload.text(event, "target", "mediaType")
    repository = payload.text(event, "target", "repository")
    tag, digest = payload.text(event, "target", "tag"), payload.text(event, "target", "digest")
    if action != "push":
        return events.Nothing(reason=f"the action {action!r} brings no image")
    if media_type not in MANIFESTS:
        return events.Nothing(reason=f"{media_type or 'what has no media type'} is not a manifest")
    if payload.text(event, "request", "useragent").startswith(OURS):
        return events.Nothing(reason="Lockstep pushed it itself")
    sound = (not tag or values.is_tag(tag)) and (not digest or values.is_digest(digest)) and bool(tag or digest)
    if not values.is_repository(repository) or not sound:
        return events.Nothing(reason="a push that names no image")
    return events.ImagePush(repository=repository, tag=tag, digest=digest, action=events.Action.UPDATE)
