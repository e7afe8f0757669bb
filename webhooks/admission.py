"""Whether a post is let in: the order of the questions, and the answer to each. Pure.

A hook that does not exist is asked the same questions as one that does, with a secret that nobody has, so
that neither the time nor the text of a refusal tells which hooks there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from lockstep.topology.kinds.webhook import WebhookSecret, WebhookSpec
from webhooks import providers
from webhooks.signatures import Judgement

STRANGER = WebhookSpec(provider="github", secrets=(WebhookSecret(env="NOBODY"),))
"""The hook that stands in for one that does not exist; its secret is never read."""

_MEDIA_TYPE = re.compile(r"\s*([^;\s]+)\s*(?:;.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a post is not let in. ``status`` is HTTP's; ``why`` is counted with the hook and shown to its owner."""

    status: int
    why: str


def by_source(address: str | None, sources: Sequence[str]) -> Refusal | None:
    """Refuse who posts from another network than those that may."""
    if not sources or _within(address, sources):
        return None
    return Refusal(status=403, why="it came from a network that may not post")


def by_type(content_type: str, content_encoding: str, accepted: Iterable[str]) -> Refusal | None:
    """Refuse media types that the sender does not post, and compressed bodies (RFC 9110, 15.5.16)."""
    match = _MEDIA_TYPE.fullmatch(content_type)
    if match is None or match[1].lower() not in accepted:
        return Refusal(status=415, why="its media type is not one that this sender posts")
    if content_encoding.strip().lower() not in ("", "identity"):
        return Refusal(status=415, why="its body is compressed")
    return None


def by_signature(
    provider: providers.Provider, post: providers.Post, secrets: Sequence[bytes], *, allow_unsigned: bool
) -> Refusal | None:
    """Refuse who does not prove that he shares a secret with us."""
    judgement = provider.verify(post, secrets)
    if judgement is Judgement.BELIEVED:
        return None
    if allow_unsigned and (judgement is Judgement.UNSIGNED or not secrets):
        return None
    why = "it was not signed" if judgement is Judgement.UNSIGNED else "its signature is not ours"
    return Refusal(status=401, why=why)


def _within(address: str | None, sources: Sequence[str]) -> bool:
    try:
        # A zone (fe80::1%eth0) says by which door it came, not from where.
        peer = ip_address((address or "").partition("%")[0])
    except ValueError:  # a Unix socket has no address
        return False
    if isinstance(peer, IPv6Address) and peer.ipv4_mapped:
        peer = peer.ipv4_mapped
    return any(peer in ip_network(source) for source in sources)
