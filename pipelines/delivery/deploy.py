"""``Deploy``: what git says at a commit, to every site of the application, in the order that it asks for.

Params: ``sites`` (a list; all when empty), ``revision`` (the run's by default). Result: ``deployed``. A site
waits until it holds every image whole; the next ones wait until it runs. A site that a stance holds is passed
over and said so; a plan that would destroy a hot fix, or much else, waits for a person. Called again it goes on
where it stands: what is already as it should be is not written. Nothing here waits: it asks to be called again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from lockstep import errors, work
from lockstep.store import approvals, deployments
from lockstep.store.deployments import Deployment
from lockstep.topology import kinds
from lockstep.values import Json
from pipelines.delivery import approval, built, inputs, turns
from pipelines.delivery.prepare import Prepared, Whole, prepare
from pipelines.delivery.reaching import ENDED, Reaching
from pipelines.delivery.world import World
from pipelines.tasks import Again, Context, Failed, Finished, Outcome, Waiting

# How soon to look again whether a site has its images: mirroring them was queued as urgent.
_LOOK_AGAIN_SECONDS = 0.5
# How soon to look again whether a site runs, and at most while it soaks: a person who cancels is heard then.
_ROLLING_SECONDS = 1.0
_SOAKING_SECONDS = 5.0


class Deploy:
    """Deploys an application to its sites."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, context: Context) -> Outcome:
        """Deploy as far as it can be done now.

        Raises:
            LockstepError: It cannot be rendered, or no image's digest is known.
        """
        application = self._world.application(context.run.application)
        reaching = Reaching(self._world, context, application)
        rolling = [row for row in reaching.rows().values() if row.state == deployments.ROLLING]
        if rolling:
            now = [reaching.look(row) for row in rolling]
            reaching.remember(*now)
            waiting = [f"{row.site}: {row.message}" for row in now if row.state == deployments.ROLLING]
            return Again(seconds=_ROLLING_SECONDS if waiting else 0.0, why="; ".join(waiting))
        whole = self._prepare(context, application)
        unapproved = self._unapproved(context, whole)
        if unapproved:
            return self._ask(whole, unapproved)
        return self._go(context, whole, reaching)

    def _go(self, context: Context, whole: Whole, reaching: Reaching) -> Outcome:
        """Turn after turn, as far as the first that has not ended well."""
        rollout = whole.application.spec.rollout
        missing = self._missing(context, whole)
        rows = reaching.rows()
        done: dict[str, Deployment] = {}
        for turn in turns.turns(whole.sites, rollout):
            soaks = turns.soaks([row.ended_at for row in done.values()], rollout, now=self._world.clock.now())
            if soaks > timedelta() and not all(one.place.site in rows for one in turn):
                return Again(seconds=min(soaks.total_seconds(), _SOAKING_SECONDS), why=f"soaking for {soaks}")
            done |= self._turn(turn, whole, reaching, missing=missing, rows=rows)
            if _failed(done) and rollout.on_failure != "goOn":
                return self._end(context, whole, reaching, done)
            late = [one.place.site for one in turn if one.place.site not in done]
            if late:
                return Again(seconds=_LOOK_AGAIN_SECONDS, why="; ".join(missing[name] for name in late))
            if any(row.state not in ENDED for row in done.values()):
                return Again(seconds=_ROLLING_SECONDS, why="its workloads are not well yet")
        return self._end(context, whole, reaching, done)

    def _prepare(self, context: Context, application: kinds.Application) -> Whole:
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

    @staticmethod
    def _turn(
        turn: list[Prepared],
        whole: Whole,
        reaching: Reaching,
        *,
        missing: dict[str, str],
        rows: dict[str, Deployment],
    ) -> dict[str, Deployment]:
        """Deploy to the sites of one turn that are ready, side by side; what became of each."""
        over = {one.place.site: rows[one.place.site] for one in turn if reaching.is_over(one, rows.get(one.place.site))}
        ready = [one for one in turn if one.place.site not in missing and one.place.site not in over]
        if not ready:
            return over
        with ThreadPoolExecutor(max_workers=len(ready), thread_name_prefix="deploy") as pool:
            done = list(pool.map(lambda one: reaching.deploy(whole, one), ready))
        reaching.remember(*done)
        return {**over, **{row.site: row for row in done}}

    def _end(self, context: Context, whole: Whole, reaching: Reaching, done: dict[str, Deployment]) -> Outcome:
        if _failed(done) and whole.application.spec.rollout.on_failure == "rollBack":
            reached = [row for row in done.values() if row.state != deployments.HELD]
            back = [reaching.roll_back(row) for row in reached]
            reaching.remember(*back)
            done |= {row.site: row for row in back}
        job = work.scan(whole.application.name, urgent=True)
        context.effects.append(self._world.enqueueing(job))
        detail = _detail(whole, done)
        failed = _failed(done)
        if failed:
            message = "; ".join(f"{row.site}: {row.message}" for row in failed)
            return Failed(reason="DeployFailed", message=message, detail=detail)
        reached_sites = [name for name, row in done.items() if row.state == deployments.DONE]
        held = [name for name, row in done.items() if row.state == deployments.HELD]
        message = f"deployed to {', '.join(reached_sites) or 'no site'}" + (
            f"; held: {', '.join(held)}" if held else ""
        )
        return Finished(results={"deployed": tuple(reached_sites)}, detail=detail, message=message)


def _failed(done: dict[str, Deployment]) -> list[Deployment]:
    return [row for row in done.values() if row.state == deployments.FAILED]


def _detail(whole: Whole, done: dict[str, Deployment]) -> dict[str, Json]:
    """What people see of it: every site, also those that were not begun."""
    sites: dict[str, Json] = {}
    for one in whole.sites:
        row = done.get(one.place.site)
        if row is None:
            sites[one.place.site] = {"state": "left", "message": "not begun: another site failed before"}
            continue
        sites[row.site] = {
            "state": row.state,
            "tier": one.place.tier.value if one.place.tier else one.place.role.value,
            "message": row.message,
            "objects": row.objects,
            "changed": row.changed,
            "deleted": row.deleted,
        }
    return {"sites": sites, "images": dict(whole.digests), "revision": whole.revision}
