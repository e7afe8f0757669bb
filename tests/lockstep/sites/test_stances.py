"""A pair's stance, kept here and at both sites."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.clock import SystemClock
from lockstep.sites import ends, stances
from lockstep.sites.directory import DirectoryCluster
from lockstep.store import stances as stored
from lockstep.store.database import Database
from lockstep.topology.model import Topology
from lockstep.topology.stances import Record
from lockstep.values import Stance
from tests.support import topologies

SWITCH = Record(
    stance=Stance.SWITCHED, generation=0, reason="fire in seoul-dc1", by="kim", at=datetime(2026, 11, 22, tzinfo=UTC)
)


class Sites:
    """Directory clusters, of which some are out of reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gone: set[str] = set()
        for site in ("seoul", "sejong"):
            (folder / site).mkdir(parents=True)

    def marks(self, site: str) -> ends.Cluster:
        """A site's directory, or one that is not mounted."""
        return DirectoryCluster(root=self.folder / ("unmounted" if site in self.gone else site))


@pytest.fixture
def sites(tmp_path: Path) -> Sites:
    """Two sites, both there."""
    return Sites(tmp_path / "sites")


@pytest.fixture
def topology() -> Topology:
    """One pair."""
    return topologies.topology(("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}))


def in_force(database: Database) -> Stance:
    """What the store says."""
    with database.read() as connection:
        return stored.in_force(connection, ["seoul-sejong"])["seoul-sejong"]


def test_a_pair_is_unknown_until_every_place_was_asked(
    file_database: Database, sites: Sites, topology: Topology
) -> None:
    """An empty store says unknown; once both sites answered that they remember nothing, it says normal."""
    assert in_force(file_database) is Stance.UNKNOWN
    sites.gone.add("sejong")
    stances.reconcile(file_database, sites, topology, SystemClock())
    assert in_force(file_database) is Stance.UNKNOWN
    sites.gone.clear()
    stances.reconcile(file_database, sites, topology, SystemClock())
    assert in_force(file_database) is Stance.NORMAL


def test_a_switch_is_known_to_an_instance_that_starts_with_nothing(
    file_database: Database, sites: Sites, topology: Topology
) -> None:
    """What was set through one instance is found at the standby by another, while the primary is gone."""
    pair = topology.pair("seoul-sejong")
    written = stances.set_stance(file_database, sites, pair, wanted=SWITCH)
    assert written.record.generation == 1
    assert written.untold == {}
    with file_database.write() as connection:
        connection.exec_driver_sql("DELETE FROM stances")
    sites.gone.add("seoul")
    stances.reconcile(file_database, sites, topology, SystemClock())
    assert in_force(file_database) is Stance.SWITCHED


def test_a_site_that_was_away_is_told_later(file_database: Database, sites: Sites, topology: Topology) -> None:
    """The primary learns of the switch when it is back."""
    pair = topology.pair("seoul-sejong")
    sites.gone.add("seoul")
    written = stances.set_stance(file_database, sites, pair, wanted=SWITCH)
    assert list(written.untold) == ["seoul"]
    sites.gone.clear()
    assert stances.look(file_database, sites, pair).behind == ("seoul",)
    stances.reconcile(file_database, sites, topology, SystemClock())
    assert stances.look(file_database, sites, pair).behind == ()


def test_a_damaged_record_at_a_site_is_not_taken_for_none(
    file_database: Database, sites: Sites, topology: Topology
) -> None:
    """Somebody edited the ConfigMap: the site counts as one that could not be asked."""
    pair = topology.pair("seoul-sejong")
    stances.set_stance(file_database, sites, pair, wanted=SWITCH)
    with file_database.write() as connection:
        connection.exec_driver_sql("DELETE FROM stances")
    for site in ("seoul", "sejong"):
        (file,) = (sites.folder / site).rglob("stance.seoul-sejong.yaml")
        file.write_text(file.read_text().replace("switched", "swiched"))
    agreed = stances.look(file_database, sites, pair)
    assert agreed.stance is Stance.UNKNOWN
    assert "damaged" in agreed.problem


def test_a_stance_that_was_set_twice_holds_everything_until_a_person_says(
    file_database: Database, sites: Sites, topology: Topology
) -> None:
    """Two instances, each cut off with one site, set different stances; neither wins by accident."""
    pair = topology.pair("seoul-sejong")
    stances.set_stance(file_database, sites, pair, wanted=SWITCH)
    (file,) = (sites.folder / "seoul").rglob("stance.seoul-sejong.yaml")
    file.write_text(file.read_text().replace("switched", "normal"))
    for _ in range(2):
        stances.reconcile(file_database, sites, topology, SystemClock())
        assert in_force(file_database) is Stance.UNKNOWN
    stances.set_stance(file_database, sites, pair, wanted=SWITCH)
    stances.reconcile(file_database, sites, topology, SystemClock())
    assert in_force(file_database) is Stance.SWITCHED


def test_each_change_counts_one_generation_up(file_database: Database, sites: Sites, topology: Topology) -> None:
    """A stance that is set again is newer than every place remembers."""
    pair = topology.pair("seoul-sejong")
    stances.set_stance(file_database, sites, pair, wanted=SWITCH)
    back = stances.set_stance(file_database, sites, pair, wanted=replace(SWITCH, stance=Stance.RETURNING))
    assert back.record.generation == 2
    with file_database.write() as connection, pytest.raises(errors.ConflictError):
        stored.append(connection, pair.name, replace(SWITCH, generation=2))
