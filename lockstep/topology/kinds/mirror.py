"""What is kept equal at sites: git repositories and images."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from lockstep.topology.kinds.base import Document, Model, exactly_one
from lockstep.topology.kinds.site import GitCredentials, RegistryAuth
from lockstep.topology.scalars import Duration, GitGlob, GitUrl, HttpUrl, LocalPath, Name, Share


class GitSource(GitCredentials):
    """The forge: a server, or bare repositories on disk."""

    url: GitUrl | None = None
    """URL of a repository, with ``{repository}`` for its path."""
    directory: LocalPath | None = None
    """Directory of bare repositories, ``<directory>/<repository>.git``."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        exactly_one(self, ("url", "directory"))
        return self


class Deletions(Model):
    """How much may vanish from the source at once."""

    most: Share = "10%"
    """More deleted refs than this, of those that a site has, are held for a person; at least one may always go."""


class GitGuards(Model):
    """What is held for a person rather than mirrored."""

    empty_source: Literal["hold", "mirror"] = "hold"
    """The source suddenly has no refs."""
    deletions: Deletions = Deletions()
    """The source suddenly has far fewer refs."""
    diverged: Literal["hold", "backup", "overwrite"] = "hold"
    """A site's ref is not what Lockstep last wrote: hold it, back it up under ``refs/backup/`` first, or overwrite."""


class GitMirrorSpec(Model):
    """Repositories that are kept equal at sites."""

    source: GitSource
    """The forge."""
    repositories: tuple[GitGlob, ...] = Field(min_length=1)
    """Paths of repositories, or patterns such as ``bank/*`` for those that applications or events name."""
    sites: tuple[Name, ...] = Field(min_length=1)
    """The sites that receive them."""
    guards: GitGuards = GitGuards()
    """What is held for a person."""
    notes: bool = False
    """Mirror ``refs/notes/*`` too."""
    interval: Duration = timedelta(minutes=5)
    """How often the source is asked, whatever events say: it heals every event that was lost."""


class GitMirror(Document):
    """Repositories that are kept equal at sites."""

    kind: Literal["GitMirror"]
    """``GitMirror``."""
    spec: GitMirrorSpec
    """What it is."""


class ImageSource(Model):
    """Where images come from: a site's registry, any registry, or layouts on disk."""

    site: Name | None = None
    """A site's registry."""
    url: HttpUrl | None = None
    """Any registry."""
    layout: LocalPath | None = None
    """OCI image layouts on disk."""
    auth: RegistryAuth | None = None
    """Credentials for ``url``."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        exactly_one(self, ("site", "url", "layout"))
        if self.auth and not self.url:
            raise ValueError("auth belongs to url")
        return self


class ImageMirrorSpec(Model):
    """Images that are kept equal at sites."""

    source: ImageSource
    """Where they come from."""
    repositories: tuple[str, ...] = Field(min_length=1)
    """Repositories or patterns, such as ``pay/*``."""
    tags: tuple[str, ...] = ("*",)
    """Tags or patterns; all by default."""
    sites: tuple[Name, ...] = Field(min_length=1)
    """The sites that receive them."""
    interval: Duration = timedelta(minutes=5)
    """How often the source is asked, whatever events say."""


class ImageMirror(Document):
    """Images that are kept equal at sites."""

    kind: Literal["ImageMirror"]
    """``ImageMirror``."""
    spec: ImageMirrorSpec
    """What it is."""
