"""When a drill of a pair ended well: a run that drilled this pair, and no other."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from drift.gathering import drills
from lockstep.store import stances, tables
from lockstep.store.database import Database
from lockstep.topology.model import Topology
from lockstep.topology.stances import Record
from lockstep.values import Json, Stance
from tests.support import topologies
from tests.support.times import Clock

NOW = Clock().now()


def _topology() -> Topology:
    """Two pairs that share a drill's pipeline."""
    sites = [("Site", name, {"cluster": {"directory": name}}) for name in ("seoul", "sejong", "daegu")]
    pairs = [(f"seoul-{site}", site) for site in ("sejong", "daegu")]
    return topologies.topology(
        *sites,
        *(("Pair", name, {"primary": "seoul", "standby": site}) for name, site in pairs),
        *(("Drill", f"drill-{site}", {"pair": name, "pipeline": "rehearse", "every": "30d"}) for name, site in pairs),
        directory=Path("/configuration"),
    )


def _ran(database: Database, days_ago: int, *, status: str = "True", **params: str) -> datetime:
    """A run of the pipeline that took an hour; when it ended."""
    ended = NOW - timedelta(days=days_ago)
    given: Json = {"run": {"spec": {"params": [{"name": name, "value": value} for name, value in params.items()]}}}
    with database.write() as connection:
        connection.execute(
            tables.runs.insert().values(
                name=f"run-{days_ago}-{len(params)}",
                pipeline="rehearse",
                snapshot=given,
                cause={},
                state="ended",
                status=status,
                reason="Done",
                created_at=ended - timedelta(hours=1),
                started_at=ended - timedelta(hours=1),
                ended_at=ended,
            )
        )
    return ended


def _stance(database: Database, generation: int, stance: Stance, days_ago: int) -> None:
    record = Record(stance=stance, generation=generation, reason="", by="kim", at=NOW - timedelta(days=days_ago))
    with database.write() as connection:
        stances.append(connection, "seoul-sejong", record)


def _last(database: Database, pair: str) -> datetime | None:
    topology = _topology()
    with database.read() as connection:
        every, at = drills.last(connection, topology, topology.pair(pair))
    assert every == timedelta(days=30)
    return at


@pytest.mark.parametrize("params", [{"pair": "seoul-sejong"}, {"drill": "drill-sejong"}])
def test_a_run_is_a_drill_of_the_pair_that_it_names(database: Database, params: dict[str, str]) -> None:
    """And not of another that has the same pipeline; one that failed is no drill."""
    ended = _ran(database, 3, **params)
    _ran(database, 1, status="False", **params)
    _ran(database, 2, pair="somewhere-else")
    assert (_last(database, "seoul-sejong"), _last(database, "seoul-daegu")) == (ended, None)


def test_a_run_that_names_nothing_is_a_drill_of_the_pair_whose_stance_it_was(database: Database) -> None:
    """Before, after and elsewhere it is any run of that pipeline."""
    _stance(database, 1, Stance.NORMAL, 30)
    _stance(database, 2, Stance.DRILL, 20)
    _stance(database, 3, Stance.NORMAL, 10)
    _ran(database, 25)
    ended = _ran(database, 15)
    _ran(database, 5)
    assert (_last(database, "seoul-sejong"), _last(database, "seoul-daegu")) == (ended, None)
