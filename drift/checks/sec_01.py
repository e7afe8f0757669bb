"""SEC-01: the pull secrets that workloads name are at the follower, are for its registry, and open it."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers, parity, pulls
from drift.checks.facts import Facts, Unread
from drift.checks.results import Outcome, Said

ID = "SEC-01"
_FIX = "Bring DR a pull secret for its own registry: kubectl create secret docker-registry."


def run(facts: Facts) -> Iterator[Said]:
    """Every pull secret that is not there, is for another registry, or is turned away."""
    for unread in (facts.desired, facts.images):
        if isinstance(unread, Unread):
            yield answers.unread(unread)
            return
    images = facts.images
    assert not isinstance(images, Unread)  # noqa: S101 - it was asked above
    sides = (facts.live[1], *([facts.beside] if facts.beside else []))
    gap = parity.gap_of(tuple(gap for side in sides for gap in side.gaps), "", "Secret")
    if gap is not None:
        yield answers.unread(gap)
        return
    named = pulls.named(facts)
    if not named:
        yield Said(outcome=Outcome.NOT_APPLICABLE, message="no workload names a pull secret")
        return
    hosts = {(one.namespace, one.name): one.hosts for side in sides for one in side.pull_secrets}
    found = [said for (namespace, name), users in sorted(named.items()) for said in _said(
        facts, (namespace, name), hosts.get((namespace, name)), str(users[0])
    )]  # fmt: skip
    wrong = [said for said in found if said.outcome is not Outcome.PASS]
    yield from answers.listed(wrong)
    if not wrong:
        yield answers.passed("the pull secrets open DR's registry", dr=len(named))


def _said(facts: Facts, name: tuple[str, str], hosts: tuple[str, ...] | None, user: str) -> Iterator[Said]:
    images = facts.images
    assert not isinstance(images, Unread)  # noqa: S101 - it was asked before
    text = f"Secret {name[0]}/{name[1]}"
    if hosts is None:
        message = f"it names the pull secret {text}, which is not there"
        yield Said(outcome=Outcome.FAIL, message=message, object=user, path=text, fix=_FIX)
    elif images.host and images.host not in hosts:
        message = f"the pull secret is not for {images.host}"
        yield Said(outcome=Outcome.FAIL, message=message, object=text, dr=list(hosts), fix=_FIX)
    else:
        tried = images.opened.get(name, Unread(why="nobody tried whether it opens the registry", impossible=True))
        if isinstance(tried, Unread):
            said = answers.unread(tried)
            yield Said(outcome=said.outcome, message=said.message, object=text)
        elif tried:
            yield Said(outcome=Outcome.FAIL, message=f"the registry turns it away: {tried}", object=text, fix=_FIX)
        else:
            yield answers.passed()
