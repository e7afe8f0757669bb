"""What comparing needs from outside: who renders git, who opens sites, where findings are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from drift.answers import Answers
from drift.following import Followed
from drift.memory import Memory
from drift.redact import Sealer
from drift.seen import Seen
from drift.turns import Turns
from lockstep import clock
from lockstep.manifests import desired
from lockstep.sites import archive, ends
from lockstep.store import database
from lockstep.topology import direction, kinds
from lockstep.topology.model import Topology
from lockstep.values import ObjectKey

__all__ = ["Renderer", "Scanning", "Seen", "Sites", "Watched"]


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

    def declaring(self, application: kinds.Application, sites: Sequence[str], revision: str) -> ends.Commit | None:
        """The last commit that changed what makes the renderings for some sites differ; None when nobody knows.

        Raises:
            LockstepError: Nobody who can be asked knows.
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

    def cluster(self, site: str) -> Seen:
        """A site's cluster. Raises UnsupportedError when it has none."""
        ...

    def archive(self, site: str) -> archive.Archive | None:
        """Where a site keeps full-size renderings; None when it has no such place."""
        ...


class Watched(Sites, Protocol):
    """Sites that tell by themselves what changes."""

    def watch(self, site: str, selection: ends.Selection) -> ends.Watch | None:
        """The watch of a site that knows everything that is selected; None when there is none."""
        ...

    def follow(self, application: str, pair: str, *, sites: tuple[str, str], selection: ends.Selection) -> None:
        """From this moment on note what changes, of what a comparison selects, at its sites."""
        ...

    def changes(self, application: str, pair: str) -> Mapping[str, frozenset[ObjectKey]]:
        """What changed at each site since this was asked last, or since it is noted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """Everything that comparing needs from outside.

    ``memory`` and ``answers`` are shared by all comparisons of a process.
    ``watched`` sees sites as they told of themselves; None where nothing is watched. ``followed`` are the comparisons
    that are kept true by what they tell, by application and pair. ``turns`` bounds how many wait for one site.
    """

    topology: Callable[[], Topology]
    database: database.Database
    sites: Sites
    renderer: Renderer
    sealer: Sealer
    clock: clock.Clock = field(default_factory=clock.SystemClock)
    memory: Memory = field(default_factory=Memory)
    answers: Answers = field(default_factory=Answers)
    watched: Watched | None = None
    followed: dict[tuple[str, str], Followed] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)
