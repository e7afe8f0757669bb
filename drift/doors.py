"""What comparing needs from outside: who renders git, who opens sites, where findings are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from drift.memory import Memory
from drift.redact import Sealer
from lockstep import clock
from lockstep.manifests import desired
from lockstep.sites import archive, ends
from lockstep.store import database
from lockstep.topology import direction, kinds
from lockstep.topology.model import Topology


class Renderer(Protocol):
    """Says what git wants."""

    def head(self, application: kinds.Application) -> str:
        """The commit that the application's branch means now.

        Raises:
            LockstepError: Nobody who can be asked knows.
        """
        ...

    def desired(self, application: kinds.Application, place: direction.Place, revision: str) -> desired.Desired:
        """What a site is to have at a commit.

        Raises:
            LockstepError: It cannot be rendered.
        """
        ...

    def history(self, application: kinds.Application, revision: str, *, most: int) -> Sequence[str]:
        """The commits of the branch before this one, the newest first, as many as are known.

        Raises:
            LockstepError: Nobody who can be asked knows.
        """
        ...


class Sites(Protocol):
    """Opens the ends of sites."""

    def cluster(self, site: str) -> ends.Cluster:
        """A site's cluster. Raises UnsupportedError when it has none."""
        ...

    def archive(self, site: str) -> archive.Archive | None:
        """Where a site keeps full-size renderings; None when it has no such place."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """Everything that comparing needs from outside. ``memory`` is shared by all comparisons of a process."""

    topology: Callable[[], Topology]
    database: database.Database
    sites: Sites
    renderer: Renderer
    sealer: Sealer
    clock: clock.Clock = field(default_factory=clock.SystemClock)
    memory: Memory = field(default_factory=Memory)
