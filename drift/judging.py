"""One difference of one object, judged: the table, then what implies it, then what people expect.

The order matters. The table speaks of all four sides. What it calls ``Declared``, and what git says nothing of,
may be implied by the sites or expected by a rule; an overlay alone never excuses some of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drift import expected, implied, verdict
from drift.expected import Opinion, Rule, Rules
from drift.implied import Scaled, SiteFacts
from drift.sides import ABSENT, Sides, Value
from drift.walk import Field
from lockstep.topology import kinds, templates
from lockstep.values import ObjectKey, Verdict

# Where the four sides stand among the values of a field.
PRIMARY, STANDBY = 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is true of the pair while it is compared.

    ``truth`` and ``follower`` are the two sites as the pair faces now; ``switched`` when the configured standby
    is the truth. ``scaled`` is what autoscalers hold at each.
    """

    truth: SiteFacts
    follower: SiteFacts
    rules: Rules
    switched: bool = False
    protection: kinds.Protection | None = None
    scaled: tuple[Scaled, Scaled] = field(default_factory=lambda: ({}, {}))

    @property
    def configured(self) -> tuple[SiteFacts, SiteFacts]:
        """The pair's primary and its standby, however it faces: rules are written about these."""
        return (self.follower, self.truth) if self.switched else (self.truth, self.follower)

    @property
    def configured_sides(self) -> tuple[int, int]:
        """Which values of a field are those of the pair's primary and of its standby."""
        return (STANDBY, PRIMARY) if self.switched else (PRIMARY, STANDBY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to be said of a field. ``InSync``: explained by ``opinions``, or by what ``note`` says."""

    verdict: Verdict
    note: str = ""
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A field as it is judged: its four values, and those in older renderings for the truth and for the follower."""

    field: Field
    sides: Sides[Value]
    older: tuple[tuple[Value, ...], tuple[Value, ...]] = ((), ())


def judge(key: ObjectKey, found: Judged, context: Context) -> Judgement:
    """What is to be said of a field in which the sides of an object differ."""
    steps, sides = found.field.steps, found.sides
    sides = implied.autoscaled(key, steps, sides, context.scaled)
    sides = implied.at_floor(key, steps, sides, context.protection)
    said = verdict.of_field(sides, older_primary=found.older[0], older_standby=found.older[1])
    opinions = tuple(context.rules.opinions(key, found.field, context.configured_sides, context.configured))
    by_git = any(
        value is not ABSENT for value in (sides.git_primary, sides.git_standby, *found.older[0], *found.older[1])
    )
    if said is Verdict.IN_SYNC or (by_git and said is not Verdict.DECLARED):
        return Judgement(verdict=said, opinions=opinions)
    values = (sides.primary, sides.standby)
    note = implied.explains(steps, values, (context.truth, context.follower))
    if said is Verdict.DECLARED and not note:
        note = implied.explains_follower(key, steps, values, context.protection)
    if note:
        return Judgement(verdict=Verdict.IN_SYNC, note=note, opinions=opinions)
    reason = implied.never_excused(key, steps, values, context.protection) if said is Verdict.DECLARED else ""
    # What no overlay excuses no rule does either that nobody has put a name to.
    if opinions and opinions[0].holds and (opinions[0].accepted_by or not reason):
        return Judgement(verdict=Verdict.IN_SYNC, note=opinions[0].reason, opinions=opinions)
    if said is Verdict.DECLARED:
        return Judgement(verdict=Verdict.STANDBY_DRIFT if reason else said, note=reason, opinions=opinions)
    return Judgement(verdict=said, opinions=opinions)


def judge_presence(key: ObjectKey, there: Sides[bool], said: Verdict, context: Context) -> Judgement:
    """What is to be said of an object that is not wherever it should be; a rule may say where it belongs."""
    where = Field(steps=(), values=tuple(True if here else ABSENT for here in there.all()))
    opinions = tuple(context.rules.opinions(key, where, context.configured_sides, context.configured))
    by_git = there.git_primary or there.git_standby
    if (not by_git or said is Verdict.DECLARED) and opinions and opinions[0].holds:
        return Judgement(verdict=Verdict.IN_SYNC, note=opinions[0].reason, opinions=opinions)
    return Judgement(verdict=said, opinions=opinions)


def judge_assertion(rule: Rule, key: ObjectKey, values: tuple[Value, Value], context: Context) -> Judgement:
    """What is to be said of values of truth and follower by a rule that speaks of equal ones too.

    The site that has the other's value is the one to mend: the follower, unless only the truth is wrong.
    """
    ours = (values[1], values[0]) if context.switched else values
    spec = rule.document.spec
    kept = expected.opinion(rule, key, ours, context.configured)
    if kept.holds or kept.slow:
        return Judgement(verdict=Verdict.IN_SYNC, note=spec.reason, opinions=(kept,))
    wrong = Verdict.STANDBY_DRIFT
    if spec.per_site is not None and templates.fill(spec.per_site, context.follower.values) == values[1]:
        wrong = Verdict.PRIMARY_HOTFIX
    return Judgement(verdict=wrong, note=f"against the rule {rule.document.name}: {spec.reason}", opinions=(kept,))
