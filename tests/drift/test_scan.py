"""Comparing over time: what is found, kept, resolved and found again."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from drift import scan
from lockstep import crash, work
from lockstep.store import answers, outdated, scans
from lockstep.store.database import Database, open_database
from lockstep.values import Json, Stance, Verdict
from tests.drift import world as worlds
from tests.drift.world import WARM, World, config, deployment


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """An application that is deployed everywhere."""
    made = World.make(tmp_path / "sites", file_database)
    for pair in (worlds.PAIR, WARM):
        made.stance(pair, Stance.NORMAL)
    made.commit("one", deployment(), config(MODE="fast"))
    for site in ("seoul", "sejong", "daegu"):
        made.deploy(site)
    return made


def _set(path: str, value: Json) -> Any:
    def change(manifest: dict[str, Json]) -> None:
        *parents, last = path.split("/")
        here = manifest
        for key in parents:
            here = here.setdefault(key, {})
        here[last] = value

    return change


def test_sites_that_are_as_git_wants_them_are_in_step(world: World) -> None:
    """A hot standby runs at its floor, below its own prefix; an archive that Lockstep wrote is dispersed."""
    assert world.scan() == []
    assert world.verdict() is Verdict.IN_SYNC
    assert world.scan(WARM) == []
    assert world.verdict(WARM) is Verdict.DISPERSED


def test_a_change_by_hand_is_found_where_it_was_made(world: World) -> None:
    """With the field, the values of all sides, and the site that deviates."""
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.edit("seoul", "Deployment", "web", _set("metadata/labels/urgent", "yes"))
    assert world.scan() == [
        ("StandbyDrift", "sejong", "/data/MODE"),
        ("PrimaryHotfix", "seoul", "/metadata/labels/urgent"),
    ]
    assert world.findings()[0].values == {
        "gitPrimary": "fast",
        "primary": "fast",
        "gitStandby": "fast",
        "standby": "slow",
    }
    assert world.verdict() is Verdict.PRIMARY_HOTFIX


def test_a_hand_in_an_archive_is_found(world: World) -> None:
    """What a warm site would be started from is not what git says."""
    file = world.root / "daegu/archive/shop/shop/ConfigMap.core/settings.yaml"
    if not file.exists():
        (file,) = (world.root / "daegu/archive/shop").rglob("settings.yaml")
    file.write_text(file.read_text().replace("fast", "slow"))
    assert world.scan(WARM) == [("StandbyDrift", "daegu", "/data/MODE")]
    assert world.verdict(WARM) is Verdict.STANDBY_DRIFT


def test_a_finding_keeps_its_row_and_its_life(world: World) -> None:
    """First seen once, last seen each time, whatever its value becomes; resolved when gone; open again when back."""
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.scan()
    (first,) = world.findings()
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slower"))
    world.scan()
    (second,) = world.findings()
    assert (second.id, second.first_seen, second.values["standby"]) == (first.id, first.first_seen, "slower")
    assert second.last_seen > first.last_seen
    world.deploy("sejong")
    assert world.scan() == []
    (resolved,) = world.findings(state="resolved")
    assert resolved.id == first.id
    assert resolved.resolved_at is not None
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.scan()
    (again,) = world.findings()
    assert (again.id, again.reopened, again.state, again.resolved_at) == (first.id, 1, "open", None)


def test_what_a_person_said_stays_until_it_ends(world: World) -> None:
    """Acknowledged stays acknowledged; waived is open again when its time has passed."""
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.scan()
    (found,) = world.findings()
    with world.scanning.database.write() as connection:
        answers.acknowledge(connection, found.id, by="kim", note="known", at=world.clock.now())
    world.scan()
    assert [(one.state, one.by, one.note) for one in world.findings()] == [("acknowledged", "kim", "known")]
    until = world.clock.now().replace(hour=13)
    with world.scanning.database.write() as connection:
        answers.waive(connection, found.id, by="lee", note="until the drill", until=until, at=world.clock.now())
    world.scan()
    assert world.findings()[0].state == "waived"
    world.clock.pass_seconds(3600)
    world.scan()
    assert world.findings()[0].state == "open"


def test_blindness_resolves_nothing(world: World) -> None:
    """A site that cannot be read is Unknown, with the reason; what was found there before stays open."""
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.scan()
    shutil.move(world.root / "sejong/cluster", world.root / "sejong/unmounted")
    found = world.scan()
    assert ("StandbyDrift", "sejong", "/data/MODE") in found
    assert ("Unknown", "sejong", "") in found
    assert world.verdict() is Verdict.UNKNOWN
    assert "sejong/cluster" in world.stored().problem
    shutil.move(world.root / "sejong/unmounted", world.root / "sejong/cluster")
    assert world.scan() == [("StandbyDrift", "sejong", "/data/MODE")]


def test_a_finding_lives_on_while_one_of_its_sides_cannot_be_read(world: World) -> None:
    """It is the same row whatever is said of the other site meanwhile: not resolved, not doubled, nothing forgotten."""
    for site, mode in (("seoul", "loud"), ("sejong", "slow")):
        world.edit(site, "ConfigMap", "settings", _set("data/MODE", mode))
    assert world.scan() == [("Diverged", "seoul,sejong", "/data/MODE")]
    (first,) = world.findings()
    with world.scanning.database.write() as connection:
        answers.acknowledge(connection, first.id, by="kim", note="INC-204", at=world.clock.now())
    shutil.move(world.root / "seoul/cluster", world.root / "seoul/unmounted")
    assert world.scan() == [("Unknown", "seoul", ""), ("StandbyDrift", "sejong", "/data/MODE")]
    known = [one for one in world.findings() if one.path]
    assert [(one.id, one.state, one.reopened, one.first_seen) for one in known] == [
        (first.id, "acknowledged", 0, first.first_seen)
    ]
    shutil.move(world.root / "seoul/unmounted", world.root / "seoul/cluster")
    assert world.scan() == [("Diverged", "seoul,sejong", "/data/MODE")]
    assert [(one.id, one.state) for one in world.findings()] == [(first.id, "acknowledged")]


def test_only_what_could_not_be_seen_is_not_confirmed(world: World) -> None:
    """A standby that was mended is mended, whether the primary answers or not; what is wrong there stays open."""
    extra = {**config("extra", A="1"), "metadata": {"name": "extra", "namespace": "shop"}}
    world.cluster("seoul").apply(extra)
    world.edit("seoul", "Deployment", "web", _set("metadata/labels/urgent", "yes"))
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.scan()
    seen = {one.path: one.last_seen for one in world.findings()}
    shutil.move(world.root / "seoul/cluster", world.root / "seoul/unmounted")
    world.deploy("sejong")
    assert world.scan() == [
        ("Unknown", "seoul", ""),
        ("MissingAtStandby", "sejong", ""),
        ("PrimaryHotfix", "seoul", "/metadata/labels/urgent"),
    ]
    unconfirmed = {one.path: one.last_seen for one in world.findings() if one.verdict != "Unknown"}
    assert unconfirmed == {path: seen[path] for path in unconfirmed}
    assert [one.path for one in world.findings(state="resolved")] == ["/data/MODE"]


def test_a_file_that_cannot_be_read_hides_one_object(world: World) -> None:
    """The others are compared, and the application is Unknown."""
    world.edit("sejong", "Deployment", "web", _set("metadata/labels/urgent", "yes"))
    (file,) = (world.root / "sejong/cluster").rglob("settings.yaml")
    file.write_text("data: [")
    assert world.scan() == [("Unknown", "sejong", ""), ("StandbyDrift", "sejong", "/metadata/labels/urgent")]
    assert world.verdict() is Verdict.UNKNOWN
    assert [one.name for one in world.findings() if one.verdict == "Unknown"] == ["settings"]


def test_git_that_cannot_be_rendered_is_unknown_and_resolves_nothing(world: World) -> None:
    """Nobody can say what is right."""
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.scan()
    world.git.broken = "deploy/web.yaml:3: this is not YAML."
    found = world.scan()
    assert ("StandbyDrift", "sejong", "/data/MODE") in found
    assert world.verdict() is Verdict.UNKNOWN
    assert "this is not YAML" in world.stored().problem


def test_a_newer_commit_makes_sites_behind_and_not_drifting(world: World) -> None:
    """Until they are deployed; a site that was deployed and has an older value was put back by hand."""
    world.commit("two", deployment(), config(MODE="faster"))
    assert world.scan() == [("Undeployed", "seoul,sejong", "/data/MODE")]
    world.deploy("seoul")
    assert world.scan() == [("StandbyBehind", "sejong", "/data/MODE")]
    world.deploy("sejong")
    assert world.scan() == []
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "fast"))
    assert world.scan() == [("StandbyDrift", "sejong", "/data/MODE")]


def test_older_commits_are_rendered_only_when_something_differs(world: World) -> None:
    """And each of them once for all objects."""
    for number in range(30):
        world.commit(f"more-{number}", deployment(), config(MODE="fast"))
    world.git.asked.clear()
    world.scan()
    assert set(world.git.asked) == {"more-29"}
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.edit("sejong", "Deployment", "web", _set("metadata/labels/a", "b"))
    world.git.asked.clear()
    world.scan()
    assert len(set(world.git.asked)) <= 21
    assert len(world.git.asked) == 2 * len(set(world.git.asked))


def test_the_direction_follows_the_stance(world: World) -> None:
    """When the pair is switched, the configured standby is the truth, and a change there is its hot fix."""
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.stance(worlds.PAIR, Stance.SWITCHED)
    assert ("PrimaryHotfix", "sejong", "/data/MODE") in world.scan()
    assert world.stored().stance == "switched"


def test_what_lives_only_at_the_sites_is_compared_between_them(world: World) -> None:
    """An object that git does not have is not managed, and missed where it is not."""
    extra = {**config("extra", A="1"), "metadata": {"name": "extra", "namespace": "shop"}}
    world.cluster("seoul").apply(extra)
    assert world.scan() == [("MissingAtStandby", "sejong", "")]
    assert [one.managed for one in world.findings()] == [False]
    world.cluster("sejong").apply(extra)
    assert world.scan() == []


def test_the_coverage_says_what_was_read(world: World) -> None:
    """When, how, from where, and what nothing runs in."""
    world.scan()
    coverage = world.stored().coverage
    assert coverage["git"]["revision"] == "one"
    assert coverage["sites"]["sejong"]["method"] == "directory"
    assert coverage["sites"]["sejong"]["objects"] == 2
    assert coverage["health"] == {"seoul": "NotApplicable", "sejong": "NotApplicable"}
    assert world.stored().counts["explained"] == 2


def test_nothing_secret_is_stored(world: World) -> None:
    """Not a value of a Secret, nor one that is plainly secret elsewhere."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"a": "hunter2-git"}}
    world.commit("two", config(DB_PASSWORD="hunter2-git"), secret)
    world.deploy("seoul")
    world.deploy("sejong")
    world.edit("sejong", "Secret", "db", _set("stringData/a", "hunter2-hand"))
    world.edit("sejong", "ConfigMap", "settings", _set("data/DB_PASSWORD", "hunter2-hand"))
    assert world.scan() == [("StandbyDrift", "sejong", "/data/DB_PASSWORD"), ("StandbyDrift", "sejong", "/data/a")]
    kept = "".join(repr(one) for one in world.findings()) + repr(world.stored())
    assert "hunter2" not in kept


def test_an_application_that_is_no_longer_protected_is_forgotten(world: World) -> None:
    """Its findings are resolved, and nobody sees an old verdict."""
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    world.scan()
    with world.scanning.database.write() as connection:
        outdated.forget_others(connection, [("shop", WARM)], now=world.clock.now())
    assert world.findings() == []
    with world.scanning.database.read() as connection:
        assert scans.last_compared(connection) == {}


def test_a_sweep_asks_for_every_application(world: World) -> None:
    """Each of them as a job of its own."""
    claim = work.Claim(id=1, kind=work.Kind.SWEEP_DRIFT, payload={}, fence="f", attempt=1, crashes=0)
    outcome = scan.handle_sweep(world.scanning, claim)
    assert isinstance(outcome, work.Done)
    assert list(outcome.then) == [work.scan("shop")]
    gone = work.Claim(id=1, kind=work.Kind.SCAN, payload={"application": "gone"}, fence="f", attempt=1, crashes=0)
    assert scan.handle_scan(world.scanning, gone) == work.Done()


def _die_before_storing(root: Path, url: str) -> None:
    crash.arm(crash.Point.BEFORE_FINDING.value)
    database = open_database(url)
    world = World.make(root / "again", database)
    world.commit("one", deployment())
    world.scan()


def test_a_comparison_that_is_killed_before_it_is_stored_leaves_nothing_half_stored(
    world: World, tmp_path: Path
) -> None:
    """The next one stores it."""
    file = world.scanning.database.address
    process = multiprocessing.get_context("spawn").Process(
        target=_die_before_storing, args=(tmp_path, f"sqlite:///{file}")
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with world.scanning.database.read() as connection:
        assert scans.last_compared(connection) == {}
    world.edit("sejong", "ConfigMap", "settings", _set("data/MODE", "slow"))
    assert world.scan() == [("StandbyDrift", "sejong", "/data/MODE")]
