"""What a check may say, and the record that is kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from lockstep.values import Json


class Outcome(Enum):
    """How a check ended. Worst first."""

    FAIL = "FAIL"
    NOT_AUTHORIZED = "NOT_AUTHORIZED"
    UNKNOWN = "UNKNOWN"
    STALE = "STALE"
    NOT_COVERED = "NOT_COVERED"
    WARN = "WARN"
    WAIVED = "WAIVED"
    PASS = "PASS"  # noqa: S105 - a word, not a password
    NOT_APPLICABLE = "N/A"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Outcome).index(self)

    @property
    def is_unproved(self) -> bool:
        """Whether nobody can say: that never counts as good."""
        return self in (Outcome.NOT_AUTHORIZED, Outcome.UNKNOWN, Outcome.STALE)

    @property
    def is_decided(self) -> bool:
        """Whether the check really ran to its end."""
        return self in (Outcome.FAIL, Outcome.WARN, Outcome.WAIVED, Outcome.PASS)

    @classmethod
    def worst(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """The worst of some; ``N/A`` of none."""
        return min(outcomes, key=lambda outcome: outcome.rank, default=cls.NOT_APPLICABLE)


class Severity(Enum):
    """What a failure means for a fail-over. Worst first."""

    BLOCKER = "B"
    MAJOR = "M"
    MINOR = "m"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A person lives with it: who said so, why, and until when. Nobody has proved who that person is."""

    by: str
    reason: str
    until: datetime | None

    def to_json(self) -> Json:
        """As a record has it."""
        return {"by": self.by, "reason": self.reason, "until": moment(self.until), "identity": "not verified"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that a check has to say.

    ``primary`` and ``dr`` are what the truth and its follower have, fit to be shown; ``at`` is when each was
    observed, where that is another moment than that of the readings. ``severity`` replaces the catalogue's.
    """

    outcome: Outcome
    message: str = ""
    object: str = ""
    path: str = ""
    primary: Json = None
    dr: Json = None
    at: tuple[datetime | None, datetime | None] | None = None
    since: datetime | None = None
    cause: Mapping[str, Json] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    fix: str = ""
    severity: Severity | None = None
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The record of one thing that a check said of an application over a pair; of the whole pair without one."""

    check: str
    version: int
    application: str
    pair: str
    severity: Severity
    said: Said
    at: tuple[datetime | None, datetime | None] = (None, None)

    @property
    def outcome(self) -> Outcome:
        """How the check ended here."""
        return self.said.outcome

    @property
    def order(self) -> tuple[int, int, str, str, str, str]:
        """Records are sorted with the worst of the gravest first."""
        place = (self.check, self.application, self.said.object, self.said.path)
        return (self.severity.rank, self.outcome.rank, *place)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What the same thing is known by in the next report."""
        return (self.check, self.application, self.said.object, self.said.path)

    def to_json(self) -> dict[str, Json]:
        """The record as it is written, stored and signed."""
        said = self.said
        return {
            "check": self.check,
            "v": self.version,
            "app": self.application,
            "pair": self.pair,
            "outcome": self.outcome.value,
            "severity": self.severity.value,
            "object": said.object,
            "path": said.path,
            "primary": {"value": said.primary, "at": moment(self.at[0])},
            "dr": {"value": said.dr, "at": moment(self.at[1])},
            "since": moment(said.since),
            "cause": dict(said.cause),
            "rules": list(said.rules),
            "message": said.message,
            "fix": said.fix,
            "waiver": said.waiver.to_json() if said.waiver else None,
        }


def moment(at: datetime | None) -> str | None:
    """A moment as records write it."""
    return at.isoformat(timespec="seconds") if at is not None else None
