"""Bad rules as findings: expired, matching nothing, hiding too much, contradicting another, taking too long. Pure.

They say nothing of the sites, so they change no verdict. Among findings they are ``Declared``: the declaration itself
is what somebody has to look at.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from drift.expected import RuleProblem
from drift.rows import Row
from drift.survey import Survey
from lockstep.topology import kinds
from lockstep.values import ObjectKey, Verdict

PLACE = ("lockstep.dev", "ExpectedDifference")
"""Group and kind of such a finding's object."""
# What it does to a fail-over: an expired rule explains nothing any more, one that is too wide hides what would fail.
_WEIGHTS = {"expired": 0.5, "wide": 0.8, "contradicted": 0.8, "slow": 0.5, "unused": 0.2}


def of(problems: Sequence[RuleProblem], rules: Collection[kinds.ExpectedDifference], *, pair: str) -> list[Row]:
    """The rows of what is wrong with rules.

    A rule that is for several applications or pairs need not match something in each: it is no finding there.

    Args:
        problems: What a comparison found to be wrong with its rules.
        rules: The rules, as they are configured.
        pair: The pair's name.
    """
    shared = {
        rule.name
        for rule in rules
        if len(rule.spec.applications) != 1 or (rule.spec.pairs and len(rule.spec.pairs) > 1)
    }
    return [
        Row(
            pair=pair,
            verdict=Verdict.DECLARED,
            key=key_of(one.rule),
            site="",
            people_path=one.problem,
            managed=False,
            note=one.message,
            rules=(one.rule,),
            severity=_WEIGHTS.get(one.problem, 0.0),
        )
        for one in problems
        if one.problem != "unused" or one.rule not in shared
    ]


def key_of(rule: str) -> ObjectKey:
    """The object of what is found of a rule."""
    return ObjectKey(group=PLACE[0], kind=PLACE[1], namespace="", name=rule)


def is_rule(key: ObjectKey) -> bool:
    """Whether a finding is about a rule and not about an object of a site."""
    return (key.group, key.kind) == PLACE


def hides(found: Survey, key: ObjectKey, site: str) -> bool:
    """Whether a comparison could not see an object at a site, or could not say whether a rule is needed."""
    return bool(found.blind) if is_rule(key) else found.hides(key, site)
