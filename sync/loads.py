"""What is to be brought to sites, and what becomes of it: the words that bringing and planning share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lockstep import errors
from sync import copy
from sync.fan import Bounds
from sync.graph import Graph
from sync.stock import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one image at one site: the bytes that were sent, or why it is not there.

    ``tags`` are those that it was to have there: of others nothing is said. ``refused`` are those of them that the site
    does not take, though it has the image. ``changes`` says whether anything was, or in a dry run would be, written.
    """

    site: str
    root: str
    tags: Collection[str] = ()
    size: int = 0
    changes: bool = False
    error: errors.LockstepError | None = None
    refused: Mapping[str, errors.LockstepError] = field(default_factory=dict)

    def why_not(self, tag: str) -> errors.LockstepError | None:
        """Why the image is not there, or not under this tag; None when it is."""
        return self.error or self.refused.get(tag)


def _ignore(*_: object) -> None:
    """Tell nobody."""


def _allow(_site: str) -> str:
    """Nothing holds a site."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who wants to know while it goes on; called from several threads."""

    planned: Callable[[int], None] = _ignore
    """So many bytes more are to be sent."""
    sent: Callable[[int], None] = _ignore
    """So many bytes more were handed to sites."""
    settled: Callable[[Outcome], None] = _ignore
    """An image stands at a site, tagged and checked, or will not."""
    hold: Callable[[str], str] = _allow
    """Asked before an image becomes visible at a site: why it must not be written to now; empty when it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """From where to where: one repository of one source, and the same of these sites."""

    source: Shelf
    sites: Mapping[str, Shelf]
    bounds: Bounds = field(default_factory=Bounds)
    watch: Watch = field(default_factory=Watch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A few images that are planned together, and what they consist of.

    ``known`` is what tags name at sites, as far as it was asked a moment ago.
    """

    graph: Graph
    wanted: Sequence[copy.Want]
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def roots(self) -> frozenset[str]:
        """The images."""
        return frozenset(want.root for want in self.wanted)

    @property
    def sites(self) -> frozenset[str]:
        """Those that want any of them."""
        return frozenset(site for want in self.wanted for site in want.at)

    def at(self, site: str) -> list[copy.Want]:
        """What is wanted at one site."""
        return [want for want in self.wanted if site in want.at]
