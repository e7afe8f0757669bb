"""CAP-01: the follower's nodes have room for everything that the pair protects, at full size and all at once.

What runs there of it already counts as needed, not as used. Room is added up over the nodes: whether each Pod fits
on one of them is another check.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from drift.checks import answers, capacity, nodes, templates
from drift.checks.facts import Unread, Whole
from drift.checks.results import Outcome, Said

ID = "CAP-01"
# Of what is needed, so much should be left over (AWS Application Recovery Controller, normalised capacity).
_MARGIN = Decimal("0.15")
_FIX = "Add nodes at DR, or protect less there."


def run(whole: Whole) -> Iterator[Said]:
    """Each resource of which there is not enough, or hardly enough."""
    ground = whole.grounds.follower
    gap = nodes.gap(ground) or ground.gap("", "Pod")
    if gap is not None:
        yield answers.unread(gap)
        return
    unread = [facts.desired for facts in whole.applications if isinstance(facts.desired, Unread)]
    if unread:
        yield answers.unread(unread[0])
        return
    own = [one for facts in whole.applications for one in capacity.full_size(facts)]
    need, room = capacity.needed(own, ground), capacity.free(ground, own)
    tight = [name for name, amount in need.items() if amount > 0 and amount * (1 + _MARGIN) > room.get(name, 0)]
    shown = {
        "primary": templates.shown(need),
        "dr": templates.shown({name: room.get(name, Decimal(0)) for name in need}),
    }
    for name in sorted(tight):
        lacking = need[name] > room.get(name, 0)
        texts = templates.shown({"needed": need[name], "free": room.get(name, Decimal(0))})
        yield Said(
            outcome=Outcome.FAIL if lacking else Outcome.WARN,
            message=f"{texts['needed']} of {name} are needed, and {texts['free']} are free",
            path=name,
            primary=texts["needed"],
            dr=texts["free"],
            fix=_FIX,
        )
    if not tight:
        yield answers.passed("there is room for the full size", primary=shown["primary"], dr=shown["dr"])
