"""Brings a repository to all its sites at once; a site that fails stops no other."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from lockstep import crash
from sync.bring import Order, Target, bring
from sync.outcomes import SiteOutcome

# Each site is a few git processes that mostly wait for its network.
_MOST_AT_ONCE = 8


def distribute(
    order: Order, targets: Sequence[Target], *, on_outcome: Callable[[Target, SiteOutcome], None]
) -> list[SiteOutcome]:
    """Bring a repository to some sites, in parallel.

    Args:
        order: What to bring.
        targets: Where to.
        on_outcome: Told of each site as soon as it is known, in this thread: it may write that down.

    Returns:
        One outcome for each target, in their order.
    """
    outcomes: dict[str, SiteOutcome] = {}
    with ThreadPoolExecutor(max_workers=_at_once(targets)) as pool:
        # The children of this job belong to it in every thread: each gets a copy of the context.
        started = {pool.submit(contextvars.copy_context().run, bring, order, target): target for target in targets}
        for future in as_completed(started):
            target, outcome = started[future], future.result()
            if outcome.changed:
                crash.reach(crash.Point.BETWEEN_SITES)
            outcomes[target.site] = outcome
            on_outcome(target, outcome)
    return [outcomes[target.site] for target in targets]


def _at_once(targets: Sequence[Target]) -> int:
    if crash.is_armed(crash.Point.BETWEEN_SITES):
        return 1
    return max(1, min(_MOST_AT_ONCE, len(targets)))
