"""GIT-01: the mirror of the application's repository at each site has every ref and large file of the source."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Facts, Mirror, Unread
from drift.checks.results import Outcome, Said, Severity

ID = "GIT-01"
_FIX = "Mirror it: lockstep sync git."
_SILENT = frozenset({"unreachable", "failed"})


def run(facts: Facts) -> Iterator[Said]:
    """How the mirrors at the truth and at the follower stand beside the source, now."""
    if isinstance(facts.mirrors, Unread):
        yield answers.unread(facts.mirrors)
        return
    by_site = {mirror.site: mirror for mirror in facts.mirrors}
    follower, truth = by_site.get(facts.faced.follower), by_site.get(facts.faced.truth)
    repository = facts.application.spec.source.repository
    if follower is None:
        yield Said(
            outcome=Outcome.FAIL,
            message=f"{facts.faced.follower} has no mirror of {repository}",
            object=repository,
            fix="Name the site in the repository's GitMirror.",
        )
    for mirror in (follower, truth):
        if mirror is not None and mirror.state != "equal":
            yield _unequal(repository, mirror, at_follower=mirror is follower)
    if follower is not None and all(one is None or one.state == "equal" for one in (follower, truth)):
        shown = [{"head": one.head, "refs": one.refs} if one else None for one in (truth, follower)]
        yield answers.passed("every ref is as at the source", primary=shown[0], dr=shown[1])


def _unequal(repository: str, mirror: Mirror, *, at_follower: bool) -> Said:
    why = "; ".join(mirror.reasons) or mirror.state
    return Said(
        outcome=Outcome.UNKNOWN if mirror.state in _SILENT else Outcome.FAIL,
        # What the truth's own mirror lacks keeps nobody from starting at the follower.
        severity=None if at_follower else Severity.MAJOR,
        message=f"the mirror at {mirror.site} is {mirror.state}: {why}",
        object=repository,
        path=mirror.site,
        dr=mirror.head if at_follower else None,
        primary=None if at_follower else mirror.head,
        fix=_FIX,
    )
