"""How far sites are behind, and whether that is more than may be lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lockstep import errors
from lockstep.store import triggers
from lockstep.store.database import Database
from sync.git import Request, run
from sync.lag import Lag, rpo_of
from tests.support.mirrored import SITES, Closed, World
from tests.support.topologies import topology

MAIN = "refs/heads/main"


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """Three sites that are equal."""
    made = World(tmp_path, file_database)
    made.walk()
    made.clock.pass_minutes(1)
    return made


def _lag(world: World, site: str) -> Lag:
    return run(world.context, Request(dry_run=True), name="bank/pay").lags["bank/pay", site]


def test_the_lag_runs_from_the_push_until_it_was_verified(world: World) -> None:
    """From what the forge told us, not from when we came to look; and it stays until the next push."""
    world.clock.pass_minutes(1)
    world.source.commit(MAIN, {"README": "newer"})
    with world.database.write() as connection:
        triggers.push(connection, "bank/pay", [MAIN], at=world.clock.now())
    world.clock.pass_minutes(3)
    world.walk()
    world.clock.pass_minutes(60)
    world.walk()
    assert _lag(world, "sejong") == Lag(behind=timedelta(0), last=timedelta(minutes=3), rpo=timedelta(days=1))


def test_a_push_that_was_seen_already_makes_nothing_older(world: World) -> None:
    """What was told before we asked the last time does not count for what changed since."""
    with world.database.write() as connection:
        triggers.push(connection, "bank/pay", [MAIN], at=world.clock.now())
    world.walk()
    world.clock.pass_minutes(30)
    world.source.commit(MAIN, {"README": "newer"})
    world.walk()
    assert _lag(world, "sejong").last == timedelta(0)


def test_a_site_that_was_away_has_the_lag_of_the_oldest_push_that_it_missed(world: World) -> None:
    """And while it is away it is behind, each minute more."""
    world.doors.instead["sejong"] = Closed(errors.UnreachableError("down"))
    for minutes in (10, 20):
        world.source.commit(MAIN, {"README": str(minutes)})
        world.walk()
        world.clock.pass_minutes(minutes)
    world.walk()
    assert _lag(world, "sejong").behind == timedelta(minutes=30)
    assert _lag(world, "daegu").behind == timedelta(0)
    del world.doors.instead["sejong"]
    world.walk()
    assert (_lag(world, "sejong").last, _lag(world, "sejong").behind) == (timedelta(minutes=30), timedelta(0))


def test_what_is_behind_for_longer_than_the_pair_allows_is_said(world: World) -> None:
    """The tier's objective where the owner set none; the primary has none."""
    world.doors.instead["sejong"] = Closed(errors.UnreachableError("down"))
    world.source.commit(MAIN, {"README": "newer"})
    world.walk()
    world.clock.pass_minutes(24 * 60)
    assert (str(_lag(world, "sejong")), _lag(world, "sejong").beyond) == ("1d behind of 1d", False)
    world.clock.pass_minutes(1)
    assert (str(_lag(world, "sejong")), _lag(world, "sejong").beyond) == ("1d1m behind of 1d, beyond", True)
    report: Any = run(world.context, Request(dry_run=True), name="bank/pay").as_json()
    lags = {one["site"]: one["lag"] for one in report["sites"]}
    assert lags["sejong"] == {"behindSeconds": 86460.0, "lastSeconds": 0.0, "rpoSeconds": 86400.0, "beyond": True}
    assert {lags[site]["rpoSeconds"] for site in SITES if site != "sejong"} == {None}


def test_the_strictest_objective_of_those_who_use_a_repository_counts() -> None:
    """At the standby of each pair; somebody else's repository has none."""

    def application(rpo: str) -> dict[str, object]:
        protection = {"pair": {"tier": "hot", "rpo": rpo, "basis": "a rule"}}
        return {"source": {"repository": "bank/pay"}, "namespace": "pay", "protection": protection}

    made = topology(
        ("Site", "seoul", {"git": {"directory": "seoul"}}),
        ("Site", "sejong", {"git": {"directory": "sejong"}}),
        ("Pair", "pair", {"primary": "seoul", "standby": "sejong"}),
        ("Application", "pay", application("1h")),
        ("Application", "settle", application("10m")),
    )
    assert rpo_of(made, "bank/pay", "sejong") == timedelta(minutes=10)
    assert rpo_of(made, "bank/pay", "seoul") is None
    assert rpo_of(made, "other", "sejong") is None
