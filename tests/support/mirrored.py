"""A forge, three sites and a configuration that mirrors between them, all on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lockstep import errors, work
from lockstep.sites import ends, git
from lockstep.store import mirrors
from lockstep.store.database import Database
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import Stance
from sync.git import Mirroring, handle_distribute, handle_fetch
from tests.support.repositories import Repository
from tests.support.topologies import topology

SITES = ("seoul", "sejong", "daegu")
APPLICATION = {
    "source": {"repository": "bank/pay"},
    "namespace": "pay",
    "protection": {"seoul-sejong": {"tier": "hot"}},
}


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def monotonic(self) -> float:
        """Nothing here measures with it."""
        return 0.0

    def pass_minutes(self, minutes: int) -> None:
        """Move it."""
        self.moment += timedelta(minutes=minutes)


@dataclass
class Doors:
    """Bare repositories on disk, one folder a place, unless ``instead`` says where to go for one of them."""

    root: Path
    instead: dict[str, Callable[[], ends.GitRemote]] = field(default_factory=dict)

    def git_source(self, mirror: kinds.GitMirror, repository: str) -> ends.GitRemote:
        """The forge's, whatever the mirror."""
        return self._open("forge", repository)

    def git_site(self, site: str, repository: str) -> ends.GitRemote:
        """The site's."""
        return self._open(site, repository)

    def git_cache(self, repository: str) -> git.Cache:
        """Our own copy."""
        return git.open_cache(self.root / "state", repository)

    def _open(self, place: str, repository: str) -> ends.GitRemote:
        if place in self.instead:
            return self.instead[place]()
        return git.Remote(location=str(self.root / place / f"{repository}.git"))


class World:
    """One repository with one commit at a forge, sites that have nothing yet, and what mirrors it.

    A second world in the same folder finds what the first left.
    """

    def __init__(self, root: Path, database: Database, **mirror: Any) -> None:
        spec = {"source": {"directory": "forge"}, "repositories": ["bank/*"], "sites": SITES, **mirror}
        self.root = root
        self.topology: Topology = topology(
            *(("Site", site, {"git": {"directory": site}}) for site in SITES),
            ("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}),
            ("Application", "pay", APPLICATION),
            ("GitMirror", "bank", spec),
            directory=root,
        )
        self.database = database
        self.doors = Doors(root)
        self.clock = Clock()
        self.stances: dict[str, Stance] = {"seoul-sejong": Stance.NORMAL}
        self.source = Repository(root / "forge/bank/pay.git")
        if not self.source.path.exists():
            self.source.make(self.source.path)
            self.source.commit("refs/heads/main", {"README": "hello"})

    @property
    def context(self) -> Mirroring:
        """What the jobs work with."""
        return Mirroring(
            database=self.database,
            topology=lambda: self.topology,
            doors=self.doors,
            stances=lambda: self.stances,
            clock=self.clock,
        )

    def site(self, name: str) -> Repository:
        """The repository at a site."""
        return Repository(self.root / name / "bank/pay.git")

    def walk(self) -> None:
        """Fetch and distribute, as the engine would: each with its effects."""
        self.end(handle_fetch(self.context, claim(work.fetch_git("bank/pay", event=True))))
        self.distribute()

    def distribute(self, site: str = "") -> work.Done:
        """Distribute what was fetched."""
        return self.end(handle_distribute(self.context, claim(work.distribute_git("bank/pay", urgent=True, site=site))))

    def end(self, outcome: work.Outcome) -> work.Done:
        """End a job: its effects are written."""
        assert isinstance(outcome, work.Done)
        with self.database.write() as connection:
            for effect in outcome.effects:
                effect(connection)
        return outcome

    def standing(self, site: str) -> mirrors.Standing:
        """How the repository stands at a site."""
        with self.database.read() as connection:
            return next(one for one in mirrors.standings(connection, "bank/pay") if one.site == site)

    def states(self) -> dict[str, str]:
        """How the repository stands at each site."""
        with self.database.read() as connection:
            return {one.site: one.state for one in mirrors.standings(connection, "bank/pay")}


def claim(job: work.Job) -> work.Claim:
    """A job as a worker has it."""
    return work.Claim(id=1, kind=job.kind, payload=job.payload, fence="f", attempt=1, crashes=0)


@dataclass
class Closed:
    """A repository that cannot be opened."""

    error: errors.LockstepError

    def __call__(self) -> ends.GitRemote:
        """Raise."""
        raise self.error
