"""The table of verdicts: what (G_P, P, G_D, D) say of a field and of an object.

Pure, and small enough to be held against the table in ``docs/drift.md`` line by line. "Primary" is the site that
is the truth now and "standby" the one that follows it; whoever calls decides which is which by the stance.
"""

from __future__ import annotations

from collections.abc import Sequence

from drift.align import same
from drift.sides import ABSENT, Sides, Value
from lockstep.values import Verdict

_MIRROR = {
    Verdict.PRIMARY_HOTFIX: Verdict.STANDBY_DRIFT,
    Verdict.PRIMARY_BEHIND: Verdict.STANDBY_BEHIND,
    Verdict.MISSING_AT_PRIMARY: Verdict.MISSING_AT_STANDBY,
}
_MIRROR |= {right: left for left, right in _MIRROR.items()}


def mirrored(verdict: Verdict) -> Verdict:
    """The verdict as the other side of the pair sees it."""
    return _MIRROR.get(verdict, verdict)


def of_field(
    sides: Sides[Value], *, older_primary: Sequence[Value] = (), older_standby: Sequence[Value] = ()
) -> Verdict:
    """What is to be said of one field; absent is a value.

    Args:
        sides: The field's value on each side.
        older_primary: Its values in older renderings for the primary: what it may be behind at.
        older_standby: The same for the standby.
    """
    git_p, primary, git_d, standby = sides.all()
    if all(value is ABSENT for value in (git_p, git_d, *older_primary, *older_standby)):
        return _two_way(primary, standby)
    at_p, at_d = same(primary, git_p), same(standby, git_d)
    p_behind = any(same(primary, value) for value in older_primary)
    d_behind = any(same(standby, value) for value in older_standby)
    if at_p and at_d:
        return Verdict.IN_SYNC if same(git_p, git_d) else Verdict.DECLARED
    if at_p:
        return Verdict.STANDBY_BEHIND if d_behind else Verdict.STANDBY_DRIFT
    if at_d:
        return Verdict.PRIMARY_BEHIND if p_behind else Verdict.PRIMARY_HOTFIX
    if p_behind and d_behind:
        return Verdict.UNDEPLOYED
    return Verdict.EDITED_AT_BOTH if same(primary, standby) else Verdict.DIVERGED


def _two_way(primary: Value, standby: Value) -> Verdict:
    """Git never set it: the two sites are all there is."""
    if same(primary, standby):
        return Verdict.IN_SYNC
    if standby is ABSENT:
        return Verdict.PRIMARY_HOTFIX
    return Verdict.STANDBY_DRIFT if primary is ABSENT else Verdict.DIVERGED


def of_presence(there: Sides[bool], *, was_declared: bool = False) -> Verdict:
    """What is to be said of an object by where it is, before its fields are looked at.

    ``InSync`` means that it is wherever it should be: its fields decide. Where git wants it at one site only,
    that is ``Declared``.

    Args:
        there: Whether the object is there, on each side.
        was_declared: Whether an older rendering had an object that git no longer has.
    """
    git_p, primary, git_d, standby = there.all()
    if not (git_p or git_d):
        return _unmanaged(primary, standby, was_declared)
    if git_p and git_d:
        if primary and standby:
            return Verdict.IN_SYNC
        return _missing(primary, standby)
    if git_p:
        return _at_one(wanted=primary, other=standby)
    return mirrored(_at_one(wanted=standby, other=primary))


def _missing(primary: bool, standby: bool) -> Verdict:
    if primary:
        return Verdict.MISSING_AT_STANDBY
    return Verdict.MISSING_AT_PRIMARY if standby else Verdict.NOT_DEPLOYED


def _at_one(*, wanted: bool, other: bool) -> Verdict:
    """Git wants it at the primary only."""
    if not wanted:
        return Verdict.MISSING_AT_PRIMARY
    return Verdict.STANDBY_DRIFT if other else Verdict.DECLARED


def _unmanaged(primary: bool, standby: bool, was_declared: bool) -> Verdict:
    """Git does not have it: the sites are compared with each other, or have yet to delete it."""
    if primary and standby:
        return Verdict.UNDEPLOYED if was_declared else Verdict.IN_SYNC
    if was_declared:
        return Verdict.PRIMARY_BEHIND if primary else Verdict.STANDBY_BEHIND
    return Verdict.MISSING_AT_STANDBY if primary else Verdict.MISSING_AT_PRIMARY
