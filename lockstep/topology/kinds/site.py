"""A place that can run the applications, and its four ends."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from lockstep.topology.kinds.base import Document, Model, SecretRef, exactly_one
from lockstep.topology.scalars import GitUrl, HttpUrl, ImagePrefix, LocalPath, Rate


class GitCredentials(Model):
    """How git is allowed in."""

    username: str | None = None
    """User name for http and https; ``git`` by default."""
    password: SecretRef | None = None
    """Password or token for http and https; handed to git in its environment, never in an argument."""
    ssh_key: SecretRef | None = None
    """Private key for ssh."""
    known_hosts: SecretRef | None = None
    """The host keys that are believed (``known_hosts``); required for ssh, there is no trust on first use."""
    ca: SecretRef | None = None
    """Certificate authorities for https, PEM; the system's by default."""


class GitEnd(GitCredentials):
    """Where this site keeps git repositories: a server, or bare repositories on disk."""

    url: GitUrl | None = None
    """URL of a repository, with ``{repository}`` for its path."""
    directory: LocalPath | None = None
    """Directory of bare repositories, ``<directory>/<repository>.git``, made when they are first mirrored."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        exactly_one(self, ("url", "directory"))
        if self.url and "{repository}" not in self.url:
            raise ValueError("url must contain {repository}, which stands for the repository's path")
        return self


class RegistryAuth(Model):
    """How a registry is allowed in: a user and a password, or a docker ``config.json``."""

    username: str | None = None
    """User name."""
    password: SecretRef | None = None
    """Password or token."""
    docker_config: SecretRef | None = None
    """A docker ``config.json`` that knows this registry."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        exactly_one(self, ("password", "docker_config"))
        return self


class RegistryEnd(Model):
    """Where this site keeps images: a registry, or OCI image layouts on disk."""

    url: HttpUrl | None = None
    """URL of an OCI distribution registry, such as ``https://registry.sejong.example``."""
    layout: LocalPath | None = None
    """Directory of OCI image layouts, one for each repository."""
    image_prefix: ImagePrefix | None = None
    """What stands before an image's name in this site's manifests; the registry's host by default."""
    auth: RegistryAuth | None = None
    """Credentials; anonymous without."""
    ca: SecretRef | None = None
    """Certificate authorities, PEM; the system's by default."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        exactly_one(self, ("url", "layout"))
        if self.layout and not self.image_prefix:
            raise ValueError("a layout has no host: say in imagePrefix what stands before an image's name here")
        return self

    @property
    def prefix(self) -> str:
        """What stands before an image's name in this site's manifests."""
        return self.image_prefix or (self.url or "").partition("://")[2]


class ClusterEnd(Model):
    """Where this site runs applications: a Kubernetes API, a directory of manifests, or a backup to read."""

    kubeconfig: SecretRef | None = None
    """A kubeconfig."""
    context: str | None = None
    """The context in it; its current one by default."""
    in_cluster: bool = False
    """Use the service account of the Pod that Lockstep runs in."""
    directory: LocalPath | None = None
    """Directory of manifests, ``<namespace or _cluster>/<kind>.<group or core>/<name>.yaml``."""
    archive: LocalPath | None = None
    """A backup to read: a Velero ``.tar.gz`` or a ``List`` dump. Nothing is written to it."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        exactly_one(self, ("kubeconfig", "in_cluster", "directory", "archive"))
        if self.context and not self.kubeconfig:
            raise ValueError("context chooses inside a kubeconfig; there is none")
        return self


class ArchiveEnd(Model):
    """A directory that always receives the full-size rendering; a warm site is started from it."""

    directory: LocalPath
    """Laid out like a directory cluster, one folder for each application."""


class Link(Model):
    """What the line to this site can carry."""

    rate: Rate | None = None
    """Most bits for each second that mirroring may use."""


class SiteSpec(Model):
    """A place that can run the applications, with up to four ends."""

    git: GitEnd | None = None
    """Where its git repositories are."""
    registry: RegistryEnd | None = None
    """Where its images are."""
    cluster: ClusterEnd | None = None
    """Where its applications run."""
    archive: ArchiveEnd | None = None
    """Where the full-size rendering is kept."""
    values: dict[str, str] = {}
    """Facts of this site, each written once: they feed overlays, checks and expected differences."""
    link: Link = Link()
    """The line to it."""

    @model_validator(mode="after")
    def _some_end(self) -> Self:
        if not (self.git or self.registry or self.cluster or self.archive):
            raise ValueError("a site needs at least one of git, registry, cluster and archive")
        return self


class Site(Document):
    """A place that can run the applications."""

    kind: Literal["Site"]
    """``Site``."""
    spec: SiteSpec
    """What it is."""
