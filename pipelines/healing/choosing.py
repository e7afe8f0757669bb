"""What may be healed by itself, and what stops it. Pure.

The healing is refused as a whole where nobody can say what is right: another stance, a primary that is not read whole,
a deploy that is under way. An object is left alone where anybody has a say in it: a person, the primary, a controller
that changes it back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lockstep.store import lives
from lockstep.store.healings import Healing
from lockstep.store.views.drift import Brief
from lockstep.topology import kinds
from lockstep.topology.direction import Direction
from lockstep.topology.objects import ObjectPattern
from lockstep.values import ObjectKey, Stance, Verdict

HEALABLE = frozenset(
    verdict.value for verdict in (Verdict.STANDBY_DRIFT, Verdict.MISSING_AT_STANDBY, Verdict.STANDBY_BEHIND)
)
"""What is wrong at the standby alone: git and the primary agree."""
# Nobody looks after it. What flaps is healed until it counts as fought over.
_NOBODYS = (lives.OPEN, lives.FLAPPING)
# An object that needs healing so often within so long is changed by somebody else each time.
FIGHT, FIGHT_WITHIN = 3, timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is true of an application over a pair now.

    Args:
        heal: What the application says.
        faced: How the pair faces.
        findings: Everything that is not resolved.
        seen_at: When the comparison that found it began.
        deployed_at: When something was last deployed to either site; None when nothing was.
        healed: What was healed by itself, the newest first, for as long as a fight is looked for.
        stopped: Why healing is stopped; empty when it is not.
        busy: Whether a run of the application has not ended.
        now: This moment.
    """

    heal: kinds.Heal
    faced: Direction
    findings: Sequence[Brief]
    seen_at: datetime
    deployed_at: datetime | None
    healed: Sequence[Healing]
    stopped: str
    busy: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The objects to heal, as ``lockstep.values.ObjectKey`` writes them; those that are fought over; why not more."""

    objects: tuple[str, ...] = ()
    fought: tuple[str, ...] = ()
    why: str = ""


def choose(situation: Situation) -> Choice:
    """What to heal now."""
    refusal = _refusal(situation)
    if refusal:
        return Choice(why=refusal)
    by_object: dict[ObjectKey, list[Brief]] = defaultdict(list)
    for one in situation.findings:
        by_object[_key(one)].append(one)
    fit = {key: found for key, found in by_object.items() if _fits(key, found, situation)}
    often = Counter(name for healing in situation.healed for name in healing.objects if _is_recent(healing, situation))
    fought = tuple(sorted(str(key) for key in fit if often[str(key)] >= FIGHT))
    if fought:
        return Choice(fought=fought, why=f"healed {FIGHT} times and changed again: {', '.join(fought)}")
    since = situation.now - situation.heal.every
    used = sum(len(healing.objects) for healing in situation.healed if healing.at > since)
    left = max(0, situation.heal.most - used)
    ordered = sorted(fit, key=lambda key: (-max(one.severity for one in fit[key]), key))
    why = f"only {situation.heal.most} objects in the interval" if len(ordered) > left else ""
    return Choice(objects=tuple(str(key) for key in ordered[:left]), why=why)


def is_blind(findings: Sequence[Brief], site: str) -> bool:
    """Whether something of a site could not be seen."""
    return any(one.verdict == Verdict.UNKNOWN.value and site in one.site.split(",") for one in findings)


def wrong_at(findings: Sequence[Brief], site: str) -> tuple[str, ...]:
    """The objects, as their keys are written, of which something that git sets is wrong at a standby alone."""
    found = {str(_key(one)) for one in findings if one.verdict in HEALABLE and one.managed and one.site == site}
    return tuple(sorted(found))


def _refusal(situation: Situation) -> str:
    faced = situation.faced
    if faced.stance is not Stance.NORMAL or faced.held:
        return f"the pair {faced.pair} is in the stance {faced.stance.value}"
    if situation.stopped:
        return situation.stopped
    if is_blind(situation.findings, faced.truth):
        return f"{faced.truth} could not be read whole"
    if situation.busy:
        return "a run of the application has not ended"
    if situation.deployed_at is not None and situation.seen_at <= situation.deployed_at:
        return "it was deployed since it was compared"
    return ""


def _fits(key: ObjectKey, found: Sequence[Brief], situation: Situation) -> bool:
    """Whether an object may be healed: nothing is wrong with it but at the standby, and nobody looks after it."""
    patterns = map(ObjectPattern.parse, situation.heal.automatic)
    if not any(pattern.selects(group=key.group, kind=key.kind, name=key.name) for pattern in patterns):
        return False
    wrong = [one for one in found if one.verdict != Verdict.DECLARED.value]
    return bool(wrong) and all(
        one.verdict in HEALABLE and one.managed and one.state in _NOBODYS and one.site == situation.faced.follower
        for one in wrong
    )


def _is_recent(healing: Healing, situation: Situation) -> bool:
    return situation.now - healing.at < FIGHT_WITHIN


def _key(one: Brief) -> ObjectKey:
    return ObjectKey(group=one.group, kind=one.kind, namespace=one.namespace, name=one.name)
