"""Gitea, and what descends from it with the same headers (``services/webhook/deliver.go``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webhooks import signatures
from webhooks.events import Event
from webhooks.providers import forge
from webhooks.providers.provider import Identity, Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Gitea:
    """A repository's, an organisation's or a system webhook of type Gitea."""

    content_types: frozenset[str] = forge.CONTENT_TYPES
    pings: frozenset[str] = frozenset()
    credentials: frozenset[str] = frozenset(
        {
            "x-gitea-signature",
            "x-forgejo-signature",
            "x-gogs-signature",
            "x-hub-signature-256",
            "x-hub-signature",
            "authorization",
        }
    )

    def verify(self, post: Post, secrets: Sequence[bytes]) -> signatures.Judgement:
        """``X-Gitea-Signature`` (bare hex), or GitHub's header, which Gitea sends beside it; never SHA-1 alone."""
        return signatures.either(
            signatures.bare_hmac(post.header("x-gitea-signature"), post.body, secrets),
            signatures.prefixed_hmac(post.header("x-hub-signature-256"), post.body, secrets),
        )

    def identity(self, post: Post) -> Identity:
        """Gitea sends GitHub's headers too; its own are looked at first."""
        return Identity(
            delivery=post.header("x-gitea-delivery") or post.header("x-github-delivery"),
            event=post.header("x-gitea-event") or post.header("x-github-event"),
        )

    def parse(self, event: str, body: bytes) -> list[Event]:
        """Pushes, and refs that were made or deleted."""
        return forge.parse(event, body)
