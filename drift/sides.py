"""The four sides of a comparison, and the value that means "not there"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

from lockstep.values import Json


class Absent(Enum):
    """Not there: a value of its own, told apart from null."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent.ABSENT
NOT_READ = "(not read)"
"""Shown in the place of what nobody saw: whatever is there, it is not what another side has."""
Value: TypeAlias = Json | Absent
"""A JSON value, or that there is none."""

_T = TypeVar("_T")
_U = TypeVar("_U")


@dataclass(frozen=True, slots=True)
class Sides(Generic[_T]):
    """One thing on each side: git rendered for the truth and for its follower, and what lives at both."""

    git_primary: _T
    primary: _T
    git_standby: _T
    standby: _T

    def all(self) -> tuple[_T, _T, _T, _T]:
        """The four, in the order of the design's table: (G_P, P, G_D, D)."""
        return self.git_primary, self.primary, self.git_standby, self.standby

    def map(self, change: Callable[[_T], _U]) -> Sides[_U]:
        """The four, each changed."""
        return Sides(*(change(side) for side in self.all()))

    def swapped(self) -> Sides[_T]:
        """Seen from the other site."""
        return Sides(self.git_standby, self.standby, self.git_primary, self.primary)
