"""SEC-03: the certificates at the follower are valid for longer than a fail-over lasts.

Warn 30 days before the end, fail 7 days before. When a certificate ends is read; for which names it is valid is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from drift import certificates
from drift.checks import answers, parity
from drift.checks.facts import Facts
from drift.checks.results import Outcome, Said

ID = "SEC-03"
FAIL = timedelta(days=7)


def run(facts: Facts) -> Iterator[Said]:
    """Every certificate in a Secret of the follower that ends too soon."""
    follower = facts.live[1]
    gap = parity.gap_of(follower.gaps, "", "Secret")
    if gap is not None:
        yield answers.unread(gap)
        return
    ending = [one for one in follower.certificates if one.expires - facts.now < certificates.SOON]
    yield from answers.listed(
        Said(
            outcome=Outcome.FAIL if one.expires - facts.now < FAIL else Outcome.WARN,
            message=f"the certificate ends on {one.expires:%Y-%m-%d}",
            object=f"Secret {one.namespace}/{one.name}",
            path=one.key,
            dr=one.expires.isoformat(timespec="seconds"),
            fix="Renew it at DR.",
        )
        for one in ending
    )
    if not ending:
        yield answers.passed("no certificate ends soon", dr=len(follower.certificates))
