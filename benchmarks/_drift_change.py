"""One change among many objects: what comparing it and storing what was found take, and a storm of changes.

Times are of the processor: what the disk and whatever else the machine does take is not counted.
"""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import _drift_objects as objects
from drift import scan
from lockstep import work
from lockstep.store import migrate
from lockstep.store.database import open_database
from lockstep.values import Json
from tests.drift.telling import SITES, World

_CHANGES = 200
_STORM = 5_000


def run(sizes: tuple[int, ...]) -> None:
    """Print milliseconds for so many objects at both sites together."""
    print("\nA change among so many objects: our work until it is compared, and until it is stored (SQLite)")
    columns = ("objects", "compared", "p95", "stored", "p95", "both", "storm", "objects/s")
    print("".join(f"{name:>12}" for name in columns))
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            world = _world(Path(folder), size)
            compared, stored = zip(*(_changed(world, number, size) for number in range(_CHANGES)), strict=True)
            storm = min(_STORM, size // 2)
            seconds = _storm(world, storm)
        both = statistics.median(compared) + statistics.median(stored)
        cells = [
            *_figures(compared),
            *_figures(stored),
            f"{both * 1000:.2f} ms",
            f"{storm:,}",
            f"{storm / seconds:,.0f}",
        ]
        print("".join(f"{cell:>12}" for cell in (f"{size:,}", *cells)))


def _world(folder: Path, size: int) -> World:
    """Both sites as git wants them, but for the objects of the second one that are always others; compared."""
    database = open_database(f"sqlite:///{folder / 'state.db'}")
    migrate.upgrade(database)
    world = World.make(folder, database)
    each = size // len(SITES)
    world.git.commits["one"] = [objects.manifest(number, namespace="shop") for number in range(each)]
    for site in SITES:
        for number in range(each):
            world.put(site, objects.manifest(number, site, namespace="shop"))
    world.told()
    return world


def _changed(world: World, number: int, size: int) -> tuple[float, float]:
    """Change an object at a site, there and back by turns. Seconds of the processor for comparing, and for storing."""
    at = (number // 2 * 37) % (size // 2)
    made = objects.manifest(at, SITES[0], namespace="shop")
    if number % 2 == 0:
        made = _other(made)
    world.put(SITES[0], made)
    world.clock.pass_seconds(1)
    job = work.scan("shop", told=True)
    claim = work.Claim(id=1, kind=job.kind, payload=job.payload, fence="f", attempt=1, crashes=0)
    began = time.process_time()
    outcome = scan.handle_scan(world.scanning, claim)
    compared = time.process_time()
    assert isinstance(outcome, work.Done)
    assert outcome.effects
    with world.scanning.database.write() as connection:
        for effect in outcome.effects:
            effect(connection)
    return compared - began, time.process_time() - compared


def _other(manifest: dict[str, Json]) -> dict[str, Json]:
    made = copy.deepcopy(manifest)
    made["metadata"]["labels"]["app"] = "changed by hand"
    return made


def _storm(world: World, count: int) -> float:
    """So many objects change at once. Seconds of the processor until all of it is stored."""
    for number in range(count):
        world.put(SITES[1], _other(objects.manifest(number, SITES[1], namespace="shop")))
    began = time.process_time()
    world.told()
    return time.process_time() - began


def _figures(seconds: tuple[float, ...]) -> Iterator[str]:
    yield f"{statistics.median(seconds) * 1000:.2f} ms"
    yield f"{statistics.quantiles(seconds, n=20)[-1] * 1000:.2f} ms"
