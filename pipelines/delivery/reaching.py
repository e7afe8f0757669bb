"""Deploying to one site of a run: writing, and waiting until it runs.

What became of a site is kept as a row; a run that was killed finds there how far it had come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from lockstep import errors
from lockstep.store import deployments
from lockstep.store.deployments import Deployment
from lockstep.topology import direction, kinds
from pipelines.delivery.prepare import Prepared, Whole, ends_of
from pipelines.delivery.world import World
from pipelines.deploy import apply, models, plan, rollout, site
from pipelines.tasks import Context

FAILED = (deployments.FAILED, deployments.ROLLED_BACK)
ENDED = (*FAILED, deployments.DONE, deployments.HELD)

One = TypeVar("One")


class Reaching:
    """What a run does at single sites.

    Args:
        world: The doors.
        context: The task of the run.
        application: What is deployed.
        places: The sites that the task is for; another task of the run may be for others.
    """

    def __init__(
        self,
        world: World,
        context: Context,
        application: kinds.Application,
        *,
        places: Sequence[direction.Place],
    ) -> None:
        self._world = world
        self._context = context
        self._application = application
        self._names = frozenset(place.site for place in places)

    def rows(self) -> dict[str, Deployment]:
        """What the run has done so far, by site, in this task or another one."""
        with self._world.database.read() as connection:
            return deployments.by_run(connection, self._context.run.name)

    def begun(self) -> dict[str, Deployment]:
        """What this attempt has done so far, by site; what one before it left is looked at anew."""
        since = self._context.task.started_at
        rows = {name: row for name, row in self.rows().items() if name in self._names}
        return {name: row for name, row in rows.items() if since is not None and row.ended_at >= since}

    def side_by_side(self, do: Callable[[One], Deployment], many: Sequence[One]) -> list[Deployment]:
        """Do something at several sites, each as fast as it can, and keep what became of each as soon as it is known.

        A process that is killed while one of them is slow has not forgotten the others.
        """

        def one(what: One) -> Deployment:
            row = do(what)
            self.remember(row)
            return row

        if not many:
            return []
        with ThreadPoolExecutor(max_workers=len(many), thread_name_prefix="deploy") as pool:
            return list(pool.map(one, many))

    def deploy(self, whole: Whole, prepared: Prepared) -> Deployment:
        """Write everything; where it has to run, it is rolling afterwards, unless it runs already."""
        row = self._written(whole, prepared)
        idle = prepared.plan is not None and prepared.plan.empty
        return self.look(row) if idle and row.state == deployments.ROLLING else row

    def _written(self, whole: Whole, prepared: Prepared) -> Deployment:
        started = self._world.clock.now()
        state, message, report = self._apply(prepared)
        changed, deleted = _counts(report) if report else (0, 0)
        name = prepared.place.site
        self._say(name, state, message)
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
            ended_at=self._now(),
        )

    def look(self, row: Deployment) -> Deployment:
        """A rolling site as it stands now: done, failed, or rolling still."""
        found = self.stands(row)
        if found.progress is rollout.Progress.OVER:
            return self.settled(row, deployments.DONE, "")
        if found.progress is rollout.Progress.FAILED:
            return self.settled(row, deployments.FAILED, found.why)
        if found.why != row.message:
            self._context.log(f"{row.site}: {found.why}")
        return replace(row, message=found.why)

    def stands(self, row: Deployment) -> rollout.Rollout:
        """How the rollout of what a row says stands, whose deadline counts from when it was written."""
        place = self._place(row.site)
        if place is None:
            return rollout.Rollout(progress=rollout.Progress.FAILED, why="the application is no longer deployed here")
        try:
            found = self._looked(place, row)
        except errors.TemporaryError as error:
            found = rollout.Rollout(progress=rollout.Progress.GOING, why=error.message)
        except errors.LockstepError as error:
            return rollout.Rollout(progress=rollout.Progress.FAILED, why=error.message)
        deadline = self._application.spec.rollout.deadline
        if found.progress is rollout.Progress.GOING and self._world.clock.now() - row.ended_at >= deadline:
            return replace(
                found, progress=rollout.Progress.FAILED, why=f"it does not run after {deadline}: {found.why}"
            )
        return found

    def _looked(self, place: direction.Place, row: Deployment) -> rollout.Rollout:
        cluster = ends_of(self._world, row.site).cluster
        if cluster is None:
            return rollout.Rollout(progress=rollout.Progress.OVER)
        standby = place.role is direction.Role.FOLLOWER
        return rollout.look(cluster, self._request(place, row), standby=standby)

    def last_good(self, row: Deployment) -> Deployment | None:
        """What was deployed to a site with success before this run."""
        with self._world.database.read() as connection:
            return deployments.last(connection, row.application, site=row.site, besides=row.run)

    def write(self, row: Deployment, *, approve: Collection[models.Why]) -> apply.Report:
        """Make a site what a row says, with some reasons to wait approved.

        Raises:
            LockstepError: It cannot be done, or has to wait for another reason.
        """
        place = self._place(row.site)
        if place is None:
            raise errors.InputError(f"{row.application} is no longer deployed to {row.site}.")
        what, at = self._request(place, row), ends_of(self._world, row.site)
        planned = site.plan(what, at)
        approved = [one for one in planned.approvals if one.why in approve]
        return site.deploy(what, planned, at, now=self._world.clock.now(), approved=approved)

    def remember(self, *rows: Deployment) -> None:
        """Keep what became of some sites."""
        with self._world.database.write() as connection:
            for row in rows:
                deployments.record(connection, row)

    def settled(self, row: Deployment, state: str, message: str) -> Deployment:
        """A row that has come to a state now."""
        self._say(row.site, state, message)
        return replace(row, state=state, message=message, ended_at=self._now())

    def _now(self) -> datetime:
        """The moment; never before the attempt began, as the clock of another machine may have told it."""
        now = self._world.clock.now()
        return max(now, self._context.task.started_at or now)

    def _say(self, name: str, state: str, message: str) -> None:
        self._context.log(f"{name}: {state}{f' ({message})' if message else ''}")

    def _place(self, name: str) -> direction.Place | None:
        return next((one for one in self._world.places_of(self._application) if one.site == name), None)

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
            return deployments.FAILED, "; ".join(failures(report)), report
        cluster = prepared.at.cluster
        waits = cluster is not None and cluster.runs and rollout.awaited(prepared.request)
        return deployments.ROLLING if waits else deployments.DONE, "", report


def failures(report: apply.Report) -> Iterator[str]:
    """What went wrong, in a line each."""
    yield from models.in_words(models.Refusal(key=one.key, why=one.error) for one in report.failed)
    yield from report.unfit
    if report.archive_error:
        yield f"archive: {report.archive_error}"
    if report.left:
        yield f"{len(report.left)} objects were not begun"


def _counts(report: apply.Report) -> tuple[int, int]:
    """How many objects were made or changed, and how many deleted."""
    good = [result for result in report.results if not result.error]
    deleted = sum(result.action is models.Action.DELETE for result in good)
    return len(good) - deleted, deleted
