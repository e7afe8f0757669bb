"""From a stored comparison to the run that heals, and what that run writes, on both databases."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep import errors, work
from lockstep.store import deployments, findings, healings, runs, scans, stances
from lockstep.store.database import Database, open_database
from lockstep.store.views import drift
from lockstep.topology.stances import Record
from lockstep.values import Json, ObjectKey, Stance, Verdict
from pipelines.healing import healing
from pipelines.tasks import Failed, Finished
from tests.pipelines.delivery.delivering import Call, Delivering, app
from tests.support.houses import House
from tests.support.topologies import topology

OBJECT = "Deployment.apps pay/web"


class Bank:
    """An application that heals itself, with a primary that was deployed."""

    def __init__(self, database: Database, folder: Path, **heal: Json) -> None:
        protection = {"seoul-sejong": {"tier": "hot", "heal": {"automatic": ["Deployment/*"], **heal}}}
        spec = {"source": {"repository": "bank/pay"}, "namespace": "pay", "protection": protection}
        self.topology = topology(
            ("Site", "seoul", {"cluster": {"directory": "x"}}),
            ("Site", "sejong", {"cluster": {"directory": "x"}}),
            ("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}),
            ("Application", "pay", spec),
        )
        self.house = House(database, folder)
        self.clock, self.database = self.house.clock, database
        self.context = healing.Healing(
            database=database, topology=lambda: self.topology, runs=self.house.runs, clock=self.clock
        )
        self.stance(Stance.NORMAL)
        now = self.clock.now()
        with database.write() as connection:
            for site in ("seoul", "sejong"):
                deployments.record(
                    connection,
                    deployments.Deployment(
                        application="pay", site=site, run="deploy-1", revision="c" * 40, images={"pay/api": "sha256:1"},
                        state="done", message="", objects=1, changed=1, deleted=0, started_at=now, ended_at=now,
                    ),
                )  # fmt: skip

    def stance(self, wanted: Stance) -> None:
        """Put a stance in force."""
        with self.database.write() as connection:
            known = stances.newest(connection, "seoul-sejong")
            record = Record(
                stance=wanted, generation=known.generation + 1 if known else 1, reason="t", by="t", at=self.clock.now()
            )
            stances.append(connection, "seoul-sejong", record)

    def scan(
        self, verdict: Verdict = Verdict.STANDBY_DRIFT, *, site: str = "sejong", there: bool = True, heal: bool = True
    ) -> None:
        """A comparison a minute later, and the job that follows it; ``there``: it finds something."""
        self.clock.pass_seconds(60)
        now = self.clock.now()
        seen = findings.Seen(
            key=ObjectKey(group="apps", kind="Deployment", namespace="pay", name="web"),
            verdict=verdict, site=site, path="/spec/replicas", people_path="spec.replicas", severity=0.8,
        )  # fmt: skip
        scan = scans.Scan(
            application="pay", pair="seoul-sejong", verdict=verdict, revision="c" * 40, stance="normal", coverage={},
            counts={}, problem="", objects=1, started_at=now, ended_at=now,
        )  # fmt: skip
        with self.database.write() as connection:
            findings.record(connection, scan, [seen] if there else [], hidden=lambda _key, _site: False)
        if heal:
            self.heal()

    def heal(self) -> None:
        """The job."""
        claim = work.Claim(id=1, kind=work.Kind.HEAL, payload={"application": "pay"}, fence="f", attempt=1, crashes=0)
        outcome = healing.handle_heal(self.context, claim)
        assert isinstance(outcome, work.Done)
        with self.database.write() as connection:
            for effect in outcome.effects:
                effect(connection)

    def end_runs(self) -> None:
        """Whatever runs has ended."""
        with self.database.write() as connection:
            for run in runs.unended(connection):
                runs.change(connection, run.id, state="ended", status="True", reason="Succeeded")

    def healed(self) -> list[healings.Healing]:
        """What was healed."""
        with self.database.read() as connection:
            return healings.newest(connection)

    def params(self, run: str) -> dict[str, Any]:
        """The params of a run's one task."""
        with self.database.read() as connection:
            taken = runs.snapshot(connection, runs.named(connection, run).id)
        task = _tasks(taken)[0]
        return {param["name"]: param["value"] for param in task["params"]}

    def finding(self) -> drift.Finding:
        """The one finding."""
        with self.database.read() as connection:
            (found,) = drift.page(connection, drift.Filter(state="unresolved"))
        return found


def _tasks(value: Json) -> list[Json]:
    """The tasks in a snapshot, wherever they stand."""
    if isinstance(value, dict):
        if isinstance(value.get("tasks"), list):
            return list(value["tasks"])
        return [task for item in value.values() for task in _tasks(item)]
    return [task for item in value for task in _tasks(item)] if isinstance(value, list) else []


@pytest.fixture
def bank(database: Database, tmp_path: Path) -> Bank:
    """Everything is deployed."""
    return Bank(database, tmp_path)


def test_a_standby_that_drifts_is_healed_with_what_the_primary_has_and_written_down(bank: Bank) -> None:
    """One run, of this object, to the standby alone; with what and why."""
    bank.scan()
    (done,) = bank.healed()
    assert (done.objects, done.site, done.automatic, done.by) == ([OBJECT], "sejong", True, "lockstep")
    assert bank.params(done.run) == {"sites": ["sejong"], "like": "seoul", "objects": [OBJECT], "heals": [OBJECT]}
    bank.scan()
    assert len(bank.healed()) == 1, "a run that has not ended is waited for"


def test_what_comes_and_goes_is_not_healed_while_it_is_away(bank: Bank) -> None:
    """The finding is kept, and there is nothing to write."""
    for there in (True, False, True, False):
        bank.scan(there=there, heal=False)
    assert (bank.finding().state, bank.finding().away_at is None) == ("flapping", False)
    bank.heal()
    assert bank.healed() == []
    bank.scan()
    assert [one.objects for one in bank.healed()] == [[OBJECT]]


def test_a_fight_stops_it_until_a_person_lets_it_go_on(bank: Bank) -> None:
    """After three healings of one object; the stop is told, and ends by hand."""
    for _ in range(5):
        bank.scan()
        bank.end_runs()
    assert len(bank.healed()) == 3
    with bank.database.write() as connection:
        (stop,) = healings.stops(connection, "seoul-sejong", application="pay")
        assert (stop.by, OBJECT in stop.reason) == (healing.ITSELF, True)
        assert healings.go_on(connection, "seoul-sejong", "", by="kim", at=bank.clock.now()) == 1
    bank.clock.pass_seconds(timedelta(days=1).total_seconds())
    bank.scan()
    assert len(bank.healed()) == 4


def test_a_stop_of_one_application_or_of_the_pair_holds(bank: Bank) -> None:
    """And that of another application does not."""
    for application, count in (("other", 1), ("", 1)):
        stop = healings.Stop(pair="seoul-sejong", application=application, by="kim", reason="r", at=bank.clock.now())
        with bank.database.write() as connection:
            healings.stop(connection, stop)
        bank.scan()
        bank.end_runs()
        assert len(bank.healed()) == count


@pytest.mark.parametrize("stance", [stance for stance in Stance if stance is not Stance.NORMAL])
def test_nothing_is_healed_in_another_stance(bank: Bank, stance: Stance) -> None:
    """Neither by itself nor because somebody asks."""
    bank.stance(stance)
    bank.scan()
    assert bank.healed() == []
    with pytest.raises(errors.HeldError):
        healing.ask(bank.context, bank.finding(), by="kim")


def test_a_person_has_the_standby_deployed_whole(bank: Bank) -> None:
    """A normal deploy, at the revision and with the digests of the primary."""
    bank.scan(Verdict.STANDBY_BEHIND)
    bank.end_runs()
    run = healing.ask(bank.context, bank.finding(), by="kim")
    assert bank.params(run) == {"sites": ["sejong"], "like": "seoul", "heals": [OBJECT]}
    done = bank.healed()[0]
    assert (done.run, done.by, done.automatic, done.revision) == (run, "kim", False, "c" * 40)


def test_a_hot_fix_is_not_deployed_over(bank: Bank) -> None:
    """By nobody; the person is told what to do instead."""
    bank.scan(Verdict.PRIMARY_HOTFIX, site="seoul")
    assert bank.healed() == []
    with pytest.raises(errors.UnsupportedError, match="findings patch"):
        healing.ask(bank.context, bank.finding(), by="kim")


# --- what the run writes --------------------------------------------------------------------------


class Narrow(Call):
    """A call of the task with params."""

    def __init__(self, delivering: Delivering, revision: str, **params: Any) -> None:
        super().__init__(delivering, "heal-1", revision)
        self._params = params

    def context(self) -> Any:
        """With these params."""
        return replace(super().context(), params=self._params)


def config(name: str, value: str) -> dict[str, Json]:
    """A ConfigMap."""
    metadata = {"name": name, "namespace": "pay"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"x": value}}


def deployed(database: Database) -> Delivering:
    """Three sites with a Deployment and two ConfigMaps, and with one that git has no more."""
    made = Delivering(database, deletion={"most": "100%"})
    made.push("a" * 40, [*app("pay/api:1"), config("one", "1"), config("two", "1"), config("old", "1")])
    assert isinstance(made.deploy("a" * 40), Finished)
    return made


def test_a_healing_writes_its_objects_and_nothing_else(file_database: Database) -> None:
    """Other objects that differ stay, what git has no more is not deleted, and other sites are not touched."""
    made = deployed(file_database)
    for site in ("seoul", "sejong"):
        for name in ("one", "two"):
            made.servers[site].apply(config(name, "changed"))
    before = {site: dict(server.objects) for site, server in made.servers.items()}
    made.push("b" * 40, [*app("pay/api:1"), config("one", "2"), config("two", "2")])
    only = ("ConfigMap pay/one",)
    ended = Narrow(made, "b" * 40, sites=("sejong",), objects=only, heals=only).end()
    assert isinstance(ended, Finished), ended
    after = {key.name: value.get("data") for key, value in made.servers["sejong"].objects.items()}
    assert (after["one"], after["two"], after["old"]) == ({"x": "2"}, {"x": "changed"}, {"x": "1"})
    for site in ("seoul", "daegu"):
        assert made.servers[site].objects == before[site]


def test_a_healing_that_writes_nothing_is_no_success(file_database: Database) -> None:
    """What differs is not set in git: nobody is told that it was healed."""
    made = deployed(file_database)
    before = dict(made.servers["sejong"].objects)
    ended = Narrow(made, "a" * 40, sites=("sejong",), heals=("ConfigMap pay/one",)).end()
    assert isinstance(ended, Failed)
    assert (ended.reason, "nothing was written" in ended.message) == ("NothingWritten", True)
    assert made.servers["sejong"].objects == before


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(Stance),
    st.sampled_from(["seoul", "sejong", ""]),
    st.sets(st.sampled_from(["ConfigMap pay/one", "ConfigMap pay/two", "Deployment.apps pay/api"]), min_size=1),
)
def test_a_healing_never_writes_to_the_primary_and_never_in_another_stance(
    tmp_path: Path, sqlite_template: Path, stance: Stance, site: str, objects: set[str]
) -> None:
    """Whatever was decided before: the run looks again."""
    file = tmp_path / f"{uuid.uuid4().hex}.db"
    shutil.copy(sqlite_template, file)
    database = open_database(f"sqlite:///{file}")
    made = deployed(database)
    for server in made.servers.values():
        server.apply(config("one", "changed"))
    made.stances["seoul-sejong"] = stance
    before = {name: dict(server.objects) for name, server in made.servers.items()}
    ended = Narrow(made, "a" * 40, sites=(site,) if site else (), objects=tuple(sorted(objects))).end()
    assert made.servers["seoul"].objects == before["seoul"]
    if site != "sejong" or stance is not Stance.NORMAL:
        assert isinstance(ended, Failed)
        assert ended.reason == "NotHealed"
        assert {name: server.objects for name, server in made.servers.items()} == before
    database.close()


def test_a_healing_is_like_the_primary_or_not_at_all(file_database: Database) -> None:
    """When another commit was deployed meanwhile, what was decided is no longer true."""
    made = deployed(file_database)
    made.push("b" * 40, app("pay/api:2"))
    with pytest.raises(errors.InputError, match="not at bbbb"):
        Narrow(made, "b" * 40, sites=("sejong",), like="seoul", objects=("ConfigMap pay/one",)).end()
