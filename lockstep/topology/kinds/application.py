"""Manifests in git, where they go, how they are delivered and how they are protected."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from lockstep.topology.amounts import Duration, Interval, Share
from lockstep.topology.forms import FieldError
from lockstep.topology.kinds.base import Document, Model
from lockstep.topology.scalars import (
    Branch,
    FieldSelector,
    FloorKey,
    GitRepository,
    ImageName,
    ImageRepository,
    Name,
    ObjectName,
    Objects,
    OneObject,
    ParamName,
    ParamValue,
    RefGlob,
    RelativePath,
    Text,
)
from lockstep.values import Tier


class HelmSource(Model):
    """How a chart is rendered."""

    release: Name | None = None
    """Release name; the application's name by default."""
    values: tuple[RelativePath, ...] = ()
    """Values files inside the repository, later ones win."""
    site_values: dict[Name, RelativePath] = {}
    """One more values file for each site."""


class Source(Model):
    """Where the manifests are in git."""

    repository: GitRepository
    """The repository, as a GitMirror knows it."""
    branch: Branch = "main"
    """The branch that is the truth."""
    path: RelativePath = "."
    """The folder with the manifests."""
    render: Literal["auto", "plain", "kustomize", "helm"] = "auto"
    """How they become objects; ``auto`` looks for a kustomization or a chart."""
    overlays: dict[Name, RelativePath] = {}
    """For some sites, the folder that is rendered instead of ``path``."""
    helm: HelmSource = HelmSource()
    """For ``helm``."""


class Image(Model):
    """An image that belongs to the application."""

    name: ImageRepository
    """The repository at every site, below the site's imagePrefix, such as ``pay/api``."""
    from_: ImageName | None = Field(default=None, alias="from")
    """Where it comes from when it is not built here, such as ``docker.io/vendor/hsm``."""
    also_at: FieldSelector | None = None
    """A field of a custom resource that names it, such as ``HsmProxy /spec/image``."""


class OnPush(Model):
    """Which pushes start the pipeline."""

    branches: tuple[RefGlob, ...] = ()
    """Branches or patterns; the source's branch by default."""
    tags: tuple[RefGlob, ...] = ()
    """Tags or patterns; none by default."""


class PipelineRef(Model):
    """The pipeline that delivers the application."""

    name: Name
    """A Tekton Pipeline of the configuration."""
    on_push: OnPush = OnPush()
    """Which pushes start it."""
    concurrency: Literal["supersede", "queue"] = "supersede"
    """A newer push supersedes a run that waits for approval, or queues behind it."""
    params: dict[ParamName, ParamValue] = {}
    """Params for every run."""


class Heal(Model):
    """What heals itself at the standby, after a comparison, in the stance ``normal`` only.

    Nothing is deleted, no hot fix is overwritten, nothing is done while the primary cannot be read whole, and what
    needs healing three times in a day stops it until a person lets it go on.
    """

    automatic: tuple[Objects, ...] = ()
    """Objects, such as ``Deployment/*`` or ``ConfigMap/pay``; none by default."""
    most: int = Field(default=10, ge=1, le=1000)
    """At most so many objects in each interval."""
    every: Interval = timedelta(hours=1)
    """That interval."""


class Flapping(Model):
    """When a finding counts as one that comes and goes."""

    changes: int = Field(default=4, ge=3, le=100)
    """It came or went so many times."""
    within: Interval = timedelta(hours=1)
    """Within this."""
    settled: Interval = timedelta(minutes=30)
    """And until it has stood still for this."""


class Protection(Model):
    """How a pair protects the application."""

    PRESETS: ClassVar[dict[Tier, tuple[timedelta, timedelta]]] = {
        # (RTO, RPO) of the tiers, from the comparison of warm, hot and mirror sites in the mission's deck.
        Tier.WARM: (timedelta(days=7), timedelta(days=30)),
        Tier.HOT: (timedelta(hours=24), timedelta(days=1)),
        Tier.ACTIVE: (timedelta(hours=3), timedelta(hours=1)),
    }

    tier: Tier
    """``warm``: nothing runs (RTO 7d, RPO 30d) · ``hot``: it runs at its floor (24h, 1d) · ``active``: it runs as at
    the primary (3h, 1h)."""
    rto: Duration | None = None
    """Recovery time objective; the tier's preset until the owner sets it with a basis."""
    rpo: Duration | None = None
    """Recovery point objective; the tier's preset until the owner sets it with a basis."""
    version_lag: Duration | None = None
    """How long the standby may run another version than the primary."""
    basis: Text | None = None
    """Why these objectives: the rule or the decision."""
    floor: dict[FloorKey, Share] = {}
    """For ``hot``: replicas at the standby, by ``default``, ``Kind``, ``Kind/name`` or ``Kind.group/name``; a number
    or a percentage of git's."""
    run_cron_jobs: tuple[ObjectName, ...] = ()
    """CronJobs that run at the standby all the same; the others are suspended there."""
    heal: Heal | None = None
    """What heals itself at the standby; nothing by default."""

    @model_validator(mode="after")
    def _objectives_have_a_basis(self) -> Self:
        if (self.rto is not None or self.rpo is not None) and not self.basis:
            raise FieldError(
                "replaces the tier's preset of rto or rpo without a basis.",
                "Say in basis which rule or decision is behind them.",
            )
        if self.floor and self.tier is not Tier.HOT:
            raise FieldError(
                f"gives a floor, which the tier {self.tier.value} has not.", "Take floor out, or set the tier to hot."
            )
        return self

    @property
    def objectives(self) -> tuple[timedelta, timedelta]:
        """RTO and RPO in force: the owner's, or the tier's preset."""
        rto, rpo = self.PRESETS[self.tier]
        return self.rto or rto, self.rpo or rpo


class Deletion(Model):
    """What a deploy may delete by itself."""

    prune: bool = True
    """Delete what git no longer has; only what this application deployed, never another's."""
    most: Share = "10%"
    """More than this of the application's objects waits for approval."""
    allow: tuple[OneObject, ...] = ()
    """Namespaces and volume claims that may be deleted, as ``Kind/name``; none by default."""


class Rollout(Model):
    """How a deploy goes over the sites, and what it waits for."""

    order: Literal["primaryFirst", "oneByOne", "together"] = "primaryFirst"
    """The primary and then the standbys together, one site after another, or all at once."""
    deadline: Duration = timedelta(minutes=10)
    """How long the workloads of a site may take to run; after that the deploy to it has failed."""
    soak: Duration = timedelta()
    """How long to wait between one turn of sites and the next."""
    on_failure: Literal["stop", "goOn", "rollBack"] = "stop"
    """When a site fails: begin no other, go on with the others, or put the last good revision back wherever this
    deploy has been."""


class ApplicationSpec(Model):
    """A repository, branch and path with manifests, where they go, and how they are protected."""

    source: Source
    """Where the manifests are."""
    namespace: Name
    """Where objects without a namespace go."""
    images: tuple[Image, ...] = ()
    """Images that are mirrored and pinned by digest."""
    unmirrored: Literal["refuse", "warn"] = "refuse"
    """An image without a mirror refuses the deploy, or is listed."""
    out_of_git: tuple[Objects, ...] = ()
    """What lives outside git, such as ``Secret/*`` from a vault: primary and standby are compared with each other."""
    pipeline: PipelineRef | None = None
    """The pipeline that delivers it; without one it is deployed by hand and compared."""
    protection: dict[Name, Protection] = Field(min_length=1)
    """For each pair, how it is protected."""
    deletion: Deletion = Deletion()
    """What a deploy may delete without asking."""
    rollout: Rollout = Rollout()
    """How a deploy goes over the sites."""
    flapping: Flapping = Flapping()
    """Which of its findings count as coming and going."""
    take_over: tuple[Objects, ...] = ()
    """Objects, such as ``Deployment/api`` or ``ConfigMap/*``, whose fields a deploy takes over from other field
    managers at a Kubernetes API; elsewhere such a field refuses the deploy."""


class Application(Document):
    """Manifests in git, where they go, and how they are protected."""

    kind: Literal["Application"]
    """``Application``."""
    spec: ApplicationSpec
    """What it is."""
