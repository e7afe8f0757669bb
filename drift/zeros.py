"""What git sets to ``false`` or ``0`` where servers leave that out: it was said, though no normal form has it (N08).

When both sites have the same other value there, neither has what git says; without this they would be in step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from drift.align import Into, Step, same
from drift.judging import Judged
from drift.normalise import Filled, Keyed, Node, Normal
from drift.sides import ABSENT, Sides, Value

Said: TypeAlias = tuple[Filled, Normal]
"""A rendering as it is written, with its defaults, and its normal form."""


def spoken(judged: Judged, git: Sequence[Said | None]) -> Judged:
    """A field with the zeros that git sets, where nothing else was seen of git and both sites have one value.

    Args:
        judged: The field.
        git: Git's renderings for the truth and for the follower.
    """
    git_p, primary, git_d, standby = judged.sides.all()
    if git_p is not ABSENT or git_d is not ABSENT or not same(primary, standby):
        return judged
    said = [ABSENT if one is None else _zero(one[0].manifest, one[1].tree, judged.field.steps) for one in git]
    return replace(judged, sides=Sides(said[0], primary, said[1], standby))


def _zero(written: Value, form: Node, steps: Sequence[Step]) -> Value:
    """The zero that stands somewhere in a manifest, next to whose normal form we walk; absent when there is none."""
    for step in steps:
        if step.into is Into.KEY and isinstance(written, dict) and isinstance(form, dict):
            written, form = written.get(step.name, ABSENT), form.get(step.name)
        elif step.into is Into.ENTRY and isinstance(written, list) and isinstance(form, Keyed) and step.name in form:
            written, form = written[form.positions[step.name]], form[step.name]
        elif step.into is Into.ENTRY and isinstance(written, list) and type(form) is list and step.index < len(written):
            written, form = written[step.index], form[step.index]
        else:
            return ABSENT
    is_zero = written is False or (type(written) in (int, float) and written == 0)
    return written if is_zero else ABSENT
