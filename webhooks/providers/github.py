"""GitHub, github.com and Enterprise Server ("Webhook events and payloads", "Validating webhook deliveries")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webhooks import signatures
from webhooks.events import Event
from webhooks.providers import forge
from webhooks.providers.provider import Identity, Post


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub:
    """A repository's, an organisation's or an app's webhook."""

    content_types: frozenset[str] = forge.CONTENT_TYPES
    pings: frozenset[str] = frozenset({"ping"})
    credentials: frozenset[str] = frozenset({"x-hub-signature-256", "x-hub-signature"})

    def verify(self, post: Post, secrets: Sequence[bytes]) -> signatures.Judgement:
        """``X-Hub-Signature-256`` only: the older SHA-1 header alone is not believed."""
        if not post.header("x-hub-signature-256") and post.header("x-hub-signature"):
            return signatures.Judgement.REFUSED
        return signatures.prefixed_hmac(post.header("x-hub-signature-256"), post.body, secrets)

    def identity(self, post: Post) -> Identity:
        """``X-GitHub-Delivery`` stays the same when GitHub delivers again."""
        return Identity(delivery=post.header("x-github-delivery"), event=post.header("x-github-event"))

    def parse(self, event: str, body: bytes) -> list[Event]:
        """Pushes, and refs that were made or deleted."""
        return forge.parse(event, body)
