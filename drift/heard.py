"""What a server's dry run says of fields that our rules call different. Pure.

The server is asked what it would make of git's object at a site (server-side apply, everything taken over). A field
that git *names* and that would stay as it lives is as git wants it there: an admission policy, a conversion or a
default that our rules do not know makes it so. Then what the server makes of git stands in the place of git, in the
table of verdicts: sites whose servers make different things of it are still told apart.

Of all other fields a dry run says nothing, and our rules alone speak: what git does not name belongs to somebody else
and stays when git is applied, a change by hand included, even where our rules know a default for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from drift import judging, zeros
from drift.align import same
from drift.answers import Answer, Said
from drift.judging import Context, Judged, Judgement
from drift.normalise import Normal
from drift.sides import ABSENT, Sides, Value
from lockstep.values import Json, ObjectKey, Verdict

RULES, BOTH = "rules", "rules and dry run"
"""Which method spoke."""

Foresight: TypeAlias = Callable[[int, ObjectKey, dict[str, Json], dict[str, Json]], Answer | None]
"""What the server of a side (0 or 1) answered about an object of git that lives there; None when nobody asked."""

_NOBODY: tuple[Said | None, Said | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One field, with what git names at the truth and at the follower, and what their servers would make of it.

    ``named`` is without any default. ``after`` is absent where nobody answered.
    """

    judged: Judged
    named: tuple[Value, Value]
    after: tuple[Value, Value] = (ABSENT, ABSENT)

    def is_open(self, side: int) -> bool:
        """Whether a dry run could say anything of it: git names it, and something else lives there."""
        wanted, live = _at(self.judged.sides, side)
        return self.named[side] is not ABSENT and not same(wanted, live)

    def stays(self, side: int) -> bool:
        """Whether applying git would leave it as it lives."""
        return same(self.after[side], _at(self.judged.sides, side)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is looked at beside the four sides: older renderings, git without defaults, and what servers made of it."""

    older: tuple[Sequence[Normal | None], Sequence[Normal | None]] = ((), ())
    written: Sequence[zeros.Said | None] = ()
    named: Sequence[Normal | None] = ()
    after: Sequence[Normal | None] = ()

    @property
    def forms(self) -> list[Normal | None]:
        """All of it, in the order in which a field has its values."""
        return [*self.older[0], *self.older[1], *self.named, *self.after]

    def field(self, one: Judged) -> Named:
        """A field, with what stands beside it; a zero that git sets is named, though no normal form has it."""
        spoken = zeros.spoken(one, self.written)
        if not self.named:
            return Named(judged=spoken, named=(ABSENT, ABSENT))
        at = 4 + len(self.older[0]) + len(self.older[1])
        truth, follower, *after = (*one.field.values[at:], ABSENT, ABSENT)
        if spoken is not one:
            truth, follower = spoken.sides.git_primary, spoken.sides.git_standby
        return Named(judged=spoken, named=(truth, follower), after=(after[0], after[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The answers of two sites, the truth and the follower, about one object; None where nothing was to be asked."""

    sites: tuple[str, str]
    said: tuple[Said | None, Said | None] = _NOBODY
    answers: tuple[Answer | None, Answer | None] = (None, None)

    @property
    def method(self) -> str:
        """Which method speaks of the object."""
        return BOTH if Said.ASKED in self.said else RULES

    @property
    def unsure(self) -> tuple[str, ...]:
        """The sites that did not say."""
        return tuple(site for site, said in zip(self.sites, self.said, strict=True) if said is Said.FAILED)

    def judge(self, key: ObjectKey, found: Named, by_rules: Judgement, context: Context) -> tuple[Judgement, str]:
        """What is to be said of a field; and where, when that is where nobody could say."""
        if by_rules.verdict is Verdict.IN_SYNC:
            return by_rules, ""
        sides, notes = found.judged.sides, []
        for side, site in enumerate(self.sites):
            answer = self.answers[side]
            if answer is None or not found.is_open(side):
                continue
            if answer.said is Said.FAILED:
                note = f"the server-side dry run at {site} failed: {answer.why}"
                return Judgement(verdict=Verdict.UNKNOWN, note=note, opinions=by_rules.opinions), site
            if answer.packed and found.stays(side):
                sides = _with_git(sides, side)
                notes.append(f"the server of {site} makes it so when git is applied")
            elif answer.said is Said.ASKED and not answer.packed:
                notes.append(f"the server of {site} would refuse to change it: {answer.why}")
        if sides is not found.judged.sides:
            by_rules = judging.judge(key, replace(found.judged, sides=sides), context)
        return replace(by_rules, note="; ".join(part for part in (by_rules.note, *notes) if part)), ""


def nothing(sites: tuple[str, str]) -> Heard:
    """Nobody was asked."""
    return Heard(sites=sites)


def hear(
    key: ObjectKey,
    sides: Sides[dict[str, Json] | None],
    said: Sequence[tuple[Named, Judgement]],
    sites: tuple[str, str],
    foresight: Foresight,
) -> Heard:
    """What the servers of both sites have to say of an object, where they could say anything.

    Args:
        key: The object.
        sides: Its manifest on each side.
        said: What our rules say of its fields.
        sites: The truth and the follower.
        foresight: Knows what servers answered.
    """
    git_p, primary, git_d, standby = sides.all()
    found: list[tuple[Said | None, Answer | None]] = []
    for side, (wanted, live) in enumerate(((git_p, primary), (git_d, standby))):
        if wanted is None or live is None or not open_at(said, side):
            found.append((None, None))
            continue
        answer = foresight(side, key, wanted, live)
        found.append((Said.LEFT if answer is None else answer.said, answer))
    truth, follower = found
    return Heard(sites=sites, said=(truth[0], follower[0]), answers=(truth[1], follower[1]))


def open_at(found: Sequence[tuple[Named, Judgement]], side: int) -> bool:
    """Whether a dry run at a site could say anything of an object."""
    return any(judged.verdict is not Verdict.IN_SYNC and one.is_open(side) for one, judged in found)


def _at(sides: Sides[Value], side: int) -> tuple[Value, Value]:
    """What git says for a site, and what lives there."""
    git_p, primary, git_d, standby = sides.all()
    return (git_d, standby) if side else (git_p, primary)


def _with_git(sides: Sides[Value], side: int) -> Sides[Value]:
    """With what lives at a site in the place of what git says for it."""
    git_p, primary, git_d, standby = sides.all()
    return Sides(git_p, primary, standby, standby) if side else Sides(primary, primary, git_d, standby)
