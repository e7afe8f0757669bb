"""``Deploy``: what git says at a commit, to every site of the application, in the order that it asks for.

Params: ``sites`` (a list; all when empty), ``revision`` (the run's by default), ``like`` (a site: its digests),
``objects`` (a list: nothing but these is written, nothing is deleted, and only at sites that follow, in the stance
``normal``), ``heals`` (a list: objects whose fields are taken over from others, at sites that follow). Result:
``deployed``. A site waits until it holds every image whole; the next ones wait until it runs. A site that a stance
holds is passed over and said so; a plan that would destroy a hot fix, or much else, waits for a person. Called
again it goes on where it stands: what an attempt has done at a site is not done again, and what an image means is
decided once for a run. Nothing here waits: it asks to be called again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from lockstep import errors, work
from lockstep.store import approvals, deployments
from lockstep.store.deployments import Deployment
from lockstep.topology import direction, kinds
from lockstep.values import Json
from pipelines.delivery import approval, built, inputs, narrowing, turns
from pipelines.delivery.prepare import Whole, Wished, chosen, prepare
from pipelines.delivery.reaching import ENDED, FAILED, Reaching
from pipelines.delivery.rolling_back import GOING, RollingBack
from pipelines.delivery.world import World
from pipelines.tasks import Again, Context, Failed, Finished, Outcome, Waiting

# How soon to look again whether a site has its images: mirroring them was queued as urgent.
_LOOK_AGAIN_SECONDS = 0.5
# How soon to look again whether a site runs, and at most while it soaks: a person who cancels is heard then.
_ROLLING_SECONDS = 1.0
_SOAKING_SECONDS = 5.0

_NOTHING_WRITTEN = (
    "nothing was written: what differs is not set in git, so that no deploy changes it, or is right again by now; "
    "set it in git, or take it away at the site"
)

Rows = Mapping[str, Deployment]


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
        return _Deploying(self._world, context, application).go_on()


class _Deploying:
    """One call of the task."""

    def __init__(self, world: World, context: Context, application: kinds.Application) -> None:
        self._world, self._context, self._application = world, context, application
        self._rollout = application.spec.rollout
        self._places = chosen(world, application, inputs.texts(context.params, "sites"))
        self._reaching = Reaching(world, context, application, places=self._places)
        self._back = RollingBack(self._reaching)
        self._objects = inputs.texts(context.params, "objects")

    def go_on(self) -> Outcome:
        """Look how far it is, and do what comes next."""
        begun = self._reaching.begun()
        if self._objects and not begun:
            why = narrowing.refusal(self._world, self._application, self._places)
            if why:
                return Failed(reason="NotHealed", message=why)
        if any(row.state in GOING for row in begun.values()):
            return self._roll_back(begun)
        rolling = [row for row in begun.values() if row.state == deployments.ROLLING]
        if rolling:
            now = self._reaching.side_by_side(self._reaching.look, rolling)
            begun = {**begun, **{row.site: row for row in now}}
            still = [f"{row.site}: {row.message}" for row in now if row.state == deployments.ROLLING]
            if still and not (_failed(begun) and self._rollout.on_failure == "rollBack"):
                return Again(seconds=_ROLLING_SECONDS, why="; ".join(still))
        return self._next_turn(begun)

    def _next_turn(self, begun: Rows) -> Outcome:
        """The first turn that has sites left; the end when there is none, or a site has failed before it."""
        before: list[Deployment] = []
        for turn in turns.turns(self._places, self._rollout):
            if _failed(begun) and self._rollout.on_failure != "goOn":
                break
            left = [place.site for place in turn if not _ended(begun.get(place.site))]
            if left:
                done = [row.ended_at for row in before if row.state == deployments.DONE]
                soaks = turns.soaks(done, self._rollout, now=self._world.clock.now())
                if soaks > timedelta() and not any(place.site in begun for place in turn):
                    return Again(seconds=min(soaks.total_seconds(), _SOAKING_SECONDS), why=f"soaking for {soaks}")
                return self._take(left, begun)
            before += [begun[place.site] for place in turn]
        return self._end(begun)

    def _take(self, turn: Sequence[str], begun: Rows) -> Outcome:
        """Deploy to the sites of a turn that are ready, side by side."""
        whole = self._prepare(begun)
        unapproved = self._unapproved(whole)
        if unapproved:
            return self._ask(whole, unapproved)
        missing = self._missing(whole)
        ready = [one for one in whole.sites if one.place.site in turn and one.place.site not in missing]
        rows = self._reaching.side_by_side(lambda one: self._reaching.deploy(whole, one), ready)
        now = {**begun, **{row.site: row for row in rows}}
        late = [missing[name] for name in turn if name in missing]
        rolling = [name for name, row in now.items() if row.state == deployments.ROLLING]
        if rolling and not (_failed(now) and self._rollout.on_failure == "rollBack"):
            return Again(seconds=_ROLLING_SECONDS, why=f"not well yet: {', '.join(rolling)}")
        if late and not (_failed(now) and self._rollout.on_failure != "goOn"):
            return Again(seconds=_LOOK_AGAIN_SECONDS, why="; ".join(late))
        return self._next_turn(now)

    def _prepare(self, begun: Rows) -> Whole:
        """Plan every site that is not over: what a person has to approve is asked before the first is written."""
        context = self._context
        revision = inputs.text(context.params, "revision", context.run.revision)
        if not revision:
            raise errors.InputError("The run has no commit to deploy.", remedy="Start it with --revision.")
        earlier = [row for row in self._reaching.rows().values() if row.revision == revision]
        like = inputs.text(context.params, "like")
        decided = earlier[0].images if earlier else None
        if decided is None and like:
            decided = narrowing.digests_like(self._world, self._application, like, revision=revision)
        whole = prepare(
            self._world,
            self._application,
            revision=revision,
            built=built.digests_of(context),
            sites=Wished(
                only=[place.site for place in self._places if not _ended(begun.get(place.site))],
                named=_named(context),
                heals=inputs.texts(context.params, "heals"),
            ),
            decided=decided,
        )
        return whole.narrowed(self._objects) if self._objects else whole

    def _missing(self, whole: Whole) -> dict[str, str]:
        """The sites that do not hold their images yet, with what they lack."""
        late = {}
        for one in whole.sites:
            if one.missing and not one.held:
                late[one.place.site] = f"{one.place.site} does not hold {', '.join(one.missing)} yet"
                self._context.log(f"waiting: {late[one.place.site]}")
        return late

    def _unapproved(self, whole: Whole) -> list[str]:
        """What a person still has to approve, or approved for something else than this."""
        with self._world.database.read() as connection:
            asked = [one for one in approvals.of_run(connection, self._context.run.id) if one.state == "approved"]
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

    def _roll_back(self, begun: Rows) -> Outcome:
        """Put the last good revision back, and wait until it runs."""
        now = self._back.go_on(begun)
        waiting = [f"{row.site}: {row.message}" for row in now.values() if row.state in GOING]
        return Again(seconds=_ROLLING_SECONDS, why="; ".join(waiting)) if waiting else self._ended(now)

    def _end(self, begun: Rows) -> Outcome:
        if _failed(begun) and self._rollout.on_failure == "rollBack" and self._back.begin(begun):
            return self._roll_back(self._reaching.begun())
        return self._ended(begun)

    def _ended(self, begun: Rows) -> Outcome:
        done = {place.site: begun[place.site] for place in self._places if place.site in begun}
        job = work.scan(self._application.name, urgent=True)
        self._context.effects.append(self._world.enqueueing(job))
        detail = self._detail(done)
        failed = _failed(done)
        if failed:
            message = "; ".join(f"{row.site}: {row.message}" for row in failed)
            return Failed(reason="DeployFailed", message=message, detail=detail)
        reached = [name for name, row in done.items() if row.state == deployments.DONE]
        held = [name for name, row in done.items() if row.state == deployments.HELD]
        if inputs.texts(self._context.params, "heals") and reached and not any(row.changed for row in done.values()):
            # It was asked for because something differs: to say that it is healed would be to say what nobody saw.
            return Failed(reason="NothingWritten", message=_NOTHING_WRITTEN, detail=detail)
        message = f"deployed to {', '.join(reached) or 'no site'}" + (f"; held: {', '.join(held)}" if held else "")
        return Finished(results={"deployed": tuple(reached)}, detail=detail, message=message)

    def _detail(self, done: Rows) -> dict[str, Json]:
        """What people see of it: every site, also those that were not begun."""
        revision = inputs.text(self._context.params, "revision", self._context.run.revision)
        images = next((dict(row.images) for row in done.values()), {})
        sites = {place.site: _shown(place, done.get(place.site)) for place in self._places}
        return {"sites": sites, "images": images, "revision": revision}


def _shown(place: direction.Place, row: Deployment | None) -> dict[str, Json]:
    if row is None:
        return {"state": "left", "message": "not begun: another site failed before"}
    return {
        "state": row.state,
        "tier": place.tier.value if place.tier else place.role.value,
        "message": row.message,
        "objects": row.objects,
        "changed": row.changed,
        "deleted": row.deleted,
    }


def _ended(row: Deployment | None) -> bool:
    return row is not None and row.state in ENDED


def _failed(done: Rows) -> list[Deployment]:
    return [row for row in done.values() if row.state in FAILED]


def _named(context: Context) -> list[str]:
    """The sites that a person asked for by name: a push names none."""
    cause = context.run.cause
    return [str(site) for site in cause.get("sites", ())] if cause.get("kind") == "deploy" else []
