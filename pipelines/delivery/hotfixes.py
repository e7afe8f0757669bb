"""What was changed by hand at the truth and is not in git: as it was found before, and as it stands now.

Found before: an open finding. Now: what is neither as the last good deploy wrote it nor as one after it did, which
failed and may have left parts of it, whoever changed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lockstep.manifests import desired
from lockstep.sites import ends
from lockstep.store import deployments
from lockstep.store.deployments import Deployment
from lockstep.store.views import drift
from lockstep.topology import selectors
from lockstep.values import ObjectKey, Verdict
from pipelines.delivery.world import World
from pipelines.deploy import compare, models, plan, trials, trying
from pipelines.deploy.look import look

# What was held wrote nothing, and of what was rolled back nothing is left.
_GONE = (deployments.HELD, deployments.ROLLED_BACK)


def find(world: World, request: plan.Request, cluster: ends.Cluster | None) -> tuple[models.Hotfix, ...]:
    """The open hot fixes of an application at a site.

    Raises:
        LockstepError: The site cannot be read, or what it had cannot be rendered.
    """
    application, place = request.application, request.place
    with world.database.read() as connection:
        before = deployments.since_good(connection, application.name, place.site)
        known = drift.of_application(connection, application.name)
    fixes = {
        models.Hotfix(
            key=ObjectKey(group=found.group, kind=found.kind, namespace=found.namespace, name=found.name),
            pointer=found.path,
        )
        for found in known
        if found.verdict == Verdict.PRIMARY_HOTFIX.value and found.site == place.site and found.state != "resolved"
    }
    if cluster is not None:
        seen = [_changed(cluster, _rendered(world, request, row)) for row in _different(before)]
        fixes.update(in_all(seen))
    return tuple(sorted(fixes))


def in_all(found: Sequence[frozenset[models.Hotfix]]) -> frozenset[models.Hotfix]:
    """The changes that there are against every one of several renderings, each as deep as any of them tells it."""
    if not found:
        return frozenset()
    return frozenset(
        fix
        for fix in frozenset[models.Hotfix]().union(*found)
        if all(any(_meet(fix, other) for other in one) for one in found)
        and not any(_is_part(other, fix) for one in found for other in one if other != fix)
    )


def _meet(one: models.Hotfix, other: models.Hotfix) -> bool:
    return one == other or _is_part(one, other) or _is_part(other, one)


def _is_part(inner: models.Hotfix, outer: models.Hotfix) -> bool:
    return inner.key == outer.key and inner.pointer.startswith(f"{outer.pointer}/")


def _different(rows: Iterable[Deployment]) -> list[Deployment]:
    """Each revision with its images once, of which there may be something."""
    found: list[Deployment] = []
    for row in rows:
        same = any((row.revision, row.images) == (one.revision, one.images) for one in found)
        if not same and row.state not in _GONE:
            found.append(row)
    return found


def _rendered(world: World, request: plan.Request, row: Deployment) -> desired.Desired:
    return world.renderings.desired(
        world.topology(), request.application, place=request.place, revision=row.revision, digests=row.images
    )


def _changed(cluster: ends.Cluster, deployed: desired.Desired) -> frozenset[models.Hotfix]:
    """Where a site differs from a rendering that was deployed to it."""
    live = _tried(cluster, deployed)
    there = [one for one in deployed.objects if ObjectKey.of(one) in live.objects]
    return frozenset(
        models.Hotfix(key=ObjectKey.of(manifest), pointer=selectors.write_pointer(place))
        for manifest in there
        for place in trials.places(live, ObjectKey.of(manifest), manifest)
    )


def _tried(cluster: ends.Cluster, deployed: desired.Desired) -> models.Live:
    """What is there, and what a server says of that which looks changed: it may only be written another way."""
    live = look(cluster, deployed)
    different = [
        manifest
        for manifest in deployed.objects
        if (there := live.objects.get(ObjectKey.of(manifest))) is not None
        and compare.changed(there, manifest, exact=live.exact)
    ]
    return trying.tried(cluster, different, live)
