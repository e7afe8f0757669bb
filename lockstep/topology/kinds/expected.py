"""Differences between sites that are meant, with who said so and until when."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from lockstep.topology.kinds.base import Document, Model
from lockstep.topology.scalars import Bound, Names, Text


class Mapping(Model):
    """A rewriting of the primary's value that gives the standby's."""

    from_: str = Field(alias="from", min_length=1)
    """A regular expression that the whole value matches."""
    to: str
    """What it becomes, with ``\\1`` for the first group."""


class Range(Model):
    """Bounds of a number; a percentage is of the primary's value."""

    least: Bound | None = None
    """At least this."""
    most: Bound | None = None
    """At most this."""


class ExpectedDifferenceSpec(Model):
    """A difference between sites that is meant, with who said so and until when."""

    EXACTLY_ONE = ("per_site", "ignore", "map", "must_differ", "range", "only_at")

    applications: Names = ()
    """The applications it is about; all by default."""
    pairs: Names = ()
    """The pairs it is about; all by default."""
    at: tuple[str, ...] = Field(min_length=1)
    """Fields, as ``Kind[.group][/name] /json/pointer`` with ``*``; ``#/`` goes into embedded YAML or JSON."""
    per_site: str | None = None
    """The value at each site, with ``{key}`` for a site value."""
    ignore: bool = False
    """Any difference is meant."""
    map: tuple[Mapping, ...] | None = None
    """The standby's value is the primary's, rewritten."""
    must_differ: bool = False
    """The values have to differ; equal ones are a finding."""
    range: Range | None = None
    """The standby's number is within bounds."""
    only_at: Names | None = None
    """The object or field is there at these sites only."""
    reason: Text
    """Why the sites differ here."""
    owner: Text
    """Who answers for it."""
    expires: date
    """The day after which it no longer explains anything."""
    accepted_by: Text | None = None
    """Who accepted it; a rule without counts, but not under a signature."""


class ExpectedDifference(Document):
    """A difference between sites that is meant."""

    kind: Literal["ExpectedDifference"]
    """``ExpectedDifference``."""
    spec: ExpectedDifferenceSpec
    """What it is."""
