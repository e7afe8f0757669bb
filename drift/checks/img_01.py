"""IMG-01: every image that git, the truth or the follower names is at the follower's registry, by digest."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Facts, Image, Images, Unread
from drift.checks.results import Outcome, Said
from lockstep.values import Json

ID = "IMG-01"
_FIX = "Mirror it: lockstep sync images."


def run(facts: Facts) -> Iterator[Said]:
    """Every image that is not there, or that nobody could ask for."""
    if isinstance(facts.images, Unread):
        yield answers.unread(facts.images)
        return
    found = [said for image in facts.images.named if (said := _said(facts, facts.images, image)) is not None]
    yield from answers.listed(found)
    if not found:
        yield answers.passed("every image is there", dr=len(facts.images.stock))


def _said(facts: Facts, images: Images, image: Image) -> Said | None:
    place: dict[str, Json] = {"object": image.object, "path": image.container, "primary": image.written}
    if image.registry != "own":
        # What nobody mirrors the application may allow: then a person knows of it.
        allowed = facts.application.spec.unmirrored == "warn" and image.registry == "foreign"
        message = f"no mirror brings {image.written} to {facts.faced.follower}"
        fix = "Name it in the application's images, and mirror it."
        return Said(outcome=Outcome.WARN if allowed else Outcome.FAIL, message=message, fix=fix, **place)
    if not image.digest:
        message = f"{image.written} is not pinned by a digest"
        return Said(outcome=Outcome.FAIL, message=message, fix="Deploy it again: a deploy pins it.", **place)
    stock = images.stock.get((image.repository, image.digest), Unread(why="there were too many images to ask for"))
    if isinstance(stock, Unread):
        said = answers.unread(stock)
        return Said(outcome=said.outcome, message=said.message, **place)
    if stock.present:
        return None
    message = f"the image {image.repository}@{image.digest} is not at {facts.faced.follower}"
    return Said(outcome=Outcome.FAIL, message=message, fix=_FIX, **place)
