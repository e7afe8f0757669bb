"""Who protects whom, how that is rehearsed, and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from lockstep.topology.amounts import Interval
from lockstep.topology.forms import EachOnce, FieldError
from lockstep.topology.kinds.base import Document, Model, SecretRef
from lockstep.topology.scalars import Name, Names


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
    """A receiver of signed Standard Webhooks (version 1.0.0 of that specification)."""

    url: SecretRef
    """Where it listens: http or https. Nothing is sent to where it redirects."""
    secrets: Annotated[tuple[SecretRef, ...], Field(min_length=1, max_length=2)]
    """The signing secrets, ``whsec_...``: one, or the new and the old one while they are rotated."""
    allow_private: bool = False
    """Whether the name in the URL may lead to a private address. An address that the URL itself has always may."""


Change: TypeAlias = Literal["new", "worse", "resolved", "settled", "open", "waiting", "failed", "held", "unknown"]
"""What people are told of.

``new``, ``worse``, ``resolved``: what became of a finding, or of anything else that is told. ``settled``: what came and
went stands still, and is so. ``open``: what is still
so, once in each ``digest``. ``waiting``: a question that waits for a person. ``failed``: a deploy, or a job that was
set aside. ``held``: refs and images that a guard holds. ``unknown``: a site that nobody can read any more.
"""

VerdictName: TypeAlias = Literal[
    "Unknown",
    "MissingAtStandby",
    "PrimaryHotfix",
    "StandbyDrift",
    "Diverged",
    "EditedAtBoth",
    "MissingAtPrimary",
    "NotDeployed",
    "PrimaryBehind",
    "StandbyBehind",
    "Undeployed",
    "Declared",
]
"""A verdict that a finding may have."""


class NotificationSpec(Model):
    """Who is told of what."""

    apprise: tuple[SecretRef, ...] = ()
    """Apprise URLs: mail, chat, and many more."""
    webhooks: tuple[StandardWebhook, ...] = ()
    """Receivers of signed Standard Webhooks."""
    when: Annotated[tuple[Change, ...], EachOnce()] = Field(
        default=("new", "worse", "resolved", "settled", "open", "waiting", "failed", "held", "unknown"), min_length=1
    )
    """Which changes are told. (Not ``on``, which YAML takes for true.)"""
    pairs: Names = ()
    """About which pairs; all by default."""
    applications: Names = ()
    """About which applications; all by default. Sites, repositories and jobs belong to no application."""
    verdicts: Annotated[tuple[VerdictName, ...], EachOnce()] = ()
    """Of findings, those of these verdicts; all by default."""
    severity: Literal["blocker", "major", "minor"] = "major"
    """Findings that matter at least this much to a fail-over."""
    digest: Interval = timedelta(days=1)
    """How often people are reminded of what is still so."""
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
