"""API-01: the API servers of both sites are at most one minor version apart."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Unread, Whole
from drift.checks.results import Outcome, Said, Severity
from lockstep.values import Json

ID = "API-01"


def run(whole: Whole) -> Iterator[Said]:
    """How far the versions are apart."""
    versions = (whole.grounds.truth.version, whole.grounds.follower.version)
    unread = [one for one in versions if isinstance(one, Unread)]
    if unread:
        yield answers.unread(min(unread, key=lambda one: one.impossible))
        return
    truth, follower = (str(one) for one in versions)
    far = abs(_minor(truth) - _minor(follower)) if truth.partition(".")[0] == follower.partition(".")[0] else 100
    shown: dict[str, Json] = {"primary": truth, "dr": follower}
    message = "the sites run different versions of Kubernetes"
    fix = "Upgrade the older site."
    if far > 1:
        yield Said(outcome=Outcome.FAIL, severity=Severity.BLOCKER, message=message, fix=fix, **shown)
    elif far == 1:
        yield Said(outcome=Outcome.WARN, message=message, fix=fix, **shown)
    else:
        yield answers.passed("the sites run the same version of Kubernetes", primary=truth, dr=follower)


def _minor(version: str) -> int:
    return int(version.partition(".")[2])
