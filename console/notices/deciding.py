"""What is news: what is so now against what readers believe. Pure.

Flapping is damped. A finding that flaps, and whatever else came and went several times within an hour, is told once as
something that comes and goes, and once more when it still does after two hours. Then nothing is said of it until it
stands still: that it does, and how.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.notices.subject import About, Subject
from lockstep.store.notices import Belief

_WINDOW = timedelta(hours=1)
_MOST_CHANGES = 4
_STILL = timedelta(minutes=30)
# When it is said once more that something comes and goes.
_AGAIN = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing to tell: what became of a subject. ``flapping``: it comes and goes."""

    change: str
    subject: Subject
    flapping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be told, and what readers believe once they were told."""

    news: tuple[News, ...]
    beliefs: tuple[Belief, ...]
    forgotten: tuple[str, ...]


def decide(
    so: Iterable[Subject],
    ignored: Iterable[Subject],
    beliefs: Mapping[str, Belief],
    *,
    now: datetime,
    early: Collection[str] = (),
) -> Decision:
    """Compare what is so with what readers believe.

    Args:
        so: Everything that is so and that readers want to hear of.
        ignored: What is so and that they do not, or no longer, want to hear of: its end is told if its beginning was.
        beliefs: What they believe, by subject: nothing but what ``so`` and ``ignored`` speak of.
        now: This moment.
        early: What of ``so`` is not to be told as new or worse yet, by key: until then nothing is believed of it anew,
            so that a later look tells it.
    """
    known = {subject.key: subject for subject in so}
    muted = {subject.key: replace(subject, quiet=True) for subject in ignored if subject.key in beliefs}
    news: list[News] = []
    held: list[Belief] = []
    forgotten: list[str] = []
    for key in sorted({*known, *muted, *beliefs}):
        old, subject = beliefs.get(key), known.get(key) or muted.get(key)
        waits = key in early and key in known and not known[key].quiet
        belief, told = (old, []) if waits else _look(old, subject, now)
        news += told
        if belief is None or _is_over(belief, now):
            forgotten += [key] if old else []
        elif belief != old:
            held.append(belief)
    return Decision(news=tuple(news), beliefs=tuple(held), forgotten=tuple(forgotten))


def _look(old: Belief | None, subject: Subject | None, now: datetime) -> tuple[Belief | None, list[News]]:
    """What is believed of one thing from now on, and what is told to bring that about."""
    if subject is None:
        if old is None:
            return None, []
        return _ended(old, Subject.from_json(old.facts), now)
    if subject.quiet and not (old and old.told):
        return None, []
    start = old or Belief(subject=subject.key, application=subject.application, facts={}, told=False, seen=False)
    if subject.quiet:
        return replace(start, facts=subject.to_json(), seen=True), []
    return _so(start, subject, now)


def _so(old: Belief, subject: Subject, now: datetime) -> tuple[Belief, list[News]]:
    """It is so."""
    belief = replace(_noted(old, now, seen=True, flapping=subject.flapping), facts=subject.to_json(), told=True)
    if belief.flapping:
        return _flapping(old, belief, subject, now)
    if not old.told:
        return belief, [News(change=subject.about.change, subject=subject)]
    before = Subject.from_json(old.facts)
    if old.flapping:
        return belief, [News(change="settled", subject=subject)]
    if before.quiet:
        # Nobody looks after it any more: a waiver has ended.
        return belief, [News(change=subject.about.change, subject=subject)]
    worse = subject.about is About.FINDING and subject.weight > before.weight
    return belief, [News(change="worse", subject=subject)] if worse else []


def _ended(old: Belief, last: Subject, now: datetime) -> tuple[Belief, list[News]]:
    """It is so no more. What comes and goes is believed until it has been away for a while."""
    belief = _noted(old, now, seen=False)
    if not belief.told:
        return belief, []
    if belief.flapping:
        return _flapping(old, belief, last, now)
    return replace(belief, told=False), [News(change="resolved", subject=last)] if last.about.ends else []


def _flapping(old: Belief, belief: Belief, subject: Subject, now: datetime) -> tuple[Belief, list[News]]:
    """It comes and goes: told at first, once more after a while, and then no more."""
    if not old.flapping:
        news = News(change=subject.about.change, subject=subject, flapping=True)
        return replace(belief, remind_at=now + _AGAIN), [news]
    if belief.remind_at is not None and now >= belief.remind_at:
        return replace(belief, remind_at=None), [News(change="open", subject=subject, flapping=True)]
    return belief, []


def _noted(old: Belief, now: datetime, *, seen: bool, flapping: bool = False) -> Belief:
    """A belief with what was seen now, and whether that is flapping."""
    changes = old.changes if old.seen == seen else (*old.changes, now)
    recent = tuple(moment for moment in changes if now - moment < _WINDOW)[-_MOST_CHANGES:]
    still = not recent or now - recent[-1] >= _STILL
    # Of a finding the store knows when it has settled, and waited for that already.
    noticed = old.flapping and not old.facts.get("flapping")
    flaps = flapping or (not still and (noticed or len(recent) >= _MOST_CHANGES))
    return replace(old, seen=seen, changes=recent, flapping=flaps, remind_at=old.remind_at if flaps else None)


def _is_over(belief: Belief, now: datetime) -> bool:
    """Nobody believes it, and it has not been so for long enough to count as new when it is so again."""
    return not belief.told and not belief.seen and all(now - moment >= _WINDOW for moment in belief.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminding:
    """What readers are reminded of now: nothing, mostly. ``changes``: ``at`` is when they last were, from now on."""

    of: tuple[Subject, ...] = ()
    changes: bool = False
    at: datetime | None = None


def remind(beliefs: Iterable[Belief], last: datetime | None, *, every: timedelta, now: datetime) -> Reminding:
    """Whether a reminder of what is still so is due.

    Args:
        beliefs: Everything that readers believe.
        last: When they were last reminded, or when there was something to be reminded of for the first time.
        every: How often they want to be.
        now: This moment.
    """
    subjects = [Subject.from_json(one.facts) for one in beliefs if one.told and one.seen]
    still = tuple(subject for subject in subjects if not subject.quiet)
    if not still:
        return Reminding(changes=last is not None)
    if last is None:
        return Reminding(changes=True, at=now)
    return Reminding(of=still, changes=True, at=now) if now - last >= every else Reminding()
