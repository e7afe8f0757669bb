"""IMG-06: the follower pulls from its own registry: the truth's will be gone when it matters."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Facts, Unread
from drift.checks.results import Outcome, Said
from lockstep.values import Json

ID = "IMG-06"


def run(facts: Facts) -> Iterator[Said]:
    """Every reference that the follower would resolve at somebody else's registry."""
    if isinstance(facts.images, Unread):
        yield answers.unread(facts.images)
        return
    problems = () if isinstance(facts.desired, Unread) else facts.desired.problems
    found = [Said(outcome=Outcome.FAIL, message=problem, fix="Correct it in git.") for problem in problems]
    for image in facts.images.named:
        if image.where in ("primary", "running") or image.registry == "own":
            continue
        place: dict[str, Json] = {"object": image.object, "path": image.container, "dr": image.written}
        if image.registry == "other":
            message = f"it would be pulled from {image.other_site}"
            fix = "Deploy it to DR again: a deploy writes the site's own prefix."
            found.append(Said(outcome=Outcome.FAIL, message=message, fix=fix, **place))
        else:
            message = "it would be pulled from a registry that belongs to no site"
            fix = "Name it in the application's images, and mirror it."
            found.append(Said(outcome=Outcome.WARN, message=message, fix=fix, **place))
    yield from answers.listed(found)
    if not found:
        yield answers.passed("every image is pulled from DR's own registry")
