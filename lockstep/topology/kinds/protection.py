"""Who protects whom, how that is rehearsed, and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import model_validator

from lockstep.topology.kinds.base import Document, Model, SecretRef
from lockstep.topology.scalars import Duration, Name


class PairSpec(Model):
    """A primary and the standby that protects it."""

    primary: Name
    """The site that runs the applications in the stance ``normal``."""
    standby: Name
    """The site that takes over."""

    @model_validator(mode="after")
    def _two_sites(self) -> Self:
        if self.primary == self.standby:
            raise ValueError("a pair of a site with itself protects nothing; name two different sites")
        return self


class Pair(Document):
    """A primary and the standby that protects it."""

    kind: Literal["Pair"]
    """``Pair``."""
    spec: PairSpec
    """What it is."""


class DrillSpec(Model):
    """A rehearsed fail-over of a pair."""

    pair: Name
    """The pair that is drilled."""
    applications: tuple[Name, ...] = ()
    """The applications; all that the pair protects by default."""
    pipeline: Name | None = None
    """The Tekton Pipeline that walks the drill."""
    scenario: str = ""
    """What is assumed to have happened."""
    every: Duration = timedelta(days=365)
    """How long the last successful drill counts."""


class Drill(Document):
    """A rehearsed fail-over."""

    kind: Literal["Drill"]
    """``Drill``."""
    spec: DrillSpec
    """What it is."""


class StandardWebhook(Model):
    """A receiver of signed Standard Webhooks."""

    url: SecretRef
    """Where it listens."""
    secret: SecretRef
    """The signing secret, ``whsec_...``."""


class NotificationSpec(Model):
    """Who is told of what."""

    apprise: tuple[SecretRef, ...] = ()
    """Apprise URLs: mail, chat, and many more."""
    webhooks: tuple[StandardWebhook, ...] = ()
    """Receivers of signed Standard Webhooks."""
    on: tuple[Literal["new", "worse", "resolved", "open", "waiting", "failed"], ...] = (
        "new",
        "worse",
        "resolved",
    )
    """Which changes are told."""
    applications: tuple[Name, ...] = ()
    """About which applications; all by default."""
    language: Literal["en", "ko"] = "en"
    """In which language."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.apprise and not self.webhooks:
            raise ValueError("tells nobody; give apprise or webhooks")
        return self


class Notification(Document):
    """Who is told of what."""

    kind: Literal["Notification"]
    """``Notification``."""
    spec: NotificationSpec
    """What it is."""
