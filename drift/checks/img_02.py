"""IMG-02: every manifest, configuration and layer of each image is at the follower's registry, not only its name."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Facts, Unread
from drift.checks.results import Outcome, Said

ID = "IMG-02"
_MOST_NAMED = 5


def run(facts: Facts) -> Iterator[Said]:
    """Every image of which something is missing, or of which nobody could say."""
    if isinstance(facts.images, Unread):
        yield answers.unread(facts.images)
        return
    found: list[Said] = []
    blobs = 0
    for (repository, digest), stock in sorted(facts.images.stock.items()):
        name = f"{repository}@{digest}"
        if isinstance(stock, Unread):
            said = answers.unread(stock)
            found.append(Said(outcome=said.outcome, message=said.message, object=name))
        elif not stock.present:
            message = f"the image {name} is not at {facts.faced.follower}"
            found.append(
                Said(outcome=Outcome.FAIL, message=message, object=name, fix="Mirror it: lockstep sync images.")
            )
        elif stock.missing:
            named = ", ".join(stock.missing[:_MOST_NAMED])
            found.append(
                Said(
                    outcome=Outcome.FAIL,
                    message=f"{len(stock.missing)} of {stock.blobs + stock.manifests} parts are missing: {named}",
                    object=name,
                    dr=list(stock.missing[:_MOST_NAMED]),
                    fix=f"Mirror it whole again: lockstep sync images {repository} --verify.",
                )
            )
        else:
            blobs += stock.blobs
    yield from answers.listed(found)
    if not found:
        yield answers.passed("every part of every image is there", dr=blobs)
