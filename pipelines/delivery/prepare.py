"""What a deploy of an application would do at each of its sites, looked at now.

The same function serves the question that a person approves, the deploy itself, and a dry run: what was shown
is what is done, or it is asked again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeAlias

from lockstep import errors
from lockstep.manifests import desired
from lockstep.sites import remembered
from lockstep.store import deployments
from lockstep.topology import direction, kinds
from lockstep.values import Json
from pipelines.delivery import choice, hotfixes
from pipelines.delivery.world import World
from pipelines.deploy import models, plan, site, summary
from sync import stock

Digests: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One site: what it is to have, and what that takes.

    ``missing`` names images that the site does not hold whole yet. Without a plan ``problem`` says why nothing
    can be said of the site.
    """

    request: plan.Request
    at: site.Ends | None = None
    plan: models.Plan | None = None
    missing: tuple[str, ...] = ()
    problem: str = ""

    @property
    def place(self) -> direction.Place:
        """Which site, and what it is for the application."""
        return self.request.place

    @property
    def held(self) -> str:
        """Why a stance holds the site; empty when none does."""
        return "; ".join(f"the pair {one.pair} is in the stance {one.stance.value}" for one in self.place.held_by)

    @property
    def needs(self) -> tuple[str, ...]:
        """What a person has to approve; nothing where nothing may be written."""
        if self.plan is None or self.held:
            return ()
        return tuple(f"{self.place.site}: {reason}" for reason in self.plan.approvals)

    @property
    def described(self) -> list[str]:
        """The plan, in lines."""
        return summary.text(self.plan).splitlines() if self.plan else [self.problem]

    def as_json(self) -> dict[str, Json]:
        """What a person is shown of it."""
        return {
            "tier": self.place.tier.value if self.place.tier else self.place.role.value,
            "objects": len(self.request.objects),
            "plan": summary.to_json(self.plan) if self.plan else None,
            "missing": list(self.missing),
            "held": self.held,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All sites of a deploy. ``digests`` is what every image means in it."""

    application: kinds.Application
    revision: str
    digests: Digests
    sites: tuple[Prepared, ...]

    @property
    def digest(self) -> str:
        """One digest of what all sites will have afterwards."""
        return plan.digest_of([site.plan for site in self.sites if site.plan])

    @property
    def needs(self) -> tuple[str, ...]:
        """What a person has to approve, over all sites."""
        return tuple(need for site in self.sites for need in site.needs)

    def bound(self) -> dict[str, Json]:
        """What an approval of this deploy is about."""
        return {
            "commit": self.revision,
            "digests": dict(self.digests),
            "plan": self.digest,
            "plans": {one.place.site: one.plan.digest for one in self.sites if one.plan},
            "needs": list(self.needs),
        }

    def narrowed(self, only: Collection[str]) -> Whole:
        """The same deploy of nothing but these objects, which deletes nothing."""
        sites = (replace(one, plan=plan.narrowed(one.plan, only)) if one.plan else one for one in self.sites)
        return replace(self, sites=tuple(sites))

    def fits(self, bound: Mapping[str, Json]) -> bool:
        """Whether an approval was about this: the commit, the digests, and the plan of every site of ours."""
        plans = bound["plans"]
        same = bound["commit"] == self.revision and bound["digests"] == dict(self.digests)
        return same and all(plans.get(one.place.site) == one.plan.digest for one in self.sites if one.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """Which sites a deploy is for: ``only`` these, all when empty; a person ``named`` some, whom no switch holds.

    ``heals`` are objects, as their keys are written, of which the sites that follow lose what others have changed.
    """

    only: Sequence[str] = ()
    named: Collection[str] = ()
    heals: Collection[str] = ()


def prepare(
    world: World,
    application: kinds.Application,
    *,
    revision: str,
    built: Digests,
    sites: Wished = Wished(),
    decided: Digests | None = None,
) -> Whole:
    """Look at every site of an application and plan its deploy.

    Args:
        world: The doors.
        application: Which.
        revision: The commit to deploy, whole.
        built: Digests that the run itself pushed, by image name.
        sites: Which sites.
        decided: What every image means, where that was decided before; decided now when None.

    Raises:
        NotFoundError: The commit is nowhere, or a site is not one of the application's.
        InputError: An image's digest is not known to anybody.
        LockstepError: It cannot be rendered.
    """
    places = [one.named() if one.site in sites.named else one for one in chosen(world, application, sites.only)]
    digests = decided
    if digests is None:
        truth = world.places_of(application)[0]
        digests = _digests(world, application, revision=revision, built=built, truth=truth)
    target = _Target(application=application, revision=revision, digests=digests, heals=frozenset(sites.heals))
    # Side by side: a site that is slow, or says nothing for as long as it may, holds up no other.
    with ThreadPoolExecutor(max_workers=len(places), thread_name_prefix="prepare") as pool:
        found = tuple(pool.map(lambda place: _site(world, target, place), places))
    return Whole(application=application, revision=revision, digests=digests, sites=found)


def chosen(world: World, application: kinds.Application, only: Sequence[str]) -> list[direction.Place]:
    """The places that a deploy is for: those of these sites, or all of the application's.

    Raises:
        NotFoundError: A site is not one of the application's.
    """
    places = world.places_of(application)
    known = [place.site for place in places]
    for name in only:
        if name not in known:
            raise errors.NotFoundError(
                f"{application.name} is not deployed to {name}.", remedy=f"It is deployed to: {', '.join(known)}."
            )
    return [place for place in places if not only or place.site in only]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What every site is to have."""

    application: kinds.Application
    revision: str
    digests: Digests
    heals: frozenset[str]


def _digests(
    world: World, application: kinds.Application, *, revision: str, built: Digests, truth: direction.Place
) -> Digests:
    wanted = world.renderings.wanted(world.topology(), application, revision)
    with world.database.read() as connection:
        before = deployments.last(connection, application.name)

    # An installation that has deployed nothing yet asks the sites: it may be a second one, after the first is lost.
    deployed = before.images if before else _remembered(world, application)

    def resolve(name: str, tag: str) -> str:
        found = world.doors.images(truth.site).resolve(name, tag)
        return found.digest if found else ""

    choosing = choice.choose(wanted, built=built, deployed=deployed, resolve=resolve)
    if choosing.unknown:
        raise errors.InputError(
            f"No digest of {', '.join(choosing.unknown)} is known: it was neither built nor mirrored.",
            remedy="Build it in the pipeline, or mirror it: lockstep sync images.",
        )
    return choosing.digests


def _remembered(world: World, application: kinds.Application) -> Digests:
    return remembered.images(world.doors, application, [place.site for place in world.places_of(application)])


def _site(world: World, target: _Target, place: direction.Place) -> Prepared:
    application, revision = target.application, target.revision
    wanted = world.renderings.desired(
        world.topology(), application, place=place, revision=revision, digests=target.digests
    )
    request = plan.Request(wanted=wanted, application=application, place=place, revision=revision)
    try:
        at = ends_of(world, place.site)
        if place.role is direction.Role.TRUTH:
            request = replace(request, hotfixes=hotfixes.find(world, request, at.cluster))
        else:
            request = replace(request, heals=target.heals)
        request = site.fitted(request, at)
        made = site.plan(request, at)
        missing = _missing(world, place.site, wanted)
    except errors.LockstepError as error:
        return Prepared(request=request, problem=error.message)
    return Prepared(request=request, at=at, plan=made, missing=missing)


def ends_of(world: World, name: str) -> site.Ends:
    """Where a site's applications go."""
    has_cluster = world.topology().site(name).spec.cluster is not None
    return site.Ends(cluster=world.doors.cluster(name) if has_cluster else None, archive=world.doors.archive(name))


def _missing(world: World, name: str, wanted: desired.Desired) -> tuple[str, ...]:
    """The images that a site does not hold whole."""
    if not wanted.digests:
        return ()
    store = world.doors.images(name)
    return tuple(
        f"{image}@{digest}"
        for image, digests in wanted.digests.items()
        for digest in digests
        if not stock.verify(store, image, digest).whole
    )
