"""One process of Lockstep, put together: configuration, database, doors, engine.

The service and every command that acts are the same process with another face. What runs which job stands in
``console.wiring``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from lockstep import errors, settings
from lockstep.clock import Clock, SystemClock
from lockstep.engine.queue import Queue
from lockstep.sites.open import Doors, own_secrets
from lockstep.sites.renderings import Renderings
from lockstep.store import database as databases
from lockstep.store import instances, keys, migrate, stances
from lockstep.store.database import Database
from lockstep.topology.model import Topology
from lockstep.topology.secrets import Reader
from lockstep.topology.watch import Current
from lockstep.values import Stance

# A service announces itself every few seconds; after this it is taken for gone.
ALIVE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything that faces and handlers stand on."""

    settings: settings.Settings
    clock: Clock
    database: Database
    current: Current
    secrets: Reader
    doors: Doors
    renderings: Renderings
    queue: Queue
    keys: keys.Keys

    def topology(self) -> Topology:
        """The configuration in force."""
        return self.current.topology

    def stances(self) -> Mapping[str, Stance]:
        """The stance of every pair, as the store has it."""
        with self.database.read() as connection:
            return stances.in_force(connection, self.current.topology.pairs)

    def served_elsewhere(self) -> bool:
        """Whether a service is running on this database: then it does the work, and commands wait for it."""
        with self.database.read() as connection:
            return bool(instances.alive(connection, ALIVE))

    def key(self, name: str) -> str:
        """A secret of this installation, by name."""
        with self.database.write() as connection:
            return self.keys.get_or_create(connection, name)


@contextlib.contextmanager
def opened(chosen: settings.Settings, environ: Mapping[str, str]) -> Iterator[Runtime]:
    """Put a process together; its database is at the tables of this program, and given back at the end.

    Args:
        chosen: Settings, with where everything is.
        environ: The environment, for secrets that are referred to by variable.

    Raises:
        ConfigurationError: The configuration has problems.
        LockstepError: The database cannot be opened.
        InputError: There is no directory for the state, and it cannot be made.
    """
    clock = SystemClock()
    places = chosen.places
    current = Current(places.config, clock)
    _make(places.state)
    database = databases.open_database(places.database)
    try:
        migrate.upgrade(database)
        reader = Reader(places.config, environ, kubernetes=own_secrets(environ))
        doors = Doors(lambda: current.topology, reader=reader, places=places)
        with contextlib.closing(doors):
            yield Runtime(
                settings=chosen,
                clock=clock,
                database=database,
                current=current,
                secrets=reader,
                doors=doors,
                renderings=Renderings(doors, places=places),
                queue=Queue(database, working=chosen.working),
                keys=keys.Keys(places.key),
            )
    finally:
        database.close()


def _make(state: Path) -> None:
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise errors.InputError(
            f"The directory {state} cannot be made: {(error.strerror or 'unknown error').lower()}.",
            remedy="Name another one with --state, or let Lockstep's user write there.",
        ) from error
