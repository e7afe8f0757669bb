"""APP-04: the same revision is deployed at both sites, its deploy ended well, and what runs is what it means."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Deployed, Facts, Unread
from drift.checks.results import Outcome, Said, Severity
from drift.running import Container
from lockstep.values import Json

ID = "APP-04"
_FIX = "Deploy it: lockstep deploy."
_SHORT = 12


def run(facts: Facts) -> Iterator[Said]:
    """The newest deploy to each site, held against the other and against git; and what runs otherwise."""
    wrong = list(_running(facts))
    yield from answers.listed(wrong)
    for said in _deployed(facts):
        if said.outcome is not Outcome.PASS or not wrong:
            yield said


def _running(facts: Facts) -> Iterator[Said]:
    """What runs by one revision is one image everywhere, by digest."""
    if isinstance(facts.parity, Unread):
        return
    running = facts.parity.compared.running
    for one in (*running.wrong, *running.different):
        digests = {site: ", ".join(found) for site, found in {**_held(one), **one.digests}.items()}
        yield Said(
            outcome=Outcome.FAIL,
            message=f"container {one.container}: the sites do not run one image by {one.image}",
            object=str(one.key),
            path=f"{one.listed}[{one.container}].image",
            primary=digests.get(facts.faced.truth),
            dr=digests.get(facts.faced.follower),
            fix="Pin the image, and deploy it again.",
        )
    if running.not_comparable:
        why = f"of {running.not_comparable} of {running.containers} containers nobody knows whether they run that image"
        yield answers.unread(Unread(why=why), fix="Look into the images: lockstep sync images --verify.")


def _held(one: Container) -> dict[str, tuple[str, ...]]:
    return {site: (digest,) for site, digest in one.held.items()}


def _deployed(facts: Facts) -> Iterator[Said]:
    newest = {one.site: one for one in facts.deployed}
    truth, follower = (newest.get(site) for site in (facts.faced.truth, facts.faced.follower))
    if truth is None or follower is None:
        where = facts.faced.truth if truth is None else facts.faced.follower
        yield answers.unread(Unread(why=f"nothing is recorded of a deploy to {where}"), fix=_FIX)
        return
    shown: dict[str, Json] = {"primary": _shown(truth), "dr": _shown(follower)}
    bad = [one for one in (truth, follower) if one.state != "done"]
    for one in bad:
        yield Said(outcome=Outcome.FAIL, message=f"the deploy to {one.site} is {one.state}", fix=_FIX, **shown)
    if truth.revision != follower.revision:
        yield Said(outcome=Outcome.FAIL, message="the sites were deployed at different commits", fix=_FIX, **shown)
    elif not bad:
        yield _against_git(facts, truth, follower)


def _against_git(facts: Facts, truth: Deployed, follower: Deployed) -> Said:
    shown: dict[str, Json] = {"primary": _shown(truth), "dr": _shown(follower)}
    head = "" if isinstance(facts.desired, Unread) else facts.desired.revision
    if head and head != truth.revision:
        message = f"git is at {head[:_SHORT]}, which is not deployed yet"
        return Said(outcome=Outcome.WARN, severity=Severity.MAJOR, message=message, fix=_FIX, **shown)
    return answers.passed("the sites were deployed at the same commit", **shown)


def _shown(one: Deployed) -> dict[str, str]:
    return {"revision": one.revision[:_SHORT], "run": one.run, "state": one.state}
