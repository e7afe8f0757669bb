"""The life of a finding: open, acknowledged, accepted, waived until a day, flapping, resolved. Pure.

It flaps when it came and went ``changes`` times within a while, and until it has stood still for another. A finding
that flaps is not resolved while it is away. How long the sites have been out of parity counts on meanwhile, and over
any absence that is shorter than the while in which changes are counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lockstep.topology import kinds

OPEN, ACKNOWLEDGED, ACCEPTED, WAIVED = "open", "acknowledged", "accepted", "waived"
FLAPPING, RESOLVED = "flapping", "resolved"
LIVE = (OPEN, ACKNOWLEDGED, ACCEPTED, WAIVED, FLAPPING)
"""Everything but resolved."""
USUAL = kinds.Flapping()
"""What counts as flapping unless the application says otherwise."""
# What a person has said stays for as long as the finding lives.
_SAID = (ACKNOWLEDGED, ACCEPTED, WAIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A finding without what it says.

    Args:
        state: One of those above.
        opened_at: Since when it is so this time, short absences included; None: since it was first seen.
        changes: When it last came and went, as far as that may still matter.
        flapping: It comes and goes, whatever a person has said of it.
        away_at: Since when it is away, while it flaps; None while it is there, and when it is resolved.
        resolved_at: When it went for good.
        reopened: How often it came back.
        note: What a person said of it, with ``by`` whom, ``answered_at`` when and ``until`` when that holds.
        accepted: The values that were accepted, by their fingerprint.
    """

    state: str = OPEN
    opened_at: datetime | None = None
    changes: tuple[datetime, ...] = ()
    flapping: bool = False
    away_at: datetime | None = None
    resolved_at: datetime | None = None
    reopened: int = 0
    note: str = ""
    by: str = ""
    answered_at: datetime | None = None
    until: datetime | None = None
    accepted: str = ""

    @property
    def is_there(self) -> bool:
        """Whether the newest comparison that could see it found it."""
        return self.state != RESOLVED and self.away_at is None


def begun(at: datetime) -> Life:
    """A finding that nobody has seen before."""
    return Life(changes=(at,))


def found(life: Life, at: datetime, rule: kinds.Flapping, *, values: str = "") -> Life:
    """A comparison found it.

    Args:
        life: As it was.
        at: When the comparison ended.
        rule: What counts as flapping.
        values: The fingerprint of what it may be accepted for; empty when nobody may accept it.
    """
    back = not life.is_there
    now = _noted(life, at, rule, changed=back)
    if life.state == RESOLVED:
        # What was said of it was said of something that is over. A short while in step ends no time out of it.
        short = life.resolved_at is not None and at - life.resolved_at < rule.within
        now = replace(_unsaid(now), opened_at=life.opened_at if short else at)
    now = replace(now, away_at=None, resolved_at=None, reopened=now.reopened + back)
    ended = now.state == WAIVED and now.until is not None and now.until <= at
    void = now.state == ACCEPTED and (not values or values != now.accepted)
    if void:
        now = _unsaid(now)
    return now if now.state in _SAID and not ended else replace(now, state=FLAPPING if now.flapping else OPEN)


def gone(life: Life, at: datetime, rule: kinds.Flapping) -> Life:
    """A comparison that could see it did not find it."""
    if life.state == RESOLVED:
        return life
    now = _noted(life, at, rule, changed=life.is_there)
    away = life.away_at or at
    if now.flapping:
        return replace(now, state=now.state if now.state in _SAID else FLAPPING, away_at=away)
    return replace(now, state=RESOLVED, away_at=None, resolved_at=away)


def _noted(life: Life, at: datetime, rule: kinds.Flapping, *, changed: bool) -> Life:
    """The life with what has changed now, and whether that is flapping."""
    changes = (*life.changes, at) if changed else life.changes
    recent = tuple(moment for moment in changes if at - moment < rule.within)[-rule.changes :]
    still = not recent or at - recent[-1] >= rule.settled
    return replace(life, changes=recent, flapping=not still and (life.flapping or len(recent) >= rule.changes))


def _unsaid(life: Life) -> Life:
    return replace(life, state=OPEN, note="", by="", answered_at=None, until=None, accepted="")
