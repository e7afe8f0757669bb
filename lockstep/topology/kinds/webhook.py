"""Who may post."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import model_validator

from lockstep.topology.amounts import Size
from lockstep.topology.forms import FieldError
from lockstep.topology.kinds.base import Document, Model, SecretRef
from lockstep.topology.scalars import HeaderName, Names, Network


class WebhookSecret(SecretRef):
    """One of the secrets that are believed; several while they are rotated."""

    expires: date | None = None
    """The day after which it is no longer believed."""


class WebhookSpec(Model):
    """One sender that may post to ``/hooks/<name>``."""

    provider: Literal["github", "gitea", "distribution"]
    """Who sends; it is pinned, a payload cannot choose it."""
    secrets: tuple[WebhookSecret, ...] = ()
    """The secrets that are believed."""
    header: HeaderName = "Authorization"
    """For ``distribution``, which signs nothing: the header that carries the secret, alone or after Bearer or Basic."""
    allow_unsigned: bool = False
    """Believe posts without a signature; only with ``sources``."""
    sources: tuple[Network, ...] = ()
    """Networks that may post, such as ``10.1.0.0/16``; any by default."""
    max_bytes: Size = 25 * 2**20
    """Larger bodies are refused; GitHub's own cap by default."""
    mirrors: Names = ()
    """The GitMirrors or ImageMirrors that this sender may wake; all by default."""

    @model_validator(mode="after")
    def _believable(self) -> Self:
        if self.allow_unsigned and not self.sources:
            raise FieldError("allows unsigned posts from anywhere.", "Name in sources the networks that may post.")
        if not self.allow_unsigned and not self.secrets:
            raise FieldError("has no secret, so nobody is believed.", "Name one in secrets.")
        if self.provider != "distribution" and self.header != "Authorization":
            raise FieldError(f"chooses a header; {self.provider} signs in one of its own.", "Leave header out.")
        return self


class Webhook(Document):
    """One sender that may post."""

    kind: Literal["Webhook"]
    """``Webhook``."""
    spec: WebhookSpec
    """What it is."""
