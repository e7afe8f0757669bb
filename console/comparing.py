"""A difference as four values side by side: git and the site, for the primary and for the standby. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

import orjson

from drift.sides import NOT_READ
from lockstep.store.views.drift import Finding
from lockstep.values import Json, Verdict

SIDES = ("gitPrimary", "primary", "gitStandby", "standby")
_LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What one side has. ``there`` is False when the field is absent, ``read`` when nobody could look.

    ``against`` says what it is compared with: ``git`` when a site has something else than git says for it,
    ``primary`` when git itself says something else for the standby, and nothing when it is as it should be.
    """

    text: str
    there: bool
    against: str
    read: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field that differs, or a whole object (``whole``) of which only is said where it is."""

    finding: Finding
    sides: tuple[Value, ...]

    @property
    def whole(self) -> bool:
        """Whether the object itself is meant, and none of its fields."""
        return not (self.finding.path or self.finding.people_path)

    @property
    def seen(self) -> bool:
        """Whether anybody saw the sides: of what is Unknown without a value, no side may be called absent."""
        return self.finding.verdict != Verdict.UNKNOWN.value or bool(self.finding.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An object with its fields that differ; its name is ``*`` for whatever hides in what could not be read."""

    kind: str
    namespace: str
    name: str
    fields: tuple[Field, ...]

    @property
    def named(self) -> bool:
        """Whether it is one object."""
        return self.name != "*"

    @property
    def method(self) -> str:
        """Which method spoke of it when it was compared, as ``drift.heard`` names it; empty for our rules alone."""
        return next((str(told) for one in self.fields if (told := one.finding.cause.get("method"))), "")


def _all_read(_finding: Finding) -> Collection[str]:
    return ()


def by_object(
    findings: Iterable[Finding], *, unread: Callable[[Finding], Collection[str]] = _all_read
) -> list[Compared]:
    """Findings of one pair, put together object by object; they come sorted by object.

    ``unread`` says which sides (``primary``, ``standby``) of a finding nobody could read: no value of theirs is shown.
    """
    grouped = groupby(findings, key=lambda finding: (finding.kind, finding.namespace, finding.name))
    return [
        Compared(
            kind=kind,
            namespace=namespace,
            name=name,
            fields=tuple(Field(finding=one, sides=_masked(sides(one.values), unread(one))) for one in found),
        )
        for (kind, namespace, name), found in grouped
    ]


def sides(values: Mapping[str, Json], *, compact: bool = False) -> tuple[Value, ...]:
    """What the four sides have, each held against what it should be; a side without an entry has nothing.

    Lists and objects are written on lines of their own, or ``compact`` on one.
    """
    git_primary, primary, git_standby, standby = (values.get(side, _ABSENT) for side in SIDES)
    return (
        _value(git_primary, "", compact),
        _value(primary, "" if _same(primary, git_primary) else "git", compact),
        _value(git_standby, "" if _same(git_standby, git_primary) else "primary", compact),
        _value(standby, "" if _same(standby, git_standby) else "git", compact),
    )


def _masked(found: tuple[Value, ...], unread: Collection[str]) -> tuple[Value, ...]:
    unknown = Value(text="", there=False, against="", read=False)
    return tuple(unknown if side in unread else value for side, value in zip(SIDES, found, strict=True))


_ABSENT = object()


def _same(one: Json, other: Json) -> bool:
    # 1, 1.0 and True are equal in Python and three different things in JSON.
    return type(one) is type(other) and bool(one == other)


def _value(value: Json, against: str, compact: bool) -> Value:
    if value == NOT_READ:
        return Value(text="", there=False, against="", read=False)
    if value is _ABSENT:
        return Value(text="", there=False, against=against)
    indented = None if compact else orjson.OPT_INDENT_2
    text = value if isinstance(value, str) else orjson.dumps(value, option=indented).decode()
    return Value(text=text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…", there=True, against=against)
