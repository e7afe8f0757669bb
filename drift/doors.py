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
from lockstep.values import Json, ObjectKey


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


class Seen(Protocol):
    """As much of a cluster as comparing needs: a Kubernetes API, a directory, an archive, a backup, a watch."""

    @property
    def address(self) -> str:
        """The server or path, fit to be shown."""
        ...

    @property
    def runs(self) -> bool:
        """Whether what is here runs: a directory and a backup run nothing, and have no health."""
        ...

    def read(self, selection: ends.Selection) -> ends.Inventory:
        """What is there. A kind or namespace that could not be read is a gap; nothing readable at all raises."""
        ...

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object; None when it is not there."""
        ...


class Sites(Protocol):
    """Opens the ends of sites."""

    def cluster(self, site: str) -> Seen:
        """A site's cluster. Raises UnsupportedError when it has none."""
        ...

    def archive(self, site: str) -> archive.Archive | None:
        """Where a site keeps full-size renderings; None when it has no such place."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """Everything that comparing needs from outside. ``memory`` is shared by all comparisons of a process.

    ``watched`` sees sites as they told of themselves; None where nothing is watched.
    """

    topology: Callable[[], Topology]
    database: database.Database
    sites: Sites
    renderer: Renderer
    sealer: Sealer
    clock: clock.Clock = field(default_factory=clock.SystemClock)
    memory: Memory = field(default_factory=Memory)
    watched: Sites | None = None
