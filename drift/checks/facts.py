"""What checks are given: everything that was gathered of a pair, and of each application over it.

What nobody could gather is ``Unread``, with why. Objects are sealed: no value of a Secret is among the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drift.inventory import Reading
from drift.report import Compared, Entry
from lockstep.sites import ends
from lockstep.topology import direction, kinds
from lockstep.values import Json, ObjectKey, Tier

Objects = Mapping[ObjectKey, dict[str, Json]]
"""Manifests by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something that could not be gathered; ``denied`` when we may not.

    ``impossible``: this kind of end never says, as a directory has no nodes. A check is not covered there.
    """

    why: str
    denied: bool = False
    impossible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A site beneath its applications: nodes, quotas, webhooks, classes and definitions, in all name spaces.

    ``runs`` is whether anything runs there; ``version`` is that of its API server, such as ``1.34``.
    """

    site: str
    runs: bool
    read: Reading | Unread
    served: ends.Kinds | Unread
    version: str | Unread
    labels: Mapping[str, str] = field(default_factory=dict)

    def of(self, group: str, kind: str) -> Iterator[tuple[ObjectKey, dict[str, Json]]]:
        """The objects of a kind that were read, by key."""
        objects = {} if isinstance(self.read, Unread) else self.read.objects
        for key, manifest in objects.items():
            if (key.group, key.kind) == (group, kind):
                yield key, manifest

    def gap(self, group: str, kind: str) -> Unread | None:
        """Why objects of a kind may be missing from what was read; None when all of them were."""
        if isinstance(self.read, Unread):
            return self.read
        for gap in self.read.gaps:
            if gap.group in ("*", group) and gap.kind in ("*", kind):
                return Unread(why=f"{gap.what}: {gap.why}", denied=gap.denied)
        return None

    @property
    def read_at(self) -> datetime | None:
        """When it was read."""
        return None if isinstance(self.read, Unread) else self.read.read_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """The comparison of an application over a pair: what differs, what is declared, what is explained."""

    compared: Compared
    differences: tuple[Entry, ...] = ()
    declared: tuple[Entry, ...] = ()
    explained: tuple[Entry, ...] = ()
    rules: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What git says at a commit: for the truth, for the follower, and for the follower at full size."""

    revision: str
    truth: Objects
    follower: Objects
    full: Objects
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image that something names, as the follower would pull it.

    ``written`` is what stands there, ``where`` says in which of git, the truth (``primary``) and the follower (``dr``),
    or that it is ``running`` at the truth by that reference. ``repository`` and ``digest`` are what the follower's
    registry must have; a digest is empty when the image is not pinned.
    ``registry`` tells whose registry it would be pulled from: ``own``, ``other`` (that of ``other_site``) or
    ``foreign``.
    """

    object: str
    container: str
    where: str
    written: str
    name: str = ""
    repository: str = ""
    digest: str = ""
    registry: str = "own"
    other_site: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What the follower's registry holds of one image; ``missing`` names digests that are not there, or damaged."""

    manifests: int = 0
    blobs: int = 0
    missing: tuple[str, ...] = ()
    present: bool = True
    platforms: frozenset[str] | None = None
    """``os/architecture`` of each platform that the image is for; None when nobody could say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A tag or digest of an image of the application at a site, beside its source, now.

    ``behind`` is for how long the site has lacked a change, None when nobody knows; ``newest`` how long the newest took
    that is there.
    """

    name: str
    reference: str
    site: str
    state: str
    detail: str = ""
    behind: timedelta | None = None
    newest: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The images of an application, and what the follower's registry says of each ``(repository, digest)``.

    ``tags`` are all that the application's own images have. ``host`` is that of the follower's registry, as references
    name it. ``opened`` is what it said to each pull secret, by name space and name: empty where it let it in.
    """

    named: tuple[Image, ...]
    stock: Mapping[tuple[str, str], Stock | Unread]
    at: datetime | None = None
    tags: tuple[Tagged, ...] | Unread = ()
    host: str = ""
    opened: Mapping[tuple[str, str], str | Unread] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A git repository at a site: whether it equals its source now, and how far it is behind.

    ``behind`` is None when nobody knows since when it is not equal; ``newest`` is how long the newest change took
    that is there.
    """

    site: str
    state: str
    reasons: tuple[str, ...] = ()
    head: str = ""
    refs: int = 0
    behind: timedelta | None = None
    newest: timedelta | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The newest deploy of an application to a site."""

    site: str
    revision: str
    run: str
    state: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Both sites beneath their applications."""

    truth: Ground
    follower: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One application over a pair.

    ``live`` are its name spaces at the truth and at the follower (a warm follower's archive). ``rehearsed`` is
    what the follower's server said to a dry run of everything: an empty text for what it would admit. ``beside`` is
    what the cluster of a warm follower has of what workloads refer to, beside its archive.
    """

    application: kinds.Application
    faced: direction.Direction
    protection: kinds.Protection
    now: datetime
    grounds: Grounds
    parity: Parity | Unread
    desired: Desired | Unread
    live: tuple[Reading, Reading]
    images: Images | Unread
    mirrors: tuple[Mirror, ...] | Unread
    beside: Reading | None = None
    deployed: tuple[Deployed, ...] = ()
    rehearsed: Mapping[str, str] | Unread = field(default_factory=lambda: Unread(why="Nobody tried."))

    @property
    def tier(self) -> Tier:
        """The tier of the application at the follower."""
        return self.protection.tier

    @property
    def name(self) -> str:
        """The application's name."""
        return self.application.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A pair with everything that it protects. ``drilled_at`` is when a drill of it last ended well."""

    faced: direction.Direction
    now: datetime
    grounds: Grounds
    applications: tuple[Facts, ...]
    drilled_at: datetime | None = None
    drill_every: timedelta | None = None
