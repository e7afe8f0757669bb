"""APP-06: the follower's API server would admit every object; where nothing runs yet, every workload as a Pod."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Facts, Unread
from drift.checks.results import Outcome, Said

ID = "APP-06"


def run(facts: Facts) -> Iterator[Said]:
    """What the server said to a dry run of each object."""
    if isinstance(facts.rehearsed, Unread):
        yield answers.unread(facts.rehearsed)
        return
    refused = [
        Said(outcome=Outcome.FAIL, message=why, object=key, fix="Correct it in git, or prepare the site for it.")
        for key, why in sorted(facts.rehearsed.items())
        if why
    ]
    yield from answers.listed(refused)
    if not refused:
        yield answers.passed("everything would be admitted", dr=len(facts.rehearsed))
