"""IMG-04: each image is there for the system and processor of every node of the follower that takes work."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers, nodes
from drift.checks.facts import Facts, Unread
from drift.checks.results import Outcome, Said

ID = "IMG-04"


def run(facts: Facts) -> Iterator[Said]:
    """Every image that none, or only some, of the follower's nodes could run."""
    gap = nodes.gap(facts.grounds.follower)
    if gap is not None:
        yield answers.unread(gap)
        return
    if isinstance(facts.images, Unread):
        yield answers.unread(facts.images)
        return
    wanted = {nodes.platform(node) for node in nodes.taking(facts.grounds.follower)}
    if not wanted:
        yield Said(outcome=Outcome.FAIL, message="no node of DR takes work", fix="Bring its nodes back.")
        return
    found = []
    for (repository, digest), stock in sorted(facts.images.stock.items()):
        name = f"{repository}@{digest}"
        if isinstance(stock, Unread) or (stock.present and stock.platforms is None):
            why = stock.why if isinstance(stock, Unread) else "nobody says for which platforms it is"
            found.append(Said(outcome=answers.unread(Unread(why=why)).outcome, message=why, object=name))
        elif stock.present and (lacking := wanted - (stock.platforms or frozenset())):
            # A scheduler could still place it on the others, if somebody tells it to.
            outcome = Outcome.FAIL if lacking == wanted else Outcome.WARN
            message = f"it is not there for {', '.join(sorted(lacking))}"
            fix = "Build and mirror it for these platforms."
            found.append(Said(outcome=outcome, message=message, object=name, dr=sorted(wanted), fix=fix))
    yield from answers.listed(found)
    if not found:
        yield answers.passed("every image is for the nodes that are there", dr=sorted(wanted))
