"""TPG-01: the two sites share no region, building or power line, as far as their labels say."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Unread, Whole
from drift.checks.results import Outcome, Said

ID = "TPG-01"
DOMAINS = ("region", "building", "power")
"""Labels of a Site that name what fails as one."""


def run(whole: Whole) -> Iterator[Said]:
    """Every label that both sites have alike."""
    truth, follower = whole.grounds.truth.labels, whole.grounds.follower.labels
    known = [name for name in DOMAINS if truth.get(name) and follower.get(name)]
    if not known:
        why = "the sites have no label in common among region, building and power"
        yield answers.unread(Unread(why=why, impossible=True))
        return
    shared = [name for name in known if truth[name] == follower[name]]
    for name in shared:
        yield Said(
            outcome=Outcome.FAIL,
            message=f"both sites have the same {name}",
            path=name,
            primary=truth[name],
            dr=follower[name],
            fix="Choose a standby that does not fail together with its primary.",
        )
    if not shared:
        shown = [{name: labels[name] for name in known} for labels in (truth, follower)]
        yield answers.passed("the sites share no failure domain", primary=shown[0], dr=shown[1])
