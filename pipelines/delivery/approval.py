"""``Approval`` of a run that delivers an application: the question shows what would be done at every site.

It is bound to the commit, the digest of every image, the plan of all sites and what the plan would destroy. A
deploy that finds any of these changed asks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lockstep.values import Json
from pipelines import approval
from pipelines.delivery import built
from pipelines.delivery.prepare import Whole, prepare
from pipelines.delivery.world import World
from pipelines.tasks import Context, Outcome, Waiting


class Approval:
    """Asks a person, who sees the plan."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plain = approval.Approval()

    def run(self, context: Context) -> Outcome:
        """Ask, or hand on what was answered."""
        outcome = self._plain.run(context)
        if not isinstance(outcome, Waiting) or not context.run.application:
            return outcome
        world = self._world
        application = world.application(context.run.application)
        whole = prepare(world, application, revision=context.run.revision, built=built.digests_of(context))
        for line in lines(whole):
            context.log(line)
        return replace(outcome, bound=whole.bound(), detail={"sites": sites(whole)})


def sites(whole: Whole) -> Mapping[str, Json]:
    """What a person is shown of each site."""
    return {one.place.site: one.as_json() for one in whole.sites}


def lines(whole: Whole) -> list[str]:
    """The plan of each site, as lines of a log."""
    found = []
    for one in whole.sites:
        said = one.problem or (f"held: {one.held}" if one.held else "")
        found += one.described if not said else [f"{whole.application.name} at {one.place.site}: {said}"]
    return found
