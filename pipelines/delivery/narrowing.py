"""A deploy of a few objects as another site has them: what heals a standby, and when it may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lockstep import errors
from lockstep.store import deployments
from lockstep.topology import direction, kinds
from lockstep.values import Stance
from pipelines.delivery.world import World


def refusal(world: World, application: kinds.Application, places: Sequence[direction.Place]) -> str:
    """Why these sites may not be healed now, whatever was true when that was asked for; empty when they may."""
    stances = world.stances()
    for place in places:
        if place.role is direction.Role.TRUTH:
            return f"{place.site} is the truth, and nothing is healed there"
        for pair, _ in world.topology().pairs_of(application):
            stance = stances.get(pair.name, Stance.UNKNOWN)
            if place.site in (pair.spec.primary, pair.spec.standby) and stance is not Stance.NORMAL:
                return f"the pair {pair.name} is in the stance {stance.value}"
    return ""


def digests_like(world: World, application: kinds.Application, site: str, *, revision: str) -> Mapping[str, str]:
    """What every image means at a site that was deployed with this commit.

    Raises:
        InputError: It was deployed with another commit since.
    """
    with world.database.read() as connection:
        row = deployments.last(connection, application.name, site=site)
    if row is None or row.revision != revision:
        raise errors.InputError(
            f"{site} is not at {revision[:12]} any more.", remedy="Compare again; what still differs is healed then."
        )
    return row.images
