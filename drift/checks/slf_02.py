"""SLF-02: everything that had to be read of both sites was read. What was not is unknown, and so is the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from drift import exclusions
from drift.checks import answers
from drift.checks.facts import Facts, Unread
from drift.checks.results import Said

ID = "SLF-02"
_FIX = "Bring the site back, or grant the right to read it: lockstep doctor says which is missing."


def run(facts: Facts) -> Iterator[Said]:
    """Every gap in what was read of the application at both sites."""
    unread = [
        answers.unread(Unread(why=f"{reading.site}: {gap.what}: {gap.why}", denied=gap.denied), fix=_FIX)
        for reading in facts.live
        for gap in reading.gaps
        if not exclusions.is_excluded(gap.group, gap.kind)
    ]
    if isinstance(facts.desired, Unread):
        unread.append(answers.unread(facts.desired))
    yield from answers.listed(unread)
    if not unread:
        truth, follower = (len(reading.objects) for reading in facts.live)
        yield answers.passed("everything was read", primary=truth, dr=follower)
