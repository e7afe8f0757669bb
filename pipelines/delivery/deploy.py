"""``Deploy``: what git says at a commit, to every site of the application: the truth first, then the others.

Params: ``sites`` (a list; all when empty), ``revision`` (the run's by default). Result: ``deployed``. A site
waits until it holds every image whole; a site that a stance holds is passed over and said so; a plan that would
destroy a hot fix, or much else, waits for a person. Called again it goes on where it stands: what is already
as it should be is not written.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from lockstep import errors, work
from lockstep.store import approvals, deployments
from lockstep.topology import direction
from lockstep.values import Json
from pipelines.delivery import approval, built, inputs
from pipelines.delivery.prepare import Prepared, Whole, prepare
from pipelines.delivery.world import World
from pipelines.deploy import apply, models, site
from pipelines.tasks import Again, Context, Failed, Finished, Outcome, Waiting

# How soon to look again whether a site has its images: mirroring them was queued as urgent.
_LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one site."""

    place: direction.Place
    state: str
    message: str
    objects: int
    changed: int = 0
    deleted: int = 0
    started_at: datetime
    ended_at: datetime

    def as_json(self) -> dict[str, Json]:
        """What people see of it."""
        return {
            "state": self.state,
            "tier": self.place.tier.value if self.place.tier else self.place.role.value,
            "message": self.message,
            "objects": self.objects,
            "changed": self.changed,
            "deleted": self.deleted,
        }


class Deploy:
    """Deploys an application to its sites."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, context: Context) -> Outcome:
        """Deploy as far as it can be done now.

        Raises:
            LockstepError: It cannot be rendered, or no image's digest is known.
        """
        whole = self._prepare(context)
        missing = self._missing(context, whole)
        unapproved = self._unapproved(context, whole)
        if unapproved:
            return self._ask(whole, unapproved)
        truths = [one for one in whole.sites if one.place.role is direction.Role.TRUTH]
        followers = [one for one in whole.sites if one.place.role is not direction.Role.TRUTH]
        done = self._turn(context, whole, truths, missing)
        if not _stopped(done) and len(done) == len(truths):
            done += self._turn(context, whole, followers, missing)
        if _stopped(done) or len(done) == len(whole.sites):
            return self._end(context, whole, done)
        late = [one for one in whole.sites if one.place.site in missing]
        return Again(seconds=_LOOK_AGAIN_SECONDS, why="; ".join(missing[one.place.site] for one in late))

    def _prepare(self, context: Context) -> Whole:
        application = self._world.application(context.run.application)
        revision = inputs.text(context.params, "revision", context.run.revision)
        if not revision:
            raise errors.InputError("The run has no commit to deploy.", remedy="Start it with --revision.")
        return prepare(
            self._world,
            application,
            revision=revision,
            built=built.digests_of(context),
            only=inputs.texts(context.params, "sites"),
        )

    @staticmethod
    def _missing(context: Context, whole: Whole) -> dict[str, str]:
        """The sites that do not hold their images yet, with what they lack."""
        late = {}
        for one in whole.sites:
            if one.missing and not one.held:
                late[one.place.site] = f"{one.place.site} does not hold {', '.join(one.missing)} yet"
                context.log(f"waiting: {late[one.place.site]}")
        return late

    def _unapproved(self, context: Context, whole: Whole) -> list[str]:
        """What a person still has to approve, or approved for something else than this."""
        with self._world.database.read() as connection:
            asked = [one for one in approvals.of_run(connection, context.run.id) if one.state == "approved"]
        bounds = [one.bound for one in asked if isinstance(one.bound, dict) and "plans" in one.bound]
        fitting = [bound for bound in bounds if whole.fits(bound)]
        approved = {need for bound in fitting for need in bound["needs"]}
        unapproved = sorted(set(whole.needs) - approved)
        if bounds and not fitting:
            unapproved.append("what would be deployed now is not what was approved")
        return unapproved

    @staticmethod
    def _ask(whole: Whole, unapproved: list[str]) -> Waiting:
        question = f"Deploy {whole.application.name} {whole.revision[:12]} all the same? {'; '.join(unapproved)}."
        return Waiting(question=question, bound=whole.bound(), kind="guard", detail={"sites": approval.sites(whole)})

    def _turn(self, context: Context, whole: Whole, sites: list[Prepared], missing: dict[str, str]) -> list[Done]:
        """Deploy to the sites of one turn that are ready, side by side."""
        ready = [one for one in sites if one.place.site not in missing]
        if not ready:
            return []
        with ThreadPoolExecutor(max_workers=len(ready), thread_name_prefix="deploy") as pool:
            done = list(pool.map(lambda one: self._one(context, one), ready))
        with self._world.database.write() as connection:
            for one in done:
                deployments.record(connection, _row(context, whole, one))
        return done

    def _one(self, context: Context, prepared: Prepared) -> Done:
        before = self._before(context, prepared)
        if before is not None:
            return before
        started = self._world.clock.now()
        state, message, report = self._apply(context, prepared)
        name = prepared.place.site
        context.log(f"{name}: {state}{f' ({message})' if message else ''}")
        counts = _counts(report) if report else (0, 0)
        return Done(
            place=prepared.place,
            state=state,
            message=message,
            objects=len(prepared.request.objects),
            changed=counts[0],
            deleted=counts[1],
            started_at=started,
            ended_at=self._world.clock.now(),
        )

    def _before(self, context: Context, prepared: Prepared) -> Done | None:
        """What this run did to the site already, when nothing is left to do there."""
        if prepared.plan is None or not prepared.plan.empty:
            return None
        with self._world.database.read() as connection:
            row = deployments.of_run(connection, context.run.name, prepared.place.site)
        if row is None or row.state != deployments.DONE:
            return None
        return Done(
            place=prepared.place,
            state=row.state,
            message=row.message,
            objects=row.objects,
            changed=row.changed,
            deleted=row.deleted,
            started_at=row.started_at,
            ended_at=row.ended_at,
        )

    def _apply(self, context: Context, prepared: Prepared) -> tuple[str, str, apply.Report | None]:
        if prepared.held:
            return deployments.HELD, prepared.held, None
        if prepared.plan is None or prepared.at is None:
            return deployments.FAILED, prepared.problem, None
        for line in prepared.described:
            context.log(line)
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
        if report.whole:
            return deployments.DONE, "", report
        return deployments.FAILED, "; ".join(_failures(report)), report

    def _end(self, context: Context, whole: Whole, done: list[Done]) -> Outcome:
        job = work.scan(whole.application.name, urgent=True)
        context.effects.append(self._world.enqueueing(job))
        detail: dict[str, Json] = {
            "sites": {one.place.site: one.as_json() for one in done},
            "images": dict(whole.digests),
            "revision": whole.revision,
        }
        left = [one.place.site for one in whole.sites if one.place.site not in {each.place.site for each in done}]
        for name in left:
            detail["sites"][name] = {"state": "left", "message": "not begun: another site failed before"}
        failed = [one for one in done if one.state == deployments.FAILED]
        if failed:
            message = "; ".join(f"{one.place.site}: {one.message}" for one in failed)
            return Failed(reason="DeployFailed", message=message, detail=detail)
        reached = [one.place.site for one in done if one.state == deployments.DONE]
        held = [one.place.site for one in done if one.state == deployments.HELD]
        message = f"deployed to {', '.join(reached) or 'no site'}" + (f"; held: {', '.join(held)}" if held else "")
        return Finished(results={"deployed": tuple(reached)}, detail=detail, message=message)


def _stopped(done: list[Done]) -> bool:
    """On a failure nothing more is begun."""
    return any(one.state == deployments.FAILED for one in done)


def _counts(report: apply.Report) -> tuple[int, int]:
    """How many objects were made or changed, and how many deleted."""
    good = [result for result in report.results if not result.error]
    deleted = sum(result.action is models.Action.DELETE for result in good)
    return len(good) - deleted, deleted


def _failures(report: apply.Report) -> Iterator[str]:
    yield from (f"{result.key}: {result.error}" for result in report.failed)
    if report.archive_error:
        yield f"archive: {report.archive_error}"
    if report.left:
        yield f"{len(report.left)} objects were not begun"


def _row(context: Context, whole: Whole, one: Done) -> deployments.Deployment:
    return deployments.Deployment(
        application=whole.application.name,
        site=one.place.site,
        run=context.run.name,
        revision=whole.revision,
        images=whole.digests,
        state=one.state,
        message=one.message,
        objects=one.objects,
        changed=one.changed,
        deleted=one.deleted,
        started_at=one.started_at,
        ended_at=one.ended_at,
    )
