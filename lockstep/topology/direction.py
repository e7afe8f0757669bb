"""Which way a pair faces: who is the truth, who follows, and what must not be written to now.

The stance of a pair is state; every sweep, deploy and mirror asks here, and nobody writes a direction down
as a constant. The law: in any stance but ``normal`` nothing is pruned, healed, scaled to a floor or mirrored
towards the site that is now the truth. A drill treats the standby as if it were: it is being exercised, and
a sweep in the middle would undo what is being proved. A stance that nobody could tell holds both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import Stance, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """How a pair faces now: ``truth`` runs the applications, ``follower`` protects them, ``held`` is not written to."""

    pair: str
    stance: Stance
    truth: str
    follower: str
    held: frozenset[str]

    def told(self, site: str) -> str:
        """Why nothing is mirrored towards a held site, with where to look."""
        said = f"{self.pair} is in the stance {self.stance.value}: nothing is written towards {site}."
        return f"{said} See lockstep pair show {self.pair}."


def direction_of(pair: kinds.Pair, stance: Stance) -> Direction:
    """How a pair faces in a stance."""
    primary, standby = pair.spec.primary, pair.spec.standby
    switched = stance in (Stance.SWITCHED, Stance.RETURNING)
    held = {
        Stance.NORMAL: frozenset[str](),
        Stance.UNKNOWN: frozenset({primary, standby}),
    }.get(stance, frozenset({standby}))
    return Direction(
        pair=pair.name,
        stance=stance,
        truth=standby if switched else primary,
        follower=primary if switched else standby,
        held=held,
    )


class Role(Enum):
    """What a site is for an application."""

    TRUTH = "truth"
    FOLLOWER = "follower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site as a place for one application: its role, how it is protected there, and what holds writes to it.

    ``protection`` is None for the truth. ``held_by`` names the pairs (with their stances) that hold it; empty
    when it may be written to. Nothing is pruned for the sake of those in ``spared_by``.
    """

    site: str
    role: Role
    protection: kinds.Protection | None
    held_by: tuple[Direction, ...] = ()
    spared_by: tuple[Direction, ...] = ()

    def named(self) -> Place:
        """The place as it is for a person who names it in a deploy.

        A standby that has become the truth has to be started: it may be deployed to, and nothing is pruned there. A
        drill, and a stance that nobody knows, hold it all the same.
        """
        over = all(held.truth == self.site and held.stance is not Stance.UNKNOWN for held in self.held_by)
        return replace(self, held_by=(), spared_by=self.held_by) if over else self

    @property
    def tier(self) -> Tier | None:
        """The tier of the application here; None for the truth."""
        return self.protection.tier if self.protection else None


def places_of(topology: Topology, application: kinds.Application, stances: Mapping[str, Stance]) -> tuple[Place, ...]:
    """The sites of an application as places, those that are the truth first.

    A site that is the truth in one pair and follows in another is the truth: a chain must not scale down the
    middle of it. A pair without an entry in ``stances`` is unknown.
    """
    directions = [
        (direction_of(pair, stances.get(pair.name, Stance.UNKNOWN)), protection)
        for pair, protection in topology.pairs_of(application)
    ]
    truths = dict.fromkeys(direction.truth for direction, _ in directions)
    followers = {
        direction.follower: protection
        for direction, protection in reversed(directions)
        if direction.follower not in truths
    }
    ordered = [*truths, *(site for site in topology.sites_of(application) if site in followers)]
    return tuple(
        Place(
            site=site,
            role=Role.TRUTH if site in truths else Role.FOLLOWER,
            protection=followers.get(site),
            held_by=tuple(direction for direction, _ in directions if site in direction.held),
        )
        for site in ordered
    )


def mirror_holds(
    topology: Topology,
    sites: Iterable[str],
    stances: Mapping[str, Stance],
    *,
    applications: Iterable[str],
) -> dict[str, Direction]:
    """Of some sites, those that must not be mirrored to now, with the pair that holds each.

    ``applications`` are those that use what is mirrored: the pairs that protect them decide, so that a drill
    of one pair does not stop the mirrors of the others at a shared standby. What no application uses could
    be needed by any: then every pair decides.
    """
    users = [topology.applications[name] for name in applications]
    pairs = {pair.name: pair for user in users for pair, _ in topology.pairs_of(user)} or topology.pairs
    holds: dict[str, Direction] = {}
    for pair in pairs.values():
        direction = direction_of(pair, stances.get(pair.name, Stance.UNKNOWN))
        for site in sites:
            if site in direction.held:
                holds.setdefault(site, direction)
    return holds
