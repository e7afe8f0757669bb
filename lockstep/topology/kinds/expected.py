"""Differences between sites that are meant, with who said so and until when."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from lockstep.topology.kinds.base import Document, Model, exactly_one
from lockstep.topology.scalars import Name, Share


class Mapping(Model):
    """A rewriting of the primary's value that gives the standby's."""

    from_: str = Field(alias="from", min_length=1)
    """A regular expression that the whole value matches."""
    to: str
    """What it becomes, with ``\\1`` for the first group."""


class Range(Model):
    """Bounds of a number; a percentage is of the primary's value."""

    least: Share | None = None
    """At least this."""
    most: Share | None = None
    """At most this."""


class ExpectedDifferenceSpec(Model):
    """A difference between sites that is meant, with who said so and until when."""

    applications: tuple[Name, ...] = ()
    """The applications it is about; all by default."""
    pairs: tuple[Name, ...] = ()
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
    only_at: tuple[Name, ...] | None = None
    """The object or field is there at these sites only."""
    reason: str = Field(min_length=1)
    """Why the sites differ here."""
    owner: str = Field(min_length=1)
    """Who answers for it."""
    expires: date
    """The day after which it no longer explains anything."""
    accepted_by: str | None = None
    """Who accepted it; a rule without counts, but not under a signature."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        exactly_one(self, ("per_site", "ignore", "map", "must_differ", "range", "only_at"))
        return self


class ExpectedDifference(Document):
    """A difference between sites that is meant."""

    kind: Literal["ExpectedDifference"]
    """``ExpectedDifference``."""
    spec: ExpectedDifferenceSpec
    """What it is."""
