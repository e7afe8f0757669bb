"""A module for each sender. The configuration says which one a hook has; a post cannot choose it.

To add a sender: a module with a class that fills ``provider.Provider``, its name in the model
``lockstep.topology.kinds.webhook``, a line below, a section in ``docs/webhooks.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lockstep.topology.kinds.webhook import WebhookSpec
from webhooks.providers.distribution import Distribution
from webhooks.providers.gitea import Gitea
from webhooks.providers.github import GitHub
from webhooks.providers.provider import Identity, Post, Provider

_PROVIDERS: Mapping[str, Callable[[str], Provider]] = {
    "github": lambda _header: GitHub(),
    "gitea": lambda _header: Gitea(),
    "distribution": lambda header: Distribution(header=header.lower()),
}


def of(spec: WebhookSpec) -> Provider:
    """The sender that a hook is configured for."""
    return _PROVIDERS[spec.provider](spec.header)


def named(provider: str) -> Provider:
    """The sender of this name, to understand what it once posted. Raises KeyError."""
    return _PROVIDERS[provider]("Authorization")


__all__ = ["Identity", "Post", "Provider", "named", "of"]
