"""What differs between the sides of one object: hash first, DeepDiff for what the hash calls different.

The sides are normal forms, put beside each other by the keys of their lists. What is equal everywhere is cut
away before DeepDiff sees it, and what it sees are mappings of text: its cost grows with what differs, never with
the object. Nobody else imports ``deepdiff``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deepdiff import DeepDiff

from drift.normalise import Normal
from drift.sides import ABSENT, Value
from drift.walk import Field, Names, Walk
from lockstep.topology import selectors

__all__ = ["Field", "fields", "lookup"]


def fields(
    sides: Sequence[Normal | None], *, context: Sequence[Normal | None] = (), texts: bool = False
) -> list[Field]:
    """The fields in which the sides differ.

    Args:
        sides: The normal forms of one object; None where it is not there: such a side has no say.
        context: More forms whose values are wanted at those fields, such as older renderings. The values of a
            field are those of the sides, then these.
        texts: Whether values of ``data`` are read as YAML and JSON (a ConfigMap's are).
    """
    present = [side for side in sides if side is not None]
    if len({side.encoded for side in present}) < 2:
        return []
    everyone = [*sides, *context]
    walk = Walk(judged=len(present), texts=texts, custom=present[0].custom)
    first, *others = walk.forms([side.tree for side in everyone if side is not None])[: len(present)]
    # Mostly one side deviates from others that are equal: what is the same is described once.
    different: list[Value] = []
    for other in others:
        if other != first and other not in different:
            different.append(other)
    starts = {start for other in different for start in _described(first, other)}
    return [
        Field(steps=found.steps, values=_placed(found.values, everyone), texts=_placed(found.texts, everyone))
        for found in walk.fields(starts)
    ]


def lookup(sides: Sequence[Normal], selector: selectors.Selector, *, texts: bool = False) -> list[Field]:
    """The fields that a selector names, with their values, whether the sides differ there or not."""
    walk = Walk(judged=len(sides), texts=texts, custom=False)
    inside = () if selector.embedded is None else ("#", *selector.embedded)
    return list(walk.named([side.tree for side in sides], (*selector.pointer, *inside)))


def _placed(values: tuple[Value, ...], sides: Sequence[Normal | None]) -> tuple[Value, ...]:
    """The values of the sides that are there, each in the place of its side."""
    if not values:
        return ()
    given = iter(values)
    return tuple(ABSENT if side is None else next(given) for side in sides)


def _described(left: Value, right: Value) -> Iterator[Names]:
    """Where two forms differ, by DeepDiff."""
    found = DeepDiff(
        left,
        right,
        view="tree",
        # Names that begin with two underscores are compared too, and mappings that share few keys entered.
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
    )
    for level in (level for kind in found.values() for level in kind):
        yield tuple(level.path(output_format="list"))
