"""The words of a deploy: what is there, what is done to it, and what must be approved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from lockstep import errors
from lockstep.sites.ends import Gap
from lockstep.values import Json, ObjectKey

# Of many objects that are refused for one reason these are named.
_MOST_NAMED = 3


class Action(Enum):
    """What is done to an object."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One object and what is done to it; ``manifest`` is None for a delete; ``fields`` are JSON Pointers.

    ``before`` is the object as it was when the plan was made, None when it was not there; ``force`` takes over
    fields that belong to others.
    """

    action: Action
    key: ObjectKey
    api_version: str
    manifest: dict[str, Json] | None
    fields: tuple[str, ...] = ()
    before: dict[str, Json] | None = field(default=None, repr=False, compare=False)
    force: bool = False


class Why(Enum):
    """Why a person has to approve a plan."""

    HOTFIX = "it would overwrite an open hot fix"
    DELETES = "it would delete many objects"
    UNREADABLE = "it would overwrite what could not be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One reason why a plan waits; ``what`` is the field, the count or the object.

    ``key`` is the object that it is about, where it is about one.
    """

    why: Why
    what: str
    key: ObjectKey | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.why.value}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something may not or could not be done; ``key`` is the object that stands in the way, where one does."""

    why: str
    key: ObjectKey | None = None

    def __str__(self) -> str:
        return f"{self.key}: {self.why}" if self.key is not None else self.why


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Hotfix:
    """A change that somebody made by hand where the truth is, and that git does not have yet.

    ``pointer`` is a JSON Pointer into the object, ``""`` for the whole of it.
    """

    key: ObjectKey
    pointer: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Kept:
    """An object that git no longer has and that stays all the same, and why."""

    key: ObjectKey
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a server says would become of an object.

    ``after`` is the object as it would be, None when it cannot be applied: ``problem`` says why. ``owned`` are
    fields that belong to others, and that an apply would have to take over.
    """

    after: dict[str, Json] | None
    owned: tuple[errors.Owned, ...] = ()
    problem: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a site has now: objects by key, and what could not be read."""

    objects: Mapping[ObjectKey, dict[str, Json]]
    gaps: tuple[Gap, ...] = ()
    exact: bool = True
    """Whether an apply makes an object exactly its manifest, as in a directory, or sets only what it names."""
    whole: bool = False
    """Whether everything is replaced at once, as in an archive, so that nothing can stay that git does not have."""
    trials: Mapping[ObjectKey, Trial] = field(default_factory=dict)
    """What a server says would become of what is wanted; without a trial it is told from the manifest alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a deploy to one site would do.

    Steps of one stage may be done at the same time. ``record`` is the key of the application's record at the
    site, whose steps are among the others and count for none. ``digest`` is of what the site will have
    afterwards: an approval can bind it, and a deploy that was interrupted and goes on still has the same. With
    a refusal nothing may be done at all; ``held`` when the refusal is a stance that a person may change.
    """

    application: str
    site: str
    revision: str
    record: ObjectKey
    stages: tuple[tuple[Step, ...], ...]
    unchanged: int
    kept: tuple[Kept, ...]
    approvals: tuple[Approval, ...]
    refusals: tuple[Refusal, ...]
    held: bool
    notes: tuple[str, ...]
    digest: str

    @property
    def refused(self) -> tuple[str, ...]:
        """The refusals in words: what stands in the way of many objects is said once."""
        return in_words(self.refusals)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.stages

    def steps(self, action: Action) -> tuple[Step, ...]:
        """The application's objects that get this, in the order in which they do."""
        return tuple(
            step for stage in self.stages for step in stage if step.action is action and step.key != self.record
        )


def in_words(refusals: Iterable[Refusal]) -> tuple[str, ...]:
    """Refusals in words: one that many objects share is said once, with their number."""
    alike: dict[str, list[Refusal]] = {}
    for refusal in refusals:
        alike.setdefault(refusal.why, []).append(refusal)
    return tuple(map(_together, alike.values()))


def _together(alike: Sequence[Refusal]) -> str:
    first, *others = alike
    if first.key is None or not others:
        return str(first)
    named = ", ".join(str(one.key) for one in alike[:_MOST_NAMED])
    return f"{len(alike)} objects ({named}{', ...' if len(alike) > _MOST_NAMED else ''}): {first.why}"
