"""A place that can run the applications, and its four ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from lockstep.topology.amounts import Interval, Rate
from lockstep.topology.forms import EachOnce, FieldError
from lockstep.topology.kinds.base import Document, Model, SecretRef
from lockstep.topology.scalars import (
    GitUrl,
    HostPort,
    HttpUrl,
    ImagePrefix,
    ImageRepository,
    LocalPath,
    Text,
    ValueName,
)


class GitCredentials(Model):
    """How git is allowed in."""

    username: Text | None = None
    """User name for http and https; ``git`` by default."""
    password: SecretRef | None = None
    """Password or token for http and https; handed to git in its environment, never in an argument."""
    ssh_key: SecretRef | None = None
    """Private key for ssh."""
    known_hosts: SecretRef | None = None
    """The host keys that are believed (``known_hosts``); required for ssh, there is no trust on first use."""
    ca: SecretRef | None = None
    """Certificate authorities for https, PEM; the system's by default."""


class GitPlace(GitCredentials):
    """Where git repositories are: a server, or bare repositories on disk."""

    EXACTLY_ONE = ("url", "directory")

    url: GitUrl | None = None
    """URL of a repository, with ``{repository}`` for its path."""
    directory: LocalPath | None = None
    """Directory of bare repositories, ``<directory>/<repository>.git``."""
    trusts: Annotated[tuple[HostPort, ...], EachOnce()] = ()
    """Other hosts that it may send us to for large files (git LFS) although their addresses are private."""

    @model_validator(mode="after")
    def _names_a_repository(self) -> Self:
        if self.url and "{repository}" not in self.url:
            raise FieldError("has a url without {repository}.", "Put {repository} where the repository's path stands.")
        return self

    @model_validator(mode="after")
    def _credentials_fit(self) -> Self:
        scheme = (self.url.partition("://")[0] if "://" in self.url else "ssh") if self.url else "file"
        if scheme == "ssh" and not self.known_hosts:
            raise FieldError(
                "goes by ssh without knownHosts: there is no trust on first use.",
                "Name in knownHosts a file with the host's keys (ssh-keyscan shows them; compare them with its owner).",
            )
        fitting = {"ssh": {"ssh_key", "known_hosts"}, "https": {"username", "password", "ca"}, "file": set()}.get(
            scheme, {"username", "password"}
        )
        for name in ("username", "password", "ssh_key", "known_hosts", "ca"):
            if getattr(self, name) is not None and name not in fitting:
                raise FieldError(
                    f"gives {to_camel(name)}, which {scheme} does not use.", "Take it out, or use another url."
                )
        return self


class Forge(Model):
    """The API of a forge, for what git itself has no words for: the default branch."""

    kind: Literal["github", "gitea", "gitlab"]
    """``github``, ``gitea`` (Forgejo too) or ``gitlab``."""
    api: HttpUrl | None = None
    """Base of its API; at the host of the repositories by default, such as ``https://git.example/api/v1``."""
    token: SecretRef | None = None
    """A token that may administer the repositories; the password by default."""


class GitEnd(GitPlace):
    """Where this site keeps git repositories; on disk, they are made when they are first mirrored."""

    forge: Forge | None = None
    """What kind of forge it is, so that the default branch follows the source's. Without it, that is reported."""

    @model_validator(mode="after")
    def _a_forge_is_a_server(self) -> Self:
        if self.forge and not self.url:
            raise FieldError("gives a forge, which a directory has not.", "Take forge out: git does it on disk.")
        return self


class RegistryAuth(Model):
    """How a registry is allowed in: by a password, an identity token, a docker ``config.json`` or a program."""

    EXACTLY_ONE = ("password", "identity_token", "docker_config", "program")

    username: Text | None = None
    """User name for the password, or for what the program prints."""
    password: SecretRef | None = None
    """Password or token."""
    identity_token: SecretRef | None = None
    """A token that is exchanged for those of each repository (OAuth 2 refresh token)."""
    docker_config: SecretRef | None = None
    """A docker ``config.json`` that knows this registry, by itself or by a credential helper."""
    program: tuple[Text, ...] | None = Field(default=None, min_length=1)
    """A program that prints a password, such as ``[aws, ecr, get-login-password]``; asked again every 5 minutes."""

    @model_validator(mode="after")
    def _user_of_the_password(self) -> Self:
        if self.username and (self.docker_config or self.identity_token):
            other = "dockerConfig" if self.docker_config else "identityToken"
            raise FieldError(f"gives a username beside {other}, which holds its own.", "Take username out.")
        return self


class Proxy(Model):
    """A proxy that a registry is reached through, with every host that the registry names."""

    url: HttpUrl
    """Such as ``http://proxy.bank.example:3128``. To https it is asked for a tunnel (CONNECT)."""
    username: Text | None = None
    """User name, where it wants one (Basic)."""
    password: SecretRef | None = None
    """Password of that user."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise FieldError("gives one of username and password.", "Give both, or neither.")
        return self


class RegistryAccess(Model):
    """How a registry is spoken to."""

    auth: RegistryAuth | None = None
    """Credentials; anonymous without."""
    ca: SecretRef | None = None
    """Certificate authorities, PEM; the system's by default."""
    proxy: Proxy | None = None
    """A proxy to reach it through; straight by default. Those of the environment are not looked at."""
    trusts: Annotated[tuple[HostPort, ...], EachOnce()] = ()
    """Other hosts that it may send us to although their addresses are private: of its layers, of its tokens."""
    rename: dict[ImageRepository, ImageRepository] = {}
    """Images that have another name there: ``{vendor/hsm: third-party/hsm}``."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = list(self.rename.values())
        if len(set(names)) != len(names):
            raise FieldError("gives two images one name.", "Give each a name of its own in rename.")
        return self


class RegistryEnd(RegistryAccess):
    """Where this site keeps images: a registry, or OCI image layouts on disk."""

    EXACTLY_ONE = ("url", "layout")

    url: HttpUrl | None = None
    """URL of an OCI distribution registry, such as ``https://registry.sejong.example``."""
    layout: LocalPath | None = None
    """Directory of OCI image layouts, one for each repository."""
    image_prefix: ImagePrefix | None = None
    """What stands before an image's name in this site's manifests; the registry's host by default."""

    @model_validator(mode="after")
    def _a_layout_is_on_disk(self) -> Self:
        if self.layout and not self.image_prefix:
            raise FieldError(
                "has a layout without imagePrefix: a directory has no host.",
                "Say in imagePrefix what stands before an image's name here, such as registry.sejong.example/prod.",
            )
        if self.layout and (self.auth or self.ca or self.proxy or self.trusts or self.rename):
            raise FieldError(
                "says how a directory is spoken to.", "Take auth, ca, proxy, trusts and rename out: they belong to url."
            )
        return self

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        path = (self.url or "").partition("://")[2].partition("/")[2]
        if path and path != self.prefix.partition("/")[2]:
            raise FieldError(
                "has one path in url and another in imagePrefix.",
                "Write the path in imagePrefix only: url is the host.",
            )
        return self

    @property
    def prefix(self) -> str:
        """What stands before an image's name in this site's manifests."""
        return self.image_prefix or (self.url or "").partition("://")[2]


class ClusterLimits(Model):
    """How much of an API server's time and of the line to it may be used, and how long it may take."""

    connections: Annotated[int, Field(ge=1, le=256)] = 16
    """Calls that are made at the same time, each over a connection of its own; watches have theirs beside."""
    requests_per_second: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Most requests in a second, tries and watches counted, of each process; without it the server's own throttling
    (429) sets the pace."""
    timeout: Interval = timedelta(minutes=1)
    """How long one call may take with all its tries; a server that says nothing for half as long is given up."""
    read_timeout: Interval = timedelta(minutes=5)
    """How long reading an application may take; what was not read by then is Unknown."""
    page: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Objects that are asked for at once."""
    watches: Annotated[int, Field(ge=1, le=10_000)] = 400
    """Kinds and namespaces that are watched at the same time; each has a connection and a thread."""


class ClusterEnd(Model):
    """Where this site runs applications: a Kubernetes API, a directory of manifests, or a backup to read."""

    EXACTLY_ONE = ("kubeconfig", "in_cluster", "directory", "archive")

    kubeconfig: SecretRef | None = None
    """A kubeconfig."""
    context: Text | None = None
    """The context in it; its current one by default."""
    in_cluster: bool = False
    """Use the service account of the Pod that Lockstep runs in."""
    directory: LocalPath | None = None
    """Directory of manifests, ``<namespace or _cluster>/<kind>.<group or core>/<name>.yaml``."""
    archive: LocalPath | None = None
    """A backup to read: a Velero ``.tar.gz`` or a ``List`` dump. Nothing is written to it."""
    limits: ClusterLimits | None = None
    """How a Kubernetes API is spared."""
    server_side_dry_run: Literal["whenDifferent", "never"] = "whenDifferent"
    """Whether a Kubernetes API is asked, by a dry run that writes nothing, what it would make of git: of objects that
    a comparison calls different, or never."""

    @model_validator(mode="after")
    def _only_of_a_server(self) -> Self:
        if self.limits and not (self.kubeconfig or self.in_cluster):
            raise FieldError("limits how a directory or a backup is called.", "Take limits out: nobody is called.")
        if "server_side_dry_run" in self.model_fields_set and not (self.kubeconfig or self.in_cluster):
            raise FieldError(
                "says what a directory or a backup is asked.", "Take serverSideDryRun out: files answer nothing."
            )
        return self

    @model_validator(mode="after")
    def _context_of_a_kubeconfig(self) -> Self:
        if self.context and not self.kubeconfig:
            raise FieldError(
                "gives a context without a kubeconfig to choose it in.", "Give kubeconfig, or take it out."
            )
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
    values: dict[ValueName, str] = {}
    """Facts of this site, each written once: they feed overlays, checks and expected differences."""
    link: Link = Link()
    """The line to it."""

    @model_validator(mode="after")
    def _some_end(self) -> Self:
        if not (self.git or self.registry or self.cluster or self.archive):
            raise FieldError("has no end.", "Give at least one of git, registry, cluster and archive.")
        return self


class Site(Document):
    """A place that can run the applications."""

    kind: Literal["Site"]
    """``Site``."""
    spec: SiteSpec
    """What it is."""
