"""What is kept equal at sites: git repositories and images."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lockstep.topology.amounts import Interval, Share
from lockstep.topology.forms import EachOnce, FieldError, Form
from lockstep.topology.kinds.base import Document, Model, SecretRef
from lockstep.topology.kinds.site import GitPlace, RegistryAccess
from lockstep.topology.scalars import (
    GitGlob,
    HttpUrl,
    ImageGlob,
    LocalPath,
    Name,
    Names,
    Platform,
    RefGlob,
    Regex,
    TagGlob,
    VersionRange,
)


class GitSource(GitPlace):
    """The forge: a server, or bare repositories on disk."""


class Deletions(Model):
    """How much may vanish from the source at once."""

    most: Share = "10%"
    """More deleted refs or tags than this, of those that a site has, are held; at least one may always go."""


class GitGuards(Model):
    """What is held for a person rather than mirrored."""

    empty_source: Literal["hold", "mirror"] = "hold"
    """The source suddenly has no refs."""
    deletions: Deletions = Deletions()
    """The source suddenly has far fewer refs."""
    diverged: Literal["hold", "backup", "overwrite"] = "hold"
    """A site's ref is not what Lockstep last wrote: hold it, back it up under ``refs/backup/`` first, or overwrite."""
    rewritten: Literal["hold", "backup", "overwrite"] = "hold"
    """The source has rewritten a protected branch, so that commits are lost: the default branch is always one."""
    protected: Annotated[tuple[RefGlob, ...], EachOnce()] = ()
    """Other branches that are neither rewritten nor deleted unseen: ``release/*``; tags in full: ``refs/tags/v*``."""


class GitMirrorSpec(Model):
    """Repositories that are kept equal at sites."""

    source: GitSource
    """The forge."""
    repositories: Annotated[tuple[GitGlob, ...], EachOnce()] = Field(min_length=1)
    """Paths of repositories, or patterns such as ``bank/*`` for those that applications or events name."""
    sites: Names = Field(min_length=1)
    """The sites that receive them."""
    guards: GitGuards = GitGuards()
    """What is held for a person."""
    notes: bool = False
    """Mirror ``refs/notes/*`` too."""
    lfs: bool = True
    """Mirror the large files too that pointers of git LFS in the mirrored refs stand for."""
    interval: Interval = timedelta(minutes=5)
    """How often the source is asked, whatever events say: it heals every event that was lost."""


class GitMirror(Document):
    """Repositories that are kept equal at sites."""

    kind: Literal["GitMirror"]
    """``GitMirror``."""
    spec: GitMirrorSpec
    """What it is."""


class ImageSource(RegistryAccess):
    """Where images come from: a site's registry, any registry, or layouts on disk."""

    EXACTLY_ONE = ("site", "url", "layout")

    site: Name | None = None
    """A site's registry."""
    url: HttpUrl | None = None
    """Any registry."""
    layout: LocalPath | None = None
    """OCI image layouts on disk."""

    @model_validator(mode="after")
    def _auth_of_a_url(self) -> Self:
        for name in ("auth", "ca", "proxy", "trusts", "rename"):
            if getattr(self, name) and not self.url:
                raise FieldError(f"gives {name} without a url to use it at.", f"Take {name} out: a site has its own.")
        return self


class Keyless(Model):
    """Somebody who signs by identity: with a certificate for minutes, by Fulcio, that a log of Rekor has kept."""

    identity: Annotated[str, Form(r"\S+", "is not an identity.", "Write what the certificate names.", 4096)]
    """Whom the certificate names: a mail address, or the URL of a workflow. ``*`` stands for anything."""
    issuer: Annotated[str, Form(r"https?://\S+", "is not the URL of an issuer.", "Write it as the token has it.", 4096)]
    """Who said so: the issuer of the identity's token, exactly."""
    trusted_root: SecretRef
    """The certificates and keys of Fulcio and Rekor (``trusted_root.json``). Nobody is asked for newer ones."""


class Signed(Model):
    """Who has to have signed an image before it is brought to any site, as cosign signs. One of all these is enough."""

    keys: tuple[SecretRef, ...] = ()
    """Public keys, PEM."""
    keyless: tuple[Keyless, ...] = ()
    """Identities."""

    @model_validator(mode="after")
    def _by_somebody(self) -> Self:
        if not self.keys and not self.keyless:
            raise FieldError("names nobody.", "Name a key in keys, or an identity in keyless.")
        return self


class ImageMirrorSpec(Model):
    """Images that are kept equal at sites."""

    source: ImageSource
    """Where they come from."""
    repositories: Annotated[tuple[ImageGlob, ...], EachOnce()] = Field(min_length=1)
    """Names of images at every site, or patterns such as ``pay/*``."""
    repository_expression: Regex | None = None
    """Of what patterns name, the repositories that this regular expression matches as a whole."""
    tags: tuple[TagGlob, ...] = Field(default=("*",), min_length=1)
    """Tags or patterns; all by default."""
    expression: Regex | None = None
    """Of those, the tags that this regular expression matches as a whole."""
    versions: VersionRange | None = None
    """Of those, the versions in this range, such as ``>=1.2 <2``."""
    newest: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Of those, only so many: the highest versions. Tags that are named without a pattern are mirrored in any case."""
    platforms: Annotated[tuple[Platform, ...], EachOnce()] = ()
    """Only these platforms of an image; its index then has another digest than at the source."""
    referrers: bool = False
    """Look for signatures and the like that were added to an image which is equal: one question more for each."""
    signed: Signed | None = None
    """Hold every image that is not signed, with what belongs to it, until it is. All are brought by default."""
    immutable: tuple[TagGlob, ...] = ()
    """Tags that never move at a site, once they are there: ``v*``. One that moved at the source is held."""
    deleted: Literal["keep", "delete"] = "keep"
    """What becomes of a tag that the source no longer has: only tags that Lockstep brought are ever deleted."""
    deletions: Deletions = Deletions()
    """How much may vanish from the source at once before it is held for a person."""
    sites: Names = Field(min_length=1)
    """The sites that receive them."""
    interval: Interval = timedelta(minutes=5)
    """How often the source is asked, whatever events say."""

    @model_validator(mode="after")
    def _whole_indexes_are_signed(self) -> Self:
        if self.signed and self.platforms:
            raise FieldError(
                "wants signed images, and only some platforms of them: that is an index which nobody has signed.",
                "Take platforms or signed out.",
            )
        return self


class ImageMirror(Document):
    """Images that are kept equal at sites."""

    kind: Literal["ImageMirror"]
    """``ImageMirror``."""
    spec: ImageMirrorSpec
    """What it is."""
