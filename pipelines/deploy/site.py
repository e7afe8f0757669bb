"""Deploying to one site: its cluster, its archive, or both.

The cluster gets what runs there; the archive gets the full size, after the cluster has everything. A site that
has only an archive is planned against what the archive holds.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from lockstep import errors
from lockstep.sites import archive as archives
from lockstep.sites import archive_note, ends
from lockstep.values import Json, ObjectKey, Tier
from pipelines.deploy import apply, look, trying, warm
from pipelines.deploy import plan as planning
from pipelines.deploy.models import Approval, Plan

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where a site's applications go; at least one of the two."""

    cluster: ends.Cluster | None
    archive: archives.Archive | None


def fitted(request: planning.Request, at: Ends) -> planning.Request:
    """The request as the site takes it: of a warm one whose cluster could run everything, the ground alone."""
    runs = at.cluster is not None and at.cluster.runs
    return replace(request, ground=runs and request.place.tier is Tier.WARM)


def plan(request: planning.Request, at: Ends) -> Plan:
    """What a deploy to a site would do.

    Raises:
        UnsupportedError: The site has neither a cluster nor an archive.
        LockstepError: It cannot be read at all.
    """
    if at.cluster is not None:
        live = look.look(at.cluster, request.wanted)
        return planning.plan(request, trying.tried(at.cluster, request.objects, live))
    there = _archive(request, at).rendering(request.application.name)
    live = replace(look.look(there, request.wanted), whole=True)
    return planning.plan(replace(request, full_size=True), live)


def deploy(
    request: planning.Request,
    plan_: Plan,
    at: Ends,
    *,
    now: datetime,
    approved: Collection[Approval] = (),
    progress: apply.Progress | None = None,
) -> apply.Report:
    """Do what a plan says, and keep the full size in the archive.

    Args:
        request: What the plan was made of.
        plan_: The plan.
        at: Where.
        now: The moment, for the archive's note.
        approved: The reasons to wait that a person has approved for this plan's digest.
        progress: Told of each object of the cluster.

    Raises:
        HeldError: A stance holds the site, or a reason to wait is not approved.
        InputError: The plan is refused.
        UnsupportedError: Nothing can be written there.
    """
    if at.cluster is not None:
        report = apply.apply(plan_, at.cluster, approved=approved, progress=progress)
        if request.ground and report.whole:
            report = replace(report, unfit=_rehearse(request, at.cluster))
        if at.archive is None or report.left or report.failed:
            return report
        return replace(report, archive_error=_keep(request, at.archive, now=now))
    apply.require(plan_, approved)
    error = _keep(request, _archive(request, at), now=now)
    steps = [step for stage in plan_.stages for step in stage]
    return apply.Report(
        site=plan_.site,
        results=() if error else tuple(apply.Result(key=step.key, action=step.action) for step in steps),
        left=tuple(step.key for step in steps) if error else (),
        archive_error=error,
    )


def _rehearse(request: planning.Request, cluster: ends.Cluster) -> tuple[str, ...]:
    """The workloads that could not start at a site, and why."""

    def one(rehearsal: warm.Rehearsal) -> str:
        try:
            cluster.apply(rehearsal.pod, dry_run=True, before={})
        except errors.LockstepError as error:
            return f"{rehearsal.workload} could not start here: {error}"
        return ""

    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="rehearsal") as pool:
        return tuple(said for said in pool.map(one, warm.rehearsals(request.wanted.full)) if said)


def _archive(request: planning.Request, at: Ends) -> archives.Archive:
    if at.archive is None:
        raise errors.UnsupportedError(
            f"The site {request.place.site} has neither a cluster nor an archive.", remedy="Give it one of them."
        )
    return at.archive


def _keep(request: planning.Request, archive: archives.Archive, *, now: datetime) -> str:
    """Write the full size; what went wrong, or ``""``."""
    wanted = request.wanted
    keys = [ObjectKey.of(manifest) for manifest in wanted.full]
    parent = wanted.applyset.parent(keys, revision=request.revision, images=wanted.meant)
    objects: list[dict[str, Json]] = [*wanted.full, parent]
    record = archive_note.Record(
        application=wanted.application,
        site=wanted.site,
        namespace=wanted.namespace,
        revision=request.revision,
        images=wanted.digests,
        written_at=now,
    )
    try:
        archive.write(record, objects)
    except errors.LockstepError as error:
        return str(error)
    return ""
