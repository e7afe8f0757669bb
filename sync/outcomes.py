"""What came of mirroring git: ref by ref, site by site, repository by repository."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from lockstep.sites.ends import RefUpdate
from lockstep.values import Json
from sync.lag import Lag
from sync.states import State
from sync.submodules import Covered

# Digits of a hold's name: nobody finds two sets of changes with one name while a person decides.
_HOLD = 16


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
    """One ref at one site.

    ``action`` is create, update, delete, head, backup, keep for what is held, or lfs for large files, whose ``ref``
    is no ref.
    ``held`` are the changes that a person may let go: one, or all of them where all refs are held together.
    """

    ref: str
    action: str
    outcome: Outcome
    old: str = ""
    new: str = ""
    reason: str = ""
    held: tuple[RefUpdate, ...] = ()

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
    Lockstep knows to have written there now (None: as before). ``spent`` is what a person once let go and what
    lets nothing go any more. ``again`` says that another look will help.
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
    spent: frozenset[RefUpdate] = frozenset()
    again: bool = False

    @property
    def held(self) -> tuple[RefUpdate, ...]:
        """The changes that guards hold and that a person may let go, sorted."""
        return tuple(sorted(update for ref in self.refs for update in ref.held))

    @property
    def hold(self) -> str:
        """The name of exactly these changes at this site, to be told and given back; empty when nothing is held."""
        if not self.held:
            return ""
        lines = [f"{self.repository}\n{self.site}", *(f"{one.ref} {one.old} {one.new}" for one in self.held)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_HOLD]

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
            "hold": self.hold,
            "refs": [ref.as_json() for ref in self.refs],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How everything that was asked for stands.

    ``problems`` are of repositories whose source could not be read; ``lags`` are by repository and site;
    ``submodules`` are what the default branch of a repository names.
    """

    sites: tuple[SiteOutcome, ...] = ()
    problems: Mapping[str, str]
    lags: Mapping[tuple[str, str], Lag] = field(default_factory=dict)
    submodules: Mapping[str, Sequence[Covered]] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 equal or made equal · 1 something is held, refused or (in a dry run) behind · 2 error or unknown."""
        worst = max((site.state.exit_code for site in self.sites), default=0)
        return 2 if self.problems else worst

    def as_json(self) -> Json:
        """For machines."""
        counts = {state.value: sum(site.state is state for site in self.sites) for state in State}
        return {
            "sites": [{**site.as_json(), "lag": self._lag(site)} for site in self.sites],
            "problems": dict(self.problems),
            "submodules": {name: [one.as_json() for one in found] for name, found in self.submodules.items()},
            "counts": counts,
        }

    def _lag(self, site: SiteOutcome) -> Json:
        found = self.lags.get((site.repository, site.site))
        return found.as_json() if found else None
