"""What came of mirroring git: ref by ref, site by site, repository by repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from lockstep.values import Json
from sync.states import State


class Outcome(Enum):
    """What came of one ref."""

    DONE = "done"
    PLANNED = "planned"
    """In a dry run."""
    HELD = "held"
    """By a guard."""
    REFUSED = "refused"
    """By the site."""
    STALE = "stale"
    """Somebody else moved it in between: it is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefOutcome:
    """One ref at one site. ``action`` is create, update, delete, head, backup, or keep for what is held."""

    ref: str
    action: str
    outcome: Outcome
    old: str = ""
    new: str = ""
    reason: str = ""

    def as_json(self) -> dict[str, Json]:
        """For machines."""
        return {
            "ref": self.ref,
            "action": self.action,
            "outcome": self.outcome.value,
            "old": self.old,
            "new": self.new,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOutcome:
    """One repository at one site.

    ``seen`` says whether the site was looked at; ``count`` and ``head`` are what was seen there, ``ledger`` what
    Lockstep knows to have written there now (None: as before). ``again`` says that another look will help.
    """

    repository: str
    site: str
    state: State
    reason: str = ""
    refs: tuple[RefOutcome, ...] = ()
    head: str = ""
    count: int = 0
    seen: bool = True
    ledger: Mapping[str, str] | None = None
    again: bool = False

    @property
    def changed(self) -> bool:
        """Whether something was written there."""
        return any(ref.outcome is Outcome.DONE for ref in self.refs)

    @property
    def open(self) -> tuple[RefOutcome, ...]:
        """What is not as it should be."""
        return tuple(ref for ref in self.refs if ref.outcome is not Outcome.DONE)

    def as_json(self) -> dict[str, Json]:
        """For machines."""
        return {
            "repository": self.repository,
            "site": self.site,
            "state": self.state.value,
            "changed": self.changed,
            "reason": self.reason,
            "head": self.head,
            "count": self.count,
            "refs": [ref.as_json() for ref in self.refs],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How everything that was asked for stands. ``problems`` are of repositories whose source could not be read."""

    sites: tuple[SiteOutcome, ...] = ()
    problems: Mapping[str, str]

    @property
    def exit_code(self) -> int:
        """0 equal or made equal · 1 something is held, refused or (in a dry run) behind · 2 error or unknown."""
        worst = max((site.state.exit_code for site in self.sites), default=0)
        return 2 if self.problems else worst

    def as_json(self) -> Json:
        """For machines."""
        counts = {state.value: sum(site.state is state for site in self.sites) for state in State}
        return {
            "sites": [site.as_json() for site in self.sites],
            "problems": dict(self.problems),
            "counts": counts,
        }
