"""Which git repositories are mirrored, from where, and to which sites: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lockstep.topology import kinds
from lockstep.topology.model import Topology

_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How one repository is mirrored.

    ``mirror`` is the one whose source is asked; ``sites`` are those that receive it, each with the mirror
    whose guards hold there; ``mirrors`` names all that cover it.
    """

    repository: str
    mirror: kinds.GitMirror
    sites: Mapping[str, kinds.GitMirror]
    mirrors: tuple[str, ...]

    @property
    def notes(self) -> bool:
        """Whether some site wants notes too."""
        return any(mirror.spec.notes for mirror in self.sites.values())


def coverage_of(topology: Topology, repository: str) -> Coverage | None:
    """How a repository is mirrored; None when no mirror covers it.

    Several mirrors of one source add up their sites; the first that names a site holds its guards. A
    configuration with two sources for one repository is refused when it is read.
    """
    mirrors = topology.git_mirrors_of(repository)
    if not mirrors:
        return None
    same = [mirror for mirror in mirrors if mirror.spec.source == mirrors[0].spec.source]
    sites = {site: mirror for mirror in reversed(same) for site in reversed(mirror.spec.sites)}
    return Coverage(
        repository=repository,
        mirror=mirrors[0],
        sites=dict(reversed(sites.items())),
        mirrors=tuple(mirror.name for mirror in same),
    )


def repositories(topology: Topology, known: Iterable[str]) -> list[str]:
    """Every repository that is mirrored: those that mirrors and applications name, and those known from events."""
    named = {name for mirror in topology.git_mirrors.values() for name in mirror.spec.repositories}
    used = {application.spec.source.repository for application in topology.applications.values()}
    candidates = {name for name in named if not _WILD & set(name)} | used | set(known)
    return sorted(name for name in candidates if topology.git_mirrors_of(name))


def due(topology: Topology, checked: Mapping[str, datetime], now: datetime) -> list[str]:
    """The repositories whose source was not asked for as long as the most impatient of their mirrors says."""
    return [
        name
        for name in repositories(topology, checked)
        if name not in checked
        or checked[name] + min(mirror.spec.interval for mirror in topology.git_mirrors_of(name)) <= now
    ]
