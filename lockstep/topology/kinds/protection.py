"""Who protects whom, how that is rehearsed, and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from lockstep.topology.forms import EachOnce, FieldError
from lockstep.topology.kinds.base import Document, Model, SecretRef
from lockstep.topology.scalars import Interval, Name, Names


class PairSpec(Model):
    """A primary and the standby that protects it."""

    primary: Name
    """The site that runs the applications in the stance ``normal``."""
    standby: Name
    """The site that takes over."""

    @model_validator(mode="after")
    def _two_sites(self) -> Self:
        if self.primary == self.standby:
            raise FieldError("is a pair of a site with itself, which protects nothing.", "Name two different sites.")
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
    applications: Names = ()
    """The applications; all that the pair protects by default."""
    pipeline: Name | None = None
    """The Tekton Pipeline that walks the drill."""
    scenario: str = ""
    """What is assumed to have happened."""
    every: Interval = timedelta(days=365)
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


Change: TypeAlias = Literal["new", "worse", "resolved", "open", "waiting", "failed"]
"""What may happen to a finding, and what may become of a run."""


class NotificationSpec(Model):
    """Who is told of what."""

    apprise: tuple[SecretRef, ...] = ()
    """Apprise URLs: mail, chat, and many more."""
    webhooks: tuple[StandardWebhook, ...] = ()
    """Receivers of signed Standard Webhooks."""
    when: Annotated[tuple[Change, ...], EachOnce()] = Field(default=("new", "worse", "resolved"), min_length=1)
    """Which changes are told. (Not ``on``, which YAML takes for true.)"""
    applications: Names = ()
    """About which applications; all by default."""
    language: Literal["en", "ko"] = "en"
    """In which language."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.apprise and not self.webhooks:
            raise FieldError("tells nobody.", "Give apprise or webhooks.")
        return self


class Notification(Document):
    """Who is told of what."""

    kind: Literal["Notification"]
    """``Notification``."""
    spec: NotificationSpec
    """What it is."""
