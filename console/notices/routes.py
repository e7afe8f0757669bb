"""The channels of a Notification, each by a name that holds no secret. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lockstep.topology import kinds, secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One channel: ``channel`` names the reference to its URL. Either a webhook, or an Apprise URL."""

    channel: str
    webhook: kinds.StandardWebhook | None = None
    apprise: kinds.SecretRef | None = None


def routes_of(notification: kinds.Notification) -> list[Route]:
    """Its channels, each once."""
    spec = notification.spec
    found = [
        *(Route(channel=f"apprise: {secrets.title(ref)}", apprise=ref) for ref in spec.apprise),
        *(Route(channel=f"webhook: {secrets.title(one.url)}", webhook=one) for one in spec.webhooks),
    ]
    return list({route.channel: route for route in found}.values())
