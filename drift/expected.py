"""Expected differences: the rules by which people say that two sites are meant to differ.

A rule explains P against D, and what overlays declare; never a live field against its own git. Of several rules
that cover a field all are listed and the narrowest speaks. A rule that has expired explains nothing, and one that
covers no difference is not needed: both are findings of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from drift import embedded, paths
from drift.align import Into, Step
from drift.implied import SiteFacts
from drift.normalise import quantity
from drift.sides import ABSENT, Value
from drift.walk import Field
from lockstep import errors
from lockstep.topology import kinds, templates
from lockstep.topology.kinds import expected as spelled
from lockstep.topology.model import Topology
from lockstep.topology.selectors import Selector
from lockstep.values import Json, ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one rule says of one field.

    ``holds``: the values are as the rule expects them. ``slow``: its expression was given up on. ``against`` is a rule
    just as narrow that says otherwise: neither of them holds then.
    """

    rule: str
    reason: str
    accepted_by: str
    holds: bool
    slow: bool = False
    against: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RuleProblem:
    """Something wrong with a rule itself, and a sentence for people.

    ``problem`` is ``expired``, ``unused``, ``wide``, ``slow`` or ``contradicted``.
    """

    rule: str
    problem: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with one of its selectors."""

    selector: Selector
    document: kinds.ExpectedDifference

    def covers(self, key: ObjectKey, steps: Sequence[Step]) -> bool:
        """Whether the rule is about a field, or about something that the field is a part of."""
        if not self.selector.selects(group=key.group, kind=key.kind, name=key.name):
            return False
        return self.selector.covers(*paths.tokens(steps))


class Rules:
    """The rules that apply to an application over a pair, on a day."""

    def __init__(self, documents: Iterable[kinds.ExpectedDifference], *, today: date) -> None:
        self.documents = tuple(documents)
        self.today = today
        rules = [
            Rule(selector=selector, document=document)
            for document in self.documents
            if document.spec.expires >= today
            for selector in document.spec.selectors
        ]
        self._rules = tuple(sorted(rules, key=lambda rule: rule.selector.narrowness, reverse=True))

    @classmethod
    def of(cls, topology: Topology, *, application: str, pair: str, today: date) -> Rules:
        """Those rules of a configuration that are about an application and a pair."""
        every = topology.expected_differences.values()
        return cls(
            (
                rule
                for rule in every
                if application in (rule.spec.applications or (application,)) and pair in (rule.spec.pairs or (pair,))
            ),
            today=today,
        )

    def opinions(
        self, key: ObjectKey, field: Field, sides: tuple[int, int], facts: tuple[SiteFacts, SiteFacts]
    ) -> list[Opinion]:
        """What the rules say of a field, the narrowest first: it speaks, the others are listed.

        Args:
            key: The object.
            field: The field.
            sides: Which of the field's values are those of the pair's primary and of its standby.
            facts: The two sites, in the same order.
        """
        found: dict[str, Opinion] = {}
        narrowest: list[str] = []
        widths: set[tuple[int, ...]] = set()
        for rule in self._rules:
            if rule.document.name not in found and rule.covers(key, field.steps):
                found[rule.document.name] = opinion(rule, key, _values(rule, field, sides), facts)
                widths.add(rule.selector.narrowness)
                if len(widths) == 1:
                    narrowest.append(rule.document.name)
        for name, other in _contradictions([found[name] for name in narrowest]):
            found[name] = replace(found[name], holds=False, against=other)
        return list(found.values())

    def asserting(self, key: ObjectKey) -> list[Rule]:
        """The rules that say something of an object's fields even when they are equal."""
        return [
            rule
            for rule in self._rules
            if (rule.document.spec.must_differ or rule.document.spec.per_site)
            and rule.selector.selects(group=key.group, kind=key.kind, name=key.name)
        ]

    def problems(
        self,
        *,
        used: Collection[str],
        slow: Collection[str],
        wide: Collection[str] = (),
        contradicted: Collection[tuple[str, str]] = (),
    ) -> list[RuleProblem]:
        """What is wrong with the rules, when everything has been compared.

        Args:
            used: The rules that covered a difference, or that were found to be kept.
            slow: Those whose expressions were given up on.
            wide: Those that explain differences of more objects than one rule should.
            contradicted: Those that are as narrow as another one that said otherwise of a field, with that one.
        """
        found = [problem for document in self.documents for problem in self._problem(document, used, slow)]
        message = "It explains differences in more than a quarter of all objects. Write what exactly may differ."
        named = {document.name for document in self.documents}
        found += [RuleProblem(rule=name, problem="wide", message=message) for name in wide if name in named]
        for name, other in sorted(contradicted):
            message = (
                f"It says otherwise of a field than {other}, which is as narrow. Neither counts: mend one of them."
            )
            found.append(RuleProblem(rule=name, problem="contradicted", message=message))
        return sorted(found)

    def _problem(
        self, document: kinds.ExpectedDifference, used: Collection[str], slow: Collection[str]
    ) -> Iterable[RuleProblem]:
        name, spec = document.name, document.spec
        if spec.expires < self.today:
            message = f"It expired on {spec.expires}. {spec.owner} renews it or takes it out."
            yield RuleProblem(rule=name, problem="expired", message=message)
        elif name in slow:
            yield RuleProblem(rule=name, problem="slow", message="Its expression takes too long. Write a simpler one.")
        elif name not in used:
            message = "It covers no difference. Mend what it is at, or take it out."
            yield RuleProblem(rule=name, problem="unused", message=message)


def holds(rule: Rule, key: ObjectKey, values: tuple[Value, Value], facts: tuple[SiteFacts, SiteFacts]) -> bool:
    """Whether the values of the pair's primary and standby are as a rule expects them.

    Raises:
        InputError: The rule's expression takes too long on them.
    """
    spec = rule.document.spec
    if spec.only_at is not None:
        return [value is not ABSENT for value in values] == [site.name in spec.only_at for site in facts]
    if spec.ignore or spec.must_differ:
        return spec.ignore or values[0] != values[1]
    if any(value is ABSENT for value in values) or key.kind == "Secret":
        # The value of a Secret is nobody's to look at, a rule's neither.
        return False
    left, right = (_text(embedded.written(value)) for value in values)
    if left is None or right is None:
        return False
    if spec.per_site is not None:
        return [left, right] == [templates.fill(spec.per_site, site.values) for site in facts]
    return _in_range(left, right, spec.range) if spec.range is not None else _is_mapped(left, right, spec.map or ())


def opinion(rule: Rule, key: ObjectKey, values: tuple[Value, Value], facts: tuple[SiteFacts, SiteFacts]) -> Opinion:
    """What a rule says of the values of the pair's primary and standby."""
    spec = rule.document.spec
    kept, slow = False, False
    try:
        kept = holds(rule, key, values, facts)
    except errors.InputError:
        slow = True
    return Opinion(
        rule=rule.document.name, reason=spec.reason, accepted_by=spec.accepted_by or "", holds=kept, slow=slow
    )


def _contradictions(tied: Sequence[Opinion]) -> Iterable[tuple[str, str]]:
    """Of opinions of equal weight, each that another one contradicts, with that one."""
    for one in tied:
        other = next((other for other in tied if other.holds != one.holds), None)
        if other is not None:
            yield one.rule, other.rule


def _values(rule: Rule, field: Field, sides: tuple[int, int]) -> tuple[Value, Value]:
    """The values that a rule speaks of: the field's, or the whole texts where it stops before them."""
    inside = any(step.into is Into.TEXT for step in field.steps)
    reaches_text = rule.selector.embedded is None and len(rule.selector.pointer) == len(paths.tokens(field.steps)[0])
    values = field.texts if inside and reaches_text else field.values
    return values[sides[0]], values[sides[1]]


def _is_mapped(left: str, right: str, mappings: Iterable[spelled.Mapping]) -> bool:
    for mapping in mappings:
        rewritten = mapping.rewrite(left)
        if rewritten is not None:
            return rewritten == right
    return False


def _text(value: Json) -> str | None:
    """A scalar as people write it; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _in_range(left: str, right: str, bounds: spelled.Range) -> bool:
    """Whether the standby's number keeps its bounds; a percentage is of the primary's."""
    whole, number = quantity.number(left), quantity.number(right)
    if whole is None or number is None:
        return False
    least, most = _bound(bounds.least, whole), _bound(bounds.most, whole)
    return (least is None or number >= least) and (most is None or number <= most)


def _bound(text: str | None, whole: Decimal) -> Decimal | None:
    if text is None:
        return None
    return whole * Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text)
