"""What is to be kept equal, and how it stands: what mirroring is asked for and answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lockstep import errors
from lockstep.sites import ends
from lockstep.values import Json
from sync.fan import Bounds
from sync.graph import Graph
from sync.states import State, state_of

ALL = "*"
"""Stands, as a reference, for a whole repository about which nothing could be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One tag or digest at one site. ``size`` is what was sent (or, in a dry run, would be), in bytes.

    ``gone`` says that the tag was taken away, because the source no longer has it; ``seen`` whether the site could be
    asked what it has.
    """

    repository: str
    reference: str
    site: str
    state: State
    digest: str = ""
    detail: str = ""
    size: int = 0
    gone: bool = False
    seen: bool = True

    def as_json(self) -> dict[str, Json]:
        """For machines."""
        return {
            "repository": self.repository,
            "reference": self.reference,
            "site": self.site,
            "state": self.state.value,
            "digest": self.digest,
            "detail": self.detail,
            "bytes": self.size,
            "gone": self.gone,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Who wants to know while images are mirrored; called from several threads."""

    progress: Callable[[int, int], None] = lambda _done, _total: None
    """Bytes handed to sites, and bytes that will be, as far as is known."""
    results: Callable[[Sequence[Result]], None] = lambda _results: None
    """How an image stands, as soon as it does."""
    graph: Callable[[Graph, Sequence[str]], None] = lambda _graph, _roots: None
    """What some images consist of, whenever it was read at the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to keep equal, and where.

    ``references`` are tags and digests with the digest that each has at the source, ``""`` where that is still
    to be asked. ``held`` says of sites that must not be written to why; they are not even asked. ``hold`` is asked
    again, by site, before an image becomes visible there: copying takes time, and a stance may change meanwhile.
    ``unsigned`` is asked, by digest, about every image that is to be brought, and says why it must not be.
    ``immutable`` says of which tags a site keeps what it has. ``deep`` takes nothing for granted and looks into what
    seems equal; ``referrers`` looks only for what was added to it, such as signatures. ``wanted`` is asked again and
    again while images are brought: the tags and digests that somebody waits for go first, named above or not.
    """

    repository: str
    source: ends.ImageStore
    sites: Mapping[str, ends.ImageStore]
    references: Mapping[str, str]
    held: Mapping[str, str] = field(default_factory=dict)
    hold: Callable[[str], str] = lambda _site: ""
    unsigned: Callable[[str], str] = lambda _digest: ""
    immutable: Callable[[str], bool] = lambda _reference: False
    wanted: Callable[[], Collection[str]] = tuple
    deep: bool = False
    referrers: bool = False
    dry_run: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    listening: Listening = field(default_factory=Listening)

    def result(self, reference: str, site: str, state: State, *, digest: str = "", detail: str = "") -> Result:
        """How something of it stands at a site."""
        return Result(
            repository=self.repository, reference=reference, site=site, state=state, digest=digest, detail=detail
        )

    def failed(self, reference: str, site: str, digest: str, error: errors.LockstepError) -> Result:
        """How something stands that an error kept from a site."""
        return self.result(reference, site, state_of(error), digest=digest, detail=str(error))
