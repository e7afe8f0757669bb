"""What a comparison read, what it could not read, and what rules explained: told from beside its verdict. Pure.

The shape is that of ``drift.scan``; whatever is missing or of another type is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from console import shapes
from drift import unseen
from lockstep import documents
from lockstep.values import Json, ObjectKey

CLOCKS_APART = 60.0
"""Seconds. Clocks that are kept by NTP are one apart at the most; a header tells whole ones, after its way here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that should have been read and was not: what, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRead:
    """What was read of a site, how and when; ``objects`` and ``read_at`` are None when nobody wrote them down.

    ``ahead_seconds`` is how far the site's clock was ahead of ours, None where it did not say.
    ``told`` is all that was written down, as it is.
    """

    site: str
    method: str
    objects: int | None
    read_at: datetime | None
    gaps: tuple[Gap, ...]
    ahead_seconds: int | None = None
    hides: Callable[[ObjectKey], bool] = field(default=lambda _key: False, compare=False)
    """Whether an object could not be seen."""
    told: Mapping[str, Json] = field(default_factory=dict)

    @property
    def clock_apart(self) -> int:
        """How many seconds the site's clock is ahead of ours, where that is worth saying; 0 where it is not."""
        ahead = self.ahead_seconds or 0
        return ahead if abs(ahead) >= CLOCKS_APART else 0

    @property
    def unread(self) -> bool:
        """Whether nothing of it was read at all."""
        return bool(self.gaps) and not self.method


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A difference that may be: the field, what each of both sites has, and why that is no drift."""

    object: str
    namespace: str
    field: str
    values: tuple[str, str]
    why: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Everything that stands beside a verdict. ``remarks`` are what git's rendering and the rules had to say."""

    revision: str
    remarks: tuple[str, ...]
    sites: tuple[SiteRead, ...]
    explained: tuple[Explained, ...]


def of_scan(coverage: Json) -> Coverage:
    """Read what a comparison wrote down."""
    found = shapes.mapping(coverage)
    git = shapes.mapping(found.get("git"))
    said = [*shapes.items(git.get("notes")), git.get("problem")]
    rules = [shapes.mapping(one) for one in shapes.items(found.get("rules"))]
    return Coverage(
        revision=shapes.text(git.get("revision")),
        remarks=tuple(
            remark
            for remark in (*map(shapes.text, said), *(shapes.text(one.get("message")) for one in rules))
            if remark
        ),
        sites=tuple(
            _site(name, shapes.mapping(value)) for name, value in sorted(shapes.mapping(found.get("sites")).items())
        ),
        explained=tuple(_explained(shapes.mapping(one)) for one in shapes.items(found.get("explained"))),
    )


def _site(name: str, value: Mapping[str, Json]) -> SiteRead:
    gaps = [shapes.mapping(one) for one in shapes.items(value.get("gaps"))]
    return SiteRead(
        site=name,
        method=shapes.text(value.get("method")),
        objects=shapes.number(value.get("objects")),
        read_at=shapes.moment(value.get("readAt")),
        told=value,
        gaps=tuple(Gap(what=shapes.text(one.get("what")), why=shapes.text(one.get("why"))) for one in gaps),
        ahead_seconds=shapes.number(value.get("aheadSeconds")),
        hides=partial(unseen.hides, value),
    )


def _explained(value: Mapping[str, Json]) -> Explained:
    values = shapes.mapping(value.get("values"))
    return Explained(
        object=f"{shapes.text(value.get('kind'))}/{shapes.text(value.get('name'))}",
        namespace=shapes.text(value.get("namespace")),
        field=shapes.text(value.get("field")) or shapes.text(value.get("path")),
        values=(_shown(values.get("primary")), _shown(values.get("standby"))),
        why=shapes.text(value.get("note")),
        rules=tuple(shapes.text(one) for one in shapes.items(value.get("rules"))),
    )


def _shown(value: Json) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return documents.canonical(value).decode()
