"""A pair with everything that it protects: compared, and everything else that checks look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

from drift import comparison, inventory, report, scan
from drift.checks import facts, pulls
from drift.checks.facts import Facts, Grounds, Unread, Whole
from drift.doors import Scanning
from drift.gathering import drills, grounds, images
from drift.gathering.doors import Gathering
from lockstep import errors
from lockstep.manifests import desired
from lockstep.sites import ends
from lockstep.store import deployments, stances
from lockstep.store.views import drift as views
from lockstep.topology import direction, kinds
from lockstep.values import Json, Tier


def gather(gathering: Gathering, pair: kinds.Pair, applications: Sequence[kinds.Application]) -> Whole:
    """Everything about a pair and these of its applications, now. What could not be gathered says so.

    The comparisons are kept in the store, as those of ``lockstep drift`` are.
    """
    scanning = gathering.scanning
    topology = scanning.topology()
    with scanning.database.read() as connection:
        stance = stances.in_force(connection, [pair.name])[pair.name]
    faced = direction.direction_of(pair, stance)
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="ground") as pool:
        sites = [topology.site(name) for name in (faced.truth, faced.follower)]
        truth, follower = pool.map(lambda site: grounds.ground(gathering, site), sites)
    both = Grounds(truth=truth, follower=follower)
    gathered = tuple(_application(gathering, application, pair, both) for application in applications)
    with scanning.database.read() as connection:
        every, drilled_at = drills.last(connection, topology, pair)
    return Whole(
        faced=faced,
        now=scanning.clock.now(),
        grounds=both,
        applications=gathered,
        drilled_at=drilled_at,
        drill_every=every,
    )


# What workloads refer to in their own name space.
_REFERRED = frozenset(("", kind) for kind in ("ConfigMap", "PersistentVolumeClaim", "Secret", "ServiceAccount"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rendered:
    """What git wants at a commit, at the truth and at its follower."""

    revision: str
    sides: tuple[desired.Desired, desired.Desired]


def _application(gathering: Gathering, application: kinds.Application, pair: kinds.Pair, both: Grounds) -> Facts:
    scanning = gathering.scanning
    parity, read = _parity(scanning, application, pair)
    compared = comparison.Comparison.of(scanning, application, pair)
    faced, protection = compared.faced, application.spec.protection[pair.name]
    wanted = grounds.asked(lambda: _rendered(compared))
    # Where nobody knows what git wants nothing was compared: the name space is looked at all the same.
    live = read or compared.read(inventory.selection_of([], namespace=application.spec.namespace))
    beside = _beside(gathering, compared)
    mirrors = grounds.asked(lambda: tuple(gathering.looks.mirrors(application.spec.source.repository)))
    with scanning.database.read() as connection:
        deployed = deployments.newest(connection, application.name)
    return Facts(
        application=application,
        faced=faced,
        protection=protection,
        now=scanning.clock.now(),
        grounds=both,
        parity=parity,
        desired=wanted if isinstance(wanted, Unread) else _desired(scanning, wanted),
        live=live,
        beside=beside,
        images=wanted if isinstance(wanted, Unread) else _images(gathering, compared, wanted, live, beside),
        mirrors=mirrors,
        deployed=tuple(_deployed(one) for one in deployed if one.site in compared.sites),
        rehearsed=wanted if isinstance(wanted, Unread) else _rehearsed(gathering, wanted, protection.tier, both),
    )


def _rendered(compared: comparison.Comparison) -> _Rendered:
    """What git wants now. Raises LockstepError."""
    renderer, application = compared.scanning.renderer, compared.application
    revision = renderer.head(application)
    truth, follower = (renderer.desired(application, compared.places[site], revision) for site in compared.sites)
    return _Rendered(revision=revision, sides=(truth, follower))


def _beside(gathering: Gathering, compared: comparison.Comparison) -> inventory.Reading | None:
    """What the cluster of a warm follower has beside its archive; None where there is no such cluster."""
    site, scanning = compared.faced.follower, gathering.scanning
    if not compared.is_warm or compared.topology.site(site).spec.cluster is None:
        return None
    selection = ends.Selection(namespaces=frozenset({compared.application.spec.namespace}), kinds=_REFERRED)
    cluster = grounds.asked(lambda: scanning.sites.cluster(site))
    if isinstance(cluster, Unread):
        gap = ends.Gap(what=f"everything at {site}", why=cluster.why, denied=cluster.denied)
        return inventory.Reading(site=site, objects={}, gaps=(gap,))
    return inventory.read(cluster, selection, site=site, sealer=scanning.sealer, now=scanning.clock)


def _images(
    gathering: Gathering,
    compared: comparison.Comparison,
    wanted: _Rendered,
    live: tuple[inventory.Reading, inventory.Reading],
    beside: inventory.Reading | None,
) -> facts.Images:
    follower = compared.faced.follower
    named = images.named(
        compared.topology,
        compared.application,
        follower,
        uses=wanted.sides[1].uses,
        live=(live[0].objects, live[1].objects),
    )
    found = images.gather(gathering.looks, follower, named, now=gathering.scanning.clock.now())
    accounts = {**(beside.objects if beside else {}), **live[1].objects}
    secrets = pulls.named_by({**live[1].objects, **_keyed(gathering.scanning, wanted.sides[1].full)}, accounts=accounts)
    return replace(
        found,
        tags=images.tags(gathering.looks, compared.application),
        host=images.host(compared.topology, follower),
        opened=images.opened(gathering.looks, follower, found, secrets),
    )


def _parity(
    scanning: Scanning, application: kinds.Application, pair: kinds.Pair
) -> tuple[facts.Parity | Unread, tuple[inventory.Reading, inventory.Reading] | None]:
    """The application compared over the pair now, with what people have said of the differences, and what was read."""
    try:
        found, read = scan.looked(scanning, application, pair)
        with scanning.database.write() as connection:
            found.store(connection)
        with scanning.database.read() as connection:
            scans = views.scans_of(connection, application.name)
            findings = views.unresolved(connection, [application.name])
    except errors.LockstepError as error:
        return grounds.refused(error), None
    now = scanning.clock.now()
    told = report.of_store(scans, findings, [(application, pair)], now=now, stale=timedelta.max)
    if not told.compared:
        return Unread(why="the comparison was not kept"), read
    (compared,) = told.compared
    parity = facts.Parity(
        compared=compared,
        differences=told.differences,
        declared=told.declared,
        explained=told.explained,
        rules=tuple(note.to_json() for note in told.rules),
    )
    return parity, read


def _desired(scanning: Scanning, wanted: _Rendered) -> facts.Desired:
    truth, follower = wanted.sides
    return facts.Desired(
        revision=wanted.revision,
        truth=_keyed(scanning, truth.objects),
        follower=_keyed(scanning, follower.objects),
        full=_keyed(scanning, follower.full),
        problems=tuple(str(problem) for problem in follower.problems),
    )


def _keyed(scanning: Scanning, objects: Iterable[dict[str, Json]]) -> facts.Objects:
    return inventory.by_key(objects, sealer=scanning.sealer)[0]


def _rehearsed(gathering: Gathering, wanted: _Rendered, tier: Tier, both: Grounds) -> Mapping[str, str] | Unread:
    follower = both.follower
    if not follower.runs:
        return Unread(why=grounds.NO_SERVER.format(site=follower.site), impossible=True)
    side = wanted.sides[1]
    return grounds.asked(lambda: gathering.looks.rehearse(follower.site, side, warm=tier is Tier.WARM))


def _deployed(one: deployments.Deployment) -> facts.Deployed:
    return facts.Deployed(
        site=one.site, revision=one.revision, run=one.run, state=one.state, message=one.message, at=one.ended_at
    )
