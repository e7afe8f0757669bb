"""CAP-03: every Pod of the application could be placed on a node of the follower, at full size.

Pods are placed one by one, the largest first, on the first node that takes them. A scheduler that packs better may find
room where this does not: then it is a warning. A Pod that no node would take at all is a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from drift.checks import answers, capacity, nodes, placing, templates
from drift.checks.facts import Facts, Ground, Unread
from drift.checks.results import Outcome, Said, Severity
from drift.checks.templates import Workload
from drift.normalise import reading

ID = "CAP-03"
_FIX = "Label, untaint or enlarge the nodes of DR, or change what the workload asks for."
# More replicas than this of one workload are placed as this many.
_MOST = 1000


def run(facts: Facts) -> Iterator[Said]:
    """Every workload that no node would take, or not all of it, with why."""
    ground = facts.grounds.follower
    gap = nodes.gap(ground) or ground.gap("", "Pod")
    if gap is not None:
        yield answers.unread(gap)
        return
    if isinstance(facts.desired, Unread):
        yield answers.unread(facts.desired)
        return
    own = capacity.full_size(facts)
    room = _Room(ground, own)
    largest = sorted(own, key=lambda one: (-templates.requests(one.spec).get("memory", Decimal(0)), one.key))
    found = [said for one in largest if (said := room.place(one)) is not None]
    yield from answers.listed(found)
    if not found:
        yield answers.passed("every Pod could be placed", dr=sum(one.replicas for one in own))


class _Room:
    """The nodes of a site, with what is free on each while Pods are placed."""

    def __init__(self, ground: Ground, own: list[Workload]) -> None:
        self._nodes = [node for _, node in ground.of("", "Node") if placing.is_ready(node)]
        self._free = capacity.free_by_node(ground, self._nodes, own)

    def place(self, one: Workload) -> Said | None:
        """Place all replicas of a workload; what is to be said when that is not possible."""
        refusals = [placing.refusal(one.spec, node, nodes.allocatable(node)) for node in self._nodes]
        if all(refusals) and not (one.per_node and not self._nodes):
            return self._nowhere(one, refusals)
        wanted = 0 if one.per_node else min(one.replicas, _MOST)
        placed = sum(1 for _ in range(wanted) if self._put(one))
        if placed == wanted:
            return None
        message = f"{placed} of {wanted} replicas found room one by one"
        return Said(outcome=Outcome.WARN, severity=Severity.MAJOR, message=message, object=str(one.key), fix=_FIX)

    def _nowhere(self, one: Workload, refusals: list[str]) -> Said:
        counted = ", ".join(f"{why}: {count}" for why, count in sorted(Counter(refusals).items()))
        message = f"no node of DR would take it ({counted})" if counted else "no node of DR takes work"
        return Said(outcome=Outcome.FAIL, message=message, object=str(one.key), dr=len(self._nodes), fix=_FIX)

    def _put(self, one: Workload) -> bool:
        asked = templates.requests(one.spec)
        for node in self._nodes:
            free = self._free[reading.text(node, "metadata", "name")]
            if not placing.refusal(one.spec, node, free):
                for name, amount in asked.items():
                    free[name] = free.get(name, Decimal(0)) - amount
                return True
        return False
