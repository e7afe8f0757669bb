"""The stance of each pair, brought together from the store and both sites, and set by a person.

Reading is cheap and happens from the store; this module is what keeps the store right: at start, on a
schedule, and when a person changes a stance. A stance that nobody can tell is not recorded, so that it stays
unknown and holds both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lockstep import errors
from lockstep.clock import Clock
from lockstep.sites import ends, marks
from lockstep.store import stances as stored
from lockstep.store.database import Database
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.topology.stances import Agreed, Record, Remembered, agree
from lockstep.values import Stance

STORE = "the store"


class Places(Protocol):
    """Where sites remember."""

    def marks(self, site: str) -> ends.Cluster:
        """The place at a site. Raises UnsupportedError when it has none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A change of stance: the record in force, and the sites that could not be told yet, each with why."""

    record: Record
    untold: Mapping[str, str]


def look(database: Database, places: Places, pair: kinds.Pair) -> Agreed:
    """What all places together remember of a pair."""
    with database.read() as connection:
        here = Remembered(place=STORE, record=stored.newest(connection, pair.name))
    return agree((here, *(_at_site(places, site, pair.name) for site in (pair.spec.primary, pair.spec.standby))))


def reconcile(database: Database, places: Places, topology: Topology, clock: Clock) -> dict[str, Agreed]:
    """Bring every pair's stance together: into the store, and to the sites that remember something older.

    A site that cannot be told now is told at the next pass.
    """
    return {pair.name: _reconcile(database, places, pair, clock) for pair in topology.pairs.values()}


def _reconcile(database: Database, places: Places, pair: kinds.Pair, clock: Clock) -> Agreed:
    agreed = look(database, places, pair)
    record = agreed.record
    if record is None and agreed.stance is Stance.NORMAL:
        record = Record(
            stance=Stance.NORMAL, generation=0, reason="no place remembers another", by="lockstep", at=clock.now()
        )
    if agreed.contested:
        # Remembered here only, so that everything is held until a person says which of the two is meant.
        record = Record(
            stance=Stance.UNKNOWN,
            generation=agreed.contested + 1,
            reason=agreed.problem,
            by="lockstep",
            at=clock.now(),
        )
    if record is None:
        return agreed
    with database.write() as connection:
        known = stored.newest(connection, pair.name)
        if known is None or known.generation < record.generation:
            stored.append(connection, pair.name, record)
    if record.generation and record.stance is not Stance.UNKNOWN:
        _tell(places, pair.name, record, [site for site in agreed.behind if site != STORE])
    return agreed


def set_stance(database: Database, places: Places, pair: kinds.Pair, *, wanted: Record) -> Written:
    """Put a new stance in force, here first and then at both sites.

    ``wanted.generation`` is ignored: the change counts one up from the newest that any place remembers.

    Raises:
        ConflictError: Somebody else changed it at the same moment.
    """
    newest = look(database, places, pair).record
    with database.write() as connection:
        here = stored.newest(connection, pair.name)
        generation = max(newest.generation if newest else 0, here.generation if here else 0) + 1
        record = Record(stance=wanted.stance, generation=generation, reason=wanted.reason, by=wanted.by, at=wanted.at)
        stored.append(connection, pair.name, record)
    return Written(record=record, untold=_tell(places, pair.name, record, [pair.spec.primary, pair.spec.standby]))


def _at_site(places: Places, site: str, pair: str) -> Remembered:
    try:
        cluster = places.marks(site)
    except errors.UnsupportedError:
        # A site that cannot remember has nothing to say, and holds nothing up.
        return Remembered(place=site, record=None)
    return marks.read_stance(cluster, pair, site=site)


def _tell(places: Places, pair: str, record: Record, sites: list[str]) -> dict[str, str]:
    untold = {}
    for site in sites:
        try:
            marks.write_stance(places.marks(site), pair, record)
        except errors.LockstepError as error:
            untold[site] = error.message
    return untold
