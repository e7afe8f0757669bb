"""Versions in tags, and ranges of them (Semantic Versioning 2.0.0; ranges as npm and Helm write them). Pure.

``>=1.2 <2``, ``^1.4``, ``~1.4.2``, ``1.x``, ``1.2.3 || 2.*``. A tag may begin with ``v`` and leave out its last
numbers. What comes before a release (``1.5.0-rc.1``) is chosen only by a range that names such a thing itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import total_ordering
from typing import Self

_NUMBER = r"0|[1-9][0-9]{0,17}"
_PRE = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"v?({_NUMBER})(?:\.({_NUMBER}))?(?:\.({_NUMBER}))?(?:-({_PRE}))?(?:[+_]{_PRE})?")
_TERM = re.compile(
    rf"(?P<sign>>=|<=|!=|>|<|=|\^|~)?\s*v?(?P<parts>(?:{_NUMBER}|[xX*])(?:\.(?:{_NUMBER}|[xX*])){{0,2}})(?:-(?P<pre>{_PRE}))?"
)
_MOST_TERMS = 50


@total_ordering
@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """``before`` are the identifiers of what comes before a release; empty for a release."""

    numbers: tuple[int, int, int]
    before: tuple[str, ...] = ()

    @classmethod
    def parse(cls, tag: str) -> Self | None:
        """The version that a tag is; None when it is none."""
        found = _VERSION.fullmatch(tag)
        if found is None:
            return None
        major, minor, patch = (int(found[place] or 0) for place in (1, 2, 3))
        return cls(numbers=(major, minor, patch), before=tuple((found[4] or "").split(".")) if found[4] else ())

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def _key(self) -> tuple[object, ...]:
        """Precedence (specification, 11): a release after what comes before it, numbers before words."""
        rank = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in self.before)
        return (*self.numbers, not self.before, rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """One comparison: from ``least`` on, up to but without ``under``, and not ``but``."""

    least: Version | None = None
    under: Version | None = None
    but: Version | None = None
    names: frozenset[tuple[int, int, int]] = frozenset()
    """The versions whose forerunners this names."""

    def holds(self, version: Version) -> bool:
        if self.least is not None and version < self.least:
            return False
        if self.under is not None and version >= self.under:
            return False
        return version != self.but


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Alternatives, each of comparisons that all hold."""

    alternatives: tuple[tuple[_Term, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a range.

        Raises:
            ValueError: It is none.
        """
        return cls(alternatives=tuple(_terms(part) for part in text.split("||")))

    def holds(self, version: Version) -> bool:
        """Whether a version is in the range."""
        return any(self._all_hold(terms, version) for terms in self.alternatives)

    def _all_hold(self, terms: tuple[_Term, ...], version: Version) -> bool:
        named = not version.before or any(version.numbers in term.names for term in terms)
        return named and all(term.holds(version) for term in terms)


def _terms(text: str) -> tuple[_Term, ...]:
    found: list[_Term] = []
    at, text = 0, text.strip()
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None or len(found) >= _MOST_TERMS:
            raise ValueError(f"{text[at : at + 40]!r} is no comparison")
        at = term.end()
        if at < len(text) and text[at] not in " ,":
            raise ValueError(f"{text[at : at + 40]!r} follows a version")
        at += len(text[at:]) - len(text[at:].lstrip(" ,"))
        found.append(_term(term))
    if not found:
        raise ValueError("it says nothing")
    return tuple(found)


def _term(found: re.Match[str]) -> _Term:
    parts = [int(part) for part in found["parts"].split(".") if part not in "xX*"]
    before = tuple((found["pre"] or "").split(".")) if found["pre"] else ()
    if not parts:
        if found["sign"] in ("<", ">", "!="):
            raise ValueError("nothing is beyond every version")
        return _Term()
    numbers = (*parts, *(0,) * (3 - len(parts)))
    version = Version(numbers=(numbers[0], numbers[1], numbers[2]), before=before)
    names = frozenset({version.numbers}) if before else frozenset()
    return _BOUNDS[found["sign"] or "="](version, len(parts), names)


def _next(version: Version, place: int) -> Version:
    """The first version after all that share the numbers up to a place; the least of what comes before it, too."""
    numbers = [*version.numbers[:place], *(0,) * (3 - place)]
    numbers[place - 1] += 1
    return Version(numbers=(numbers[0], numbers[1], numbers[2]), before=("0",))


def _caret(version: Version, given: int) -> int:
    """The place of the first number that is not 0: what must stay."""
    return next((place + 1 for place in range(given) if version.numbers[place]), given)


_Names = frozenset[tuple[int, int, int]]
_BOUNDS: dict[str, Callable[[Version, int, _Names], _Term]] = {
    ">=": lambda version, _given, names: _Term(least=version, names=names),
    "<": lambda version, _given, names: _Term(under=version, names=names),
    ">": lambda version, given, names: (
        _Term(least=version, but=version, names=names) if given == 3 else _Term(least=_next(version, given))
    ),
    "<=": lambda version, given, names: (
        _Term(under=_after(version), names=names) if given == 3 else _Term(under=_next(version, given))
    ),
    "!=": lambda version, _given, names: _Term(but=version, names=names),
    "=": lambda version, given, names: (
        _Term(least=version, under=_after(version), names=names)
        if given == 3
        else _Term(least=version, under=_next(version, given), names=names)
    ),
    "^": lambda version, given, names: _Term(least=version, under=_next(version, _caret(version, given)), names=names),
    "~": lambda version, given, names: _Term(least=version, under=_next(version, min(given, 2)), names=names),
}


def _after(version: Version) -> Version:
    """The least version after this one."""
    if version.before:
        return Version(numbers=version.numbers, before=(*version.before, "0"))
    return _next(version, 3)
