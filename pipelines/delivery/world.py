"""What the built-in tasks stand on: the configuration in force and the doors to its sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from lockstep import errors, settings, work
from lockstep.clock import Clock
from lockstep.manifests import desired, images
from lockstep.sites import archive, ends, git, layout
from lockstep.store.database import Database
from lockstep.topology import direction, kinds
from lockstep.topology.model import Topology
from lockstep.values import Stance


class Doors(Protocol):
    """Opens the ends of sites. Raises UnsupportedError for an end that a site does not have."""

    def git_cache(self, repository: str) -> git.Cache:
        """Our own copy of a repository."""
        ...

    def images(self, site: str) -> ends.ImageStore:
        """A site's registry."""
        ...

    def cluster(self, site: str) -> ends.Cluster:
        """A site's cluster."""
        ...

    def archive(self, site: str) -> archive.Archive | None:
        """A site's archive; None when it has none."""
        ...

    def built(self) -> layout.LayoutStore:
        """Where images stand between being built and being pushed: ours alone."""
        ...


class Renderings(Protocol):
    """What git says of an application, for each of its sites."""

    def require(self, topology: Topology, application: kinds.Application, revision: str) -> None:
        """Have a commit in our own copy. Raises NotFoundError."""
        ...

    def wanted(self, topology: Topology, application: kinds.Application, revision: str) -> tuple[images.Wanted, ...]:
        """The application's images that a commit names."""
        ...

    def desired(
        self,
        topology: Topology,
        application: kinds.Application,
        *,
        place: direction.Place,
        revision: str,
        digests: Mapping[str, str],
    ) -> desired.Desired:
        """What a site is to have at a commit."""
        ...


class Enqueue(Protocol):
    """Hands jobs to the engine in the caller's transaction."""

    def enqueue(self, connection: Connection, *jobs: work.Job) -> list[int]:
        """The ids of the jobs that do the work."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that a built-in task may ask."""

    database: Database
    topology: Callable[[], Topology]
    doors: Doors
    renderings: Renderings
    stances: Callable[[], Mapping[str, Stance]]
    queue: Enqueue
    places: settings.Places
    clock: Clock

    def enqueueing(self, job: work.Job) -> work.Effect:
        """The effect that queues a job."""

        def effect(connection: Connection) -> None:
            self.queue.enqueue(connection, job)

        return effect

    def application(self, name: str) -> kinds.Application:
        """The application of a run.

        Raises:
            InputError: The run belongs to none.
            NotFoundError: The configuration has it no more.
        """
        if not name:
            raise errors.InputError(
                "This task belongs to an application, and the run has none.",
                remedy="Start it with lockstep pipeline start, or by a push.",
            )
        return self.topology().application(name)

    def places_of(self, application: kinds.Application) -> tuple[direction.Place, ...]:
        """The sites of an application as they face now, the truth first."""
        return direction.places_of(self.topology(), application, self.stances())

    def truth_of(self, application: kinds.Application) -> direction.Place:
        """A site that is the truth for an application now, and may be written to: the first of those.

        Raises:
            HeldError: A stance holds them all.
        """
        truths = [place for place in self.places_of(application) if place.role is direction.Role.TRUTH]
        free = [place for place in truths if not place.held_by]
        if free:
            return free[0]
        held = truths[0].held_by[0]
        raise errors.HeldError(
            f"{truths[0].site} is not written to: the pair {held.pair} is in the stance {held.stance.value}.",
            remedy=f"When that is over, say so: lockstep pair stance {held.pair} normal.",
        )
