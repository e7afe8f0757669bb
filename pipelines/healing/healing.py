"""The job that heals what heals itself, and the healing that a person asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from lockstep import errors, work
from lockstep.clock import Clock
from lockstep.store import deployments, healings, runs, stances
from lockstep.store.database import Database
from lockstep.store.views import drift
from lockstep.topology import direction, kinds
from lockstep.topology.direction import Direction
from lockstep.topology.model import Topology
from lockstep.values import Stance
from pipelines.healing import choosing, running
from pipelines.run import Runs

# Who says so where nobody does.
ITSELF = "lockstep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """What healing stands on."""

    database: Database
    topology: Callable[[], Topology]
    runs: Runs
    clock: Clock


def handle_heal(context: Healing, claim: work.Claim) -> work.Outcome:
    """Heal what the application says may heal itself, after a comparison: ``{"application": name}``."""
    topology = context.topology()
    application = topology.applications.get(str(claim.payload["application"]))
    if application is None:
        return work.Done()
    effects = [
        partial(_heal, context, application, pair, protection.heal)
        for pair, protection in topology.pairs_of(application)
        if protection.heal is not None and protection.heal.automatic
    ]
    return work.Done(effects=tuple(effects))


def ask(context: Healing, finding: drift.Finding, *, by: str) -> str:
    """Deploy to the standby again what the primary was deployed with, because a person says so; the name of the run.

    Raises:
        UnsupportedError: It is nothing that a deploy to the standby heals.
        HeldError: The stance forbids it, or nobody can see the primary.
        NotFoundError: The finding's pair is no more, or the primary was never deployed to.
    """
    topology = context.topology()
    application, pair = topology.application(finding.application), topology.pair(finding.pair)
    if finding.verdict not in choosing.HEALABLE or not finding.managed or finding.state == "resolved":
        raise errors.UnsupportedError(
            f"A deploy to the standby does not heal this: it is {finding.verdict}.",
            remedy="A hot fix is brought to git: lockstep findings patch. What may differ: lockstep findings explain.",
        )
    with context.database.write() as connection:
        faced = _faced(connection, pair)
        known = _there(connection, application.name, pair.name)
        if faced.stance is not Stance.NORMAL or faced.held or choosing.is_blind(known, faced.truth):
            why = f"{faced.truth} could not be read whole" if faced.stance is Stance.NORMAL else faced.stance.value
            raise errors.HeldError(
                f"Nothing is healed over {pair.name} now: {why}.",
                remedy=f"See lockstep pair show {pair.name} and lockstep drift {application.name}.",
            )
        key = f"{finding.kind}{'.' + finding.group if finding.group else ''} "
        key += f"{finding.namespace + '/' if finding.namespace else ''}{finding.name}"
        wrong = choosing.wrong_at(known, faced.follower)
        wanted = _Wanted(by=by, objects=(key,), whole=True, heals=wrong)
        return _start(context, connection, application, faced, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Who wants what: ``objects`` is what it is for; ``whole`` deploys everything, as any deploy does.

    ``heals`` are the objects that lose what others have changed at the standby.
    """

    by: str
    objects: tuple[str, ...]
    whole: bool
    heals: tuple[str, ...]

    @property
    def reason(self) -> str:
        """What stands in the records."""
        return f"{'asked for' if self.whole else 'by itself'}: {', '.join(self.objects[:5])}"


def _heal(
    context: Healing, application: kinds.Application, pair: kinds.Pair, heal: kinds.Heal, connection: Connection
) -> None:
    """Look at everything in the transaction that starts the run: nothing is decided on what was true a moment ago."""
    faced, now = _faced(connection, pair), context.clock.now()
    scan = next((one for one in drift.scans_of(connection, application.name) if one.pair == pair.name), None)
    if scan is None:
        return
    stopped = healings.stops(connection, pair.name, application=application.name)
    chosen = choosing.choose(
        choosing.Situation(
            heal=heal,
            faced=faced,
            findings=_there(connection, application.name, pair.name),
            seen_at=scan.started_at,
            deployed_at=_deployed_at(connection, application, faced),
            healed=healings.automatic_since(
                connection, application.name, pair.name, now - max(choosing.FIGHT_WITHIN, heal.every)
            ),
            stopped=stopped[0].reason if stopped else "",
            busy=bool(runs.unended(connection, application=application.name)),
            now=now,
        )
    )
    if chosen.fought:
        fight = healings.Stop(pair=pair.name, application=application.name, by=ITSELF, reason=chosen.why, at=now)
        healings.stop(connection, fight)
    elif chosen.objects:
        try:
            wanted = _Wanted(by=ITSELF, objects=chosen.objects, whole=False, heals=chosen.objects)
            _start(context, connection, application, faced, wanted)
        except errors.NotFoundError:
            # Nothing was deployed to the primary yet: there is nothing to be like.
            return


def _start(
    context: Healing, connection: Connection, application: kinds.Application, faced: Direction, wanted: _Wanted
) -> str:
    """Start the run and keep why; its name. Raises NotFoundError when the primary was never deployed to."""
    like = deployments.last(connection, application.name, site=faced.truth)
    if like is None:
        raise errors.NotFoundError(
            f"{application.name} was never deployed to {faced.truth}, so nobody can say what {faced.follower} lacks.",
            remedy=f"Deploy it: lockstep deploy {application.name}.",
        )
    request = running.request(
        application,
        revision=like.revision,
        sites=(faced.follower,),
        cause={"kind": "heal", "by": wanted.by, "sites": [faced.follower], "objects": list(wanted.objects)},
        like=running.Like(site=faced.truth, objects=() if wanted.whole else wanted.objects, heals=wanted.heals),
    )
    run = runs.get(connection, context.runs.create(connection, request)).name
    healed = healings.Healing(
        application=application.name,
        pair=faced.pair,
        site=faced.follower,
        revision=like.revision,
        run=run,
        objects=wanted.objects,
        automatic=not wanted.whole,
        by=wanted.by,
        reason=wanted.reason,
        at=context.clock.now(),
    )
    healings.record(connection, healed)
    return run


def _there(connection: Connection, application: str, pair: str) -> list[drift.Brief]:
    """What differs now: what comes and goes, and is away at the moment, needs no healing."""
    return [one for one in drift.briefly(connection, application, pair=pair) if one.away_at is None]


def _faced(connection: Connection, pair: kinds.Pair) -> Direction:
    return direction.direction_of(pair, stances.in_force(connection, [pair.name])[pair.name])


def _deployed_at(connection: Connection, application: kinds.Application, faced: Direction) -> datetime | None:
    """When something was last deployed to either site of a pair."""
    known = deployments.newest(connection, application.name)
    return max((row.ended_at for row in known if row.site in (faced.truth, faced.follower)), default=None)
