"""How far sites are behind, beside what may be lost: pure.

The lag of a change runs from its push (when somebody told us of it, else when it was first seen at the source) until
it was verified at a site. The recovery point objective of a site is the strictest of the applications that use the
repository and that a pair protects there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lockstep.store.mirrors import Standing
from lockstep.topology import amounts
from lockstep.topology.model import Topology
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far one site is behind in one repository, or in one image.

    ``behind`` is for how long something is at the source that is not here, zero when it is equal, None when nobody
    knows; ``last`` is how
    long the newest change took that is here, None when nobody knows; ``rpo`` is None when no pair protects anything
    here.
    """

    behind: timedelta | None
    last: timedelta | None
    rpo: timedelta | None

    @property
    def beyond(self) -> bool:
        """Whether more could be lost than may be: now, or when the newest change came."""
        return self.rpo is not None and max(self.behind or timedelta(0), self.last or timedelta(0)) > self.rpo

    def as_json(self) -> dict[str, Json]:
        """For machines; seconds."""
        return {
            "behindSeconds": self.behind.total_seconds() if self.behind is not None else None,
            "lastSeconds": self.last.total_seconds() if self.last is not None else None,
            "rpoSeconds": self.rpo.total_seconds() if self.rpo is not None else None,
            "beyond": self.beyond,
        }

    def __str__(self) -> str:
        """For people: ``1m30s of 10m``."""
        if self.behind is None:
            said = "?"
        elif self.behind:
            said = f"{_time(self.behind)} behind"
        else:
            said = _time(self.last) if self.last is not None else ""
        if self.rpo is None:
            return said
        return f"{said or '?'} of {_time(self.rpo)}{', beyond' if self.beyond else ''}"


def lag_of(standing: Standing, topology: Topology, now: datetime) -> Lag:
    """How far a site is behind in a repository."""
    return Lag(
        behind=standing.lag(now), last=standing.lag_of_newest, rpo=rpo_of(topology, standing.repository, standing.site)
    )


def rpo_of(topology: Topology, repository: str, site: str) -> timedelta | None:
    """How much of a repository may be lost at a site; None when no pair protects anything of it there."""
    return _strictest(topology, topology.users_of_repository(repository), site)


def rpo_of_image(topology: Topology, repository: str, site: str) -> timedelta | None:
    """How much of an image repository may be lost at a site; None when no pair protects anything that uses it there."""
    return _strictest(topology, topology.users_of_image(repository), site)


def _strictest(topology: Topology, applications: Iterable[str], site: str) -> timedelta | None:
    found = [
        protection.objectives[1]
        for name in applications
        for pair, protection in topology.pairs_of(topology.applications[name])
        if pair.spec.standby == site
    ]
    return min(found, default=None)


def _time(span: timedelta) -> str:
    return amounts.format_duration(timedelta(seconds=round(span.total_seconds())))
