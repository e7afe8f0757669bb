"""Differences between sites that are meant, with who said so and until when."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

import regex
from pydantic import AfterValidator, Field, model_validator

from lockstep import errors
from lockstep.topology.amounts import Bound
from lockstep.topology.forms import EachOnce, FieldError
from lockstep.topology.kinds.base import Document, Model
from lockstep.topology.scalars import Names, ObjectSelector, Regex, Template, Text
from lockstep.topology.selectors import Selector

# What one expression may take on one value: it stands in a loop over all differences.
_PATIENCE_SECONDS = 0.25


class Mapping(Model):
    """A rewriting of the primary's value that gives the standby's."""

    from_: Regex = Field(alias="from")
    """A regular expression (Python's) that the whole value matches."""
    to: str
    """What it becomes, with ``\\1`` for the first group."""

    @model_validator(mode="after")
    def _groups_are_there(self) -> Self:
        pattern = re.compile(self.from_)
        names = {number: name for name, number in pattern.groupindex.items()}
        groups = [f"(?P<{names[number]}>)" if number in names else "()" for number in range(1, pattern.groups + 1)]
        try:
            # A pattern of the same groups that matches nothing at all: only the template is tried.
            re.sub("".join(groups), self.to, "")
        except (re.error, IndexError) as error:
            raise FieldError(f"has a to that does not fit its from: {error}.", "Name groups that are there.") from None
        return self

    def rewrite(self, value: str) -> str | None:
        """What a value of the primary becomes at the standby; None when the expression does not match it whole.

        Raises:
            InputError: The expression takes too long on this value.
        """
        try:
            match = regex.fullmatch(self.from_, value, timeout=_PATIENCE_SECONDS)
        except TimeoutError:
            raise errors.InputError(
                f"The expression {self.from_!r} takes too long on a value of {len(value)} characters.",
                remedy="Write it without one repetition inside another.",
            ) from None
        return match.expand(self.to) if match else None


class Range(Model):
    """Bounds of a number; a percentage is of the primary's value."""

    least: Bound | None = None
    """At least this."""
    most: Bound | None = None
    """At most this."""

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.least is None and self.most is None:
            raise FieldError("has no bound.", "Give least, most or both.")
        if self.least is not None and self.most is not None and _number(self.least) > _number(self.most):
            shares = {bound.endswith("%") for bound in (self.least, self.most)}
            # A number and a percentage depend on the primary's value.
            if len(shares) == 1:
                raise FieldError(
                    f"has a least of {self.least} above its most of {self.most}.", "No value keeps both: swap them."
                )
        return self


def _number(bound: str) -> int:
    return int(bound.removesuffix("%"))


def _one_answer(mappings: tuple[Mapping, ...] | None) -> tuple[Mapping, ...] | None:
    """Refuse two rewritings of the same expression: the first that matches decides, so the other never speaks."""
    first: dict[str, int] = {}
    for position, one in enumerate(mappings or ()):
        before = first.setdefault(one.from_, position)
        if before != position:
            raise FieldError(
                f"has the expression {one.from_!r} at [{before}] and at [{position}].", "Take one of them out."
            )
    return mappings


class ExpectedDifferenceSpec(Model):
    """A difference between sites that is meant, with who said so and until when."""

    EXACTLY_ONE = ("per_site", "ignore", "map", "must_differ", "range", "only_at")

    applications: Names = ()
    """The applications it is about; all by default."""
    pairs: Names = ()
    """The pairs it is about; all by default."""
    at: Annotated[tuple[ObjectSelector, ...], EachOnce()] = Field(min_length=1)
    """Fields, as ``Kind[.group][/name] /json/pointer`` with ``*``; ``#/`` goes into embedded YAML or JSON."""
    per_site: Template | None = None
    """The value at each site, with ``{key}`` for a site value."""
    ignore: bool = False
    """Any difference is meant."""
    map: Annotated[tuple[Mapping, ...] | None, AfterValidator(_one_answer)] = Field(default=None, min_length=1)
    """The standby's value is the primary's, rewritten by the first of these that matches."""
    must_differ: bool = False
    """The values have to differ; equal ones are a finding."""
    range: Range | None = None
    """The standby's number is within bounds."""
    only_at: Names | None = Field(default=None, min_length=1)
    """The object or field is there at these sites only; the pointer may be left out."""
    reason: Text
    """Why the sites differ here."""
    owner: Text
    """Who answers for it."""
    expires: date
    """The day after which it no longer explains anything."""
    accepted_by: Text | None = None
    """Who accepted it; a rule without counts, but not under a signature, nor for what an overlay never excuses."""

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """``at``, read."""
        return tuple(Selector.parse(text) for text in self.at)


class ExpectedDifference(Document):
    """A difference between sites that is meant."""

    kind: Literal["ExpectedDifference"]
    """``ExpectedDifference``."""
    spec: ExpectedDifferenceSpec
    """What it is."""
