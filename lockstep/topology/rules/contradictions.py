"""Two expected differences do not give two answers about one field: nobody could say which of them speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from lockstep import errors
from lockstep.topology import draft, kinds
from lockstep.topology.objects import BUILT_IN, ObjectPattern
from lockstep.topology.rules import expected
from lockstep.topology.selectors import Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """One selector of a rule, with where it stands, and for which applications over which pairs."""

    entry: draft.Entry
    rule: kinds.ExpectedDifference
    position: int
    selector: Selector
    scope: frozenset[tuple[str, str]]


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Rules about one field of one application over one pair with different answers; both places are named."""
    by_objects: dict[tuple[str, str, str], list[_Said]] = {}
    for entry, rule in documents.each(kinds.ExpectedDifference):
        scope = expected.scope(documents, rule) or frozenset()
        for position, selector in enumerate(rule.spec.selectors):
            said = _Said(entry=entry, rule=rule, position=position, selector=selector, scope=scope)
            by_objects.setdefault(_objects(selector.objects), []).append(said)
    for group in by_objects.values():
        for first, second in combinations(group, 2):
            if first.rule is not second.rule and first.scope & second.scope:
                yield from _between(documents, first, second)


def _between(documents: draft.Draft, first: _Said, second: _Said) -> Iterator[errors.Problem]:
    if _place(first.selector) == _place(second.selector):
        if _answer(first.rule) != _answer(second.rule):
            yield _problem(second, first, "says otherwise of this field than", "Take one of them out, or narrow it.")
        return
    for outer, inner in ((first, second), (second, first)):
        if _begins(inner.selector, outer.selector) and _missing_there(documents, outer) and _needs_both(inner.rule):
            remedy = "Take one of them out, or mend onlyAt."
            yield _problem(inner, outer, "needs a value at both sites, and nothing is there at one of them by", remedy)


def _problem(where: _Said, other: _Said, message: str, remedy: str) -> errors.Problem:
    place = f"{other.entry.name} ({other.entry.where}, spec.at[{other.position}])"
    return where.entry.problem(("spec", "at", where.position), f"{message} {place}.", remedy)


def _objects(pattern: ObjectPattern) -> tuple[str, str, str]:
    """What is meant, however it is written: the group of a built-in kind may be left out."""
    return pattern.kind, pattern.group or BUILT_IN.get(pattern.kind, ""), pattern.name


def _place(selector: Selector) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    return selector.pointer, selector.embedded


def _begins(inner: Selector, outer: Selector) -> bool:
    """Whether a selector is about a part of what another one names."""
    if outer.embedded is not None:
        return inner.pointer == outer.pointer and (inner.embedded or ())[: len(outer.embedded)] == outer.embedded
    return inner.pointer[: len(outer.pointer)] == outer.pointer


def _answer(rule: kinds.ExpectedDifference) -> object:
    spec = rule.spec
    return spec.per_site, spec.ignore, spec.map, spec.must_differ, spec.range, frozenset(spec.only_at or ())


def _missing_there(documents: draft.Draft, said: _Said) -> bool:
    """Whether a rule says that one site of a pair has nothing there."""
    only = said.rule.spec.only_at
    pairs = [documents.find(kinds.Pair, name) for _, name in said.scope]
    return only is not None and any(
        len({pair.spec.primary, pair.spec.standby} & set(only)) == 1 for pair in pairs if pair is not None
    )


def _needs_both(rule: kinds.ExpectedDifference) -> bool:
    spec = rule.spec
    return not (spec.ignore or spec.only_at is not None)
