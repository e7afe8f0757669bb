"""Deploying to one site of a run: writing, waiting until it runs, putting the last good revision back.

What became of a site is kept as a row; a run that was killed finds there how far it had come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lockstep import errors
from lockstep.store import deployments
from lockstep.store.deployments import Deployment
from lockstep.topology import direction, kinds
from pipelines.delivery.prepare import Prepared, Whole, ends_of
from pipelines.delivery.world import World
from pipelines.deploy import apply, models, plan, rollout, site
from pipelines.tasks import Context

ENDED = (deployments.DONE, deployments.FAILED, deployments.HELD)


class Reaching:
    """What a run does at single sites.

    Args:
        world: The doors.
        context: The task of the run.
        application: What is deployed.
    """

    def __init__(self, world: World, context: Context, application: kinds.Application) -> None:
        self._world = world
        self._context = context
        self._application = application

    def rows(self) -> dict[str, Deployment]:
        """What the run has done so far, by site."""
        with self._world.database.read() as connection:
            return deployments.by_run(connection, self._context.run.name)

    def is_over(self, prepared: Prepared, row: Deployment | None) -> bool:
        """Whether nothing is left to do at a site: it is as it should be, or failed in this attempt."""
        if row is None:
            return False
        if row.state == deployments.FAILED:
            begun = self._context.task.started_at
            return begun is not None and row.ended_at >= begun
        return row.state == deployments.DONE and prepared.plan is not None and prepared.plan.empty

    def deploy(self, whole: Whole, prepared: Prepared) -> Deployment:
        """Write everything; where it has to run, it is rolling afterwards."""
        started = self._world.clock.now()
        state, message, report = self._apply(prepared)
        changed, deleted = _counts(report) if report else (0, 0)
        name = prepared.place.site
        self._context.log(f"{name}: {state}{f' ({message})' if message else ''}")
        return Deployment(
            application=self._application.name,
            site=name,
            run=self._context.run.name,
            revision=whole.revision,
            images=whole.digests,
            state=state,
            message=message,
            objects=len(prepared.request.objects),
            changed=changed,
            deleted=deleted,
            started_at=started,
            ended_at=self._world.clock.now(),
        )

    def look(self, row: Deployment) -> Deployment:
        """A rolling site as it stands now: done, failed, or rolling still."""
        place = next((one for one in self._world.places_of(self._application) if one.site == row.site), None)
        if place is None:
            return self._settled(row, deployments.FAILED, "the application is no longer deployed here")
        request = self._request(place, row)
        cluster = ends_of(self._world, row.site).cluster
        if cluster is None:
            return self._settled(row, deployments.DONE, "")
        found = rollout.look(cluster, request, standby=place.role is direction.Role.FOLLOWER)
        if found.progress is rollout.Progress.OVER:
            return self._settled(row, deployments.DONE, "")
        if found.progress is rollout.Progress.FAILED:
            return self._settled(row, deployments.FAILED, found.why)
        deadline = self._application.spec.rollout.deadline
        if self._world.clock.now() - row.ended_at >= deadline:
            return self._settled(row, deployments.FAILED, f"it does not run after {deadline}: {found.why}")
        if found.why != row.message:
            self._context.log(f"{row.site}: {found.why}")
        return replace(row, message=found.why)

    def roll_back(self, row: Deployment) -> Deployment:
        """Put the last good revision back at a site where this run has been."""
        with self._world.database.read() as connection:
            good = deployments.last(connection, row.application, site=row.site, besides=row.run)
        why = row.message or "another site failed"
        if good is None:
            return self._settled(row, deployments.FAILED, f"{why}; there is no older revision to put back")
        place = next(one for one in self._world.places_of(self._application) if one.site == row.site)
        try:
            what = self._request(place, good)
            at = ends_of(self._world, row.site)
            planned = site.plan(what, at)
            report = site.deploy(what, planned, at, now=self._world.clock.now(), approved=planned.approvals)
        except errors.LockstepError as error:
            return self._settled(row, deployments.FAILED, f"{why}; {good.revision[:12]} could not be put back: {error}")
        failures = "; ".join(_failures(report))
        told = f"{why}; rolled back to {good.revision[:12]}{f', but {failures}' if failures else ''}"
        return self._settled(row, deployments.FAILED, told)

    def remember(self, *rows: Deployment) -> None:
        """Keep what became of some sites."""
        with self._world.database.write() as connection:
            for row in rows:
                deployments.record(connection, row)

    def _request(self, place: direction.Place, row: Deployment) -> plan.Request:
        wanted = self._world.renderings.desired(
            self._world.topology(), self._application, place=place, revision=row.revision, digests=row.images
        )
        request = plan.Request(wanted=wanted, application=self._application, place=place, revision=row.revision)
        return site.fitted(request, ends_of(self._world, place.site))

    def _apply(self, prepared: Prepared) -> tuple[str, str, apply.Report | None]:
        if prepared.held:
            return deployments.HELD, prepared.held, None
        if prepared.plan is None or prepared.at is None:
            return deployments.FAILED, prepared.problem, None
        for line in prepared.described:
            self._context.log(line)
        try:
            report = site.deploy(
                prepared.request,
                prepared.plan,
                prepared.at,
                now=self._world.clock.now(),
                approved=prepared.plan.approvals,
            )
        except errors.LockstepError as error:
            return deployments.FAILED, error.message, None
        if not report.whole:
            return deployments.FAILED, "; ".join(_failures(report)), report
        cluster = prepared.at.cluster
        waits = cluster is not None and cluster.runs and rollout.awaited(prepared.request)
        return deployments.ROLLING if waits else deployments.DONE, "", report

    def _settled(self, row: Deployment, state: str, message: str) -> Deployment:
        self._context.log(f"{row.site}: {state}{f' ({message})' if message else ''}")
        return replace(row, state=state, message=message, ended_at=self._world.clock.now())


def _counts(report: apply.Report) -> tuple[int, int]:
    """How many objects were made or changed, and how many deleted."""
    good = [result for result in report.results if not result.error]
    deleted = sum(result.action is models.Action.DELETE for result in good)
    return len(good) - deleted, deleted


def _failures(report: apply.Report) -> Iterator[str]:
    yield from (f"{result.key}: {result.error}" for result in report.failed)
    yield from report.unfit
    if report.archive_error:
        yield f"archive: {report.archive_error}"
    if report.left:
        yield f"{len(report.left)} objects were not begun"
