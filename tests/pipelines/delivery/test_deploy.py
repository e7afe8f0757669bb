"""One deploy over several sites: in which order, what one that fails means for the others, and the way back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lockstep.manifests import images
from lockstep.store.database import Database
from lockstep.values import Json, Stance
from pipelines.tasks import Again, Failed, Finished, Waiting
from tests.pipelines.delivery.delivering import Delivering, KilledError, Moving, app
from tests.pipelines.deploy.deploying import config

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


def _delivering(database: Database, **spec: Json) -> Delivering:
    """Everybody runs the first commit; the second one has an image that never runs."""
    made = Delivering(database, **spec)
    made.push(ONE, app("api:1"))
    made.push(TWO, app("api:bad"))
    made.push(THREE, app("api:3"))
    assert isinstance(made.deploy(ONE), Finished)
    return made


def test_what_one_site_fails_at_leaves_no_other_without_a_verdict(file_database: Database) -> None:
    """Two standbys side by side: one is away, and the other is seen through to its end."""
    made = _delivering(file_database)
    made.servers["sejong"].away = True
    call = made.begin(THREE)
    said = call.end()
    assert isinstance(said, Failed)
    assert "sejong: the site does not answer" in said.message
    assert {name: row.state for name, row in call.rows().items()} == {
        "seoul": "done",
        "sejong": "failed",
        "daegu": "done",
    }
    assert {name: one["state"] for name, one in said.detail["sites"].items()} == {
        "seoul": "done",
        "sejong": "failed",
        "daegu": "done",
    }


def test_a_deploy_that_failed_is_repaired_by_the_next_without_anybody_asked(file_database: Database) -> None:
    """What the failed one left at the primary is no hot fix, although the last good one did not write it."""
    made = _delivering(file_database)
    said = made.deploy(TWO)
    assert isinstance(said, Failed)
    assert said.detail["sites"]["sejong"]["state"] == "left"
    assert made.images == {"seoul": "api:bad", "sejong": "api:1", "daegu": "api:1"}
    assert isinstance(made.deploy(THREE), Finished)
    assert set(made.images.values()) == {"api:3"}


def test_a_change_by_hand_after_a_failed_deploy_still_waits_for_a_person(file_database: Database) -> None:
    """It is as neither of the two wrote it."""
    made = _delivering(file_database)
    made.deploy(TWO)
    (key,) = [key for key in made.servers["seoul"].objects if key.kind == "Deployment"]
    made.servers["seoul"].objects[key]["spec"]["template"]["spec"]["containers"][0]["image"] = "api:by-hand"
    said = made.deploy(THREE)
    assert isinstance(said, Waiting)
    assert "/spec/template/spec/containers/0/image" in said.question
    assert made.images["seoul"] == "api:by-hand"


def test_the_way_back_ends_when_the_last_good_revision_runs_again(file_database: Database) -> None:
    """Everywhere that the deploy has been, and not a moment earlier."""
    made = _delivering(file_database, rollout={"onFailure": "rollBack", "order": "together"})
    made.push(TWO, app("api:2"))
    made.servers["daegu"].away = True
    call = made.begin(TWO)
    for name in ("seoul", "sejong"):
        made.servers[name].idle = True
    said = call.once()
    assert isinstance(said, Again)
    assert made.images["seoul"] == made.images["sejong"] == "api:1"
    assert {name: row.state for name, row in call.rows().items()} == {
        "seoul": "recovering",
        "sejong": "recovering",
        "daegu": "failed",
    }
    made.clock.pass_seconds(60)
    assert isinstance(call.once(), Again)
    for name in ("seoul", "sejong"):
        made.servers[name].idle = False
    ended = call.once()
    assert isinstance(ended, Failed)
    rows = call.rows()
    assert (rows["seoul"].state, rows["sejong"].state) == ("rolledBack", "rolledBack")
    assert rows["seoul"].message == f"another site failed; rolled back to {ONE[:12]}"
    assert "could not be put back" in rows["daegu"].message


def test_the_way_back_has_a_deadline_too(file_database: Database) -> None:
    """A last good revision that does not run any more is said, and nobody waits for ever."""
    made = _delivering(file_database, rollout={"onFailure": "rollBack", "deadline": "20s"})
    made.servers["seoul"].idle = True
    began = made.clock.now()
    said = made.deploy(THREE)
    assert isinstance(said, Failed)
    assert timedelta(seconds=40) <= made.clock.now() - began < timedelta(seconds=50)
    assert said.message.startswith("seoul: it does not run after 0:00:20: ")
    assert f"; {ONE[:12]} was put back, but it does not run after 0:00:20: " in said.message


def test_a_process_that_takes_over_on_the_way_back_deploys_nothing_new(file_database: Database) -> None:
    """Killed after it was written down that sites go back, and before they did."""
    made = _delivering(file_database, rollout={"onFailure": "rollBack"})
    made.push(TWO, app("api:2"))
    for name in ("sejong", "daegu"):
        made.servers[name].failing = frozenset({"api"})
    call = made.begin(TWO)
    made.servers["seoul"].kills = "api:1"
    with pytest.raises(KilledError):
        call.end()
    assert made.images["seoul"] == "api:2"
    assert call.rows()["seoul"].state == "rollingBack"
    made.servers["seoul"].kills = ""
    assert isinstance(call.end(), Failed)
    assert set(made.images.values()) == {"api:1"}
    assert made.log.count("seoul: rolling") == 2  # the first deploy, and this one


def test_sites_that_a_stance_holds_do_not_soak(file_database: Database) -> None:
    """Nothing was done there, so nothing has to prove itself."""
    made = _delivering(file_database, rollout={"order": "oneByOne", "soak": "2m"})
    made.stances["seoul-sejong"] = Stance.SWITCHED
    began = made.clock.now()
    call = made.begin(THREE)
    said = call.end()
    assert isinstance(said, Finished)
    held = [name for name, row in call.rows().items() if row.state == "held"]
    assert held == ["sejong"]
    assert timedelta(minutes=2) <= made.clock.now() - began < timedelta(minutes=6)


def test_a_site_that_was_well_is_not_written_again_while_the_next_ones_soak(file_database: Database) -> None:
    """What somebody changes there in the meantime is for the comparison to find."""
    made = _delivering(file_database, rollout={"order": "oneByOne", "soak": "2m"})
    call = made.begin(THREE)
    assert isinstance(call.once(), Again)
    assert isinstance(call.once(), Again)
    seen = len(made.servers["seoul"].done)
    made.servers["seoul"].away = True
    assert isinstance(call.end(), Finished)
    assert len(made.servers["seoul"].done) == seen
    assert set(made.images.values()) == {"api:3"}


def test_a_tag_that_moves_during_a_deploy_means_one_digest_at_all_sites(file_database: Database) -> None:
    """What the first site got is what the last one gets, minutes later."""
    made = _delivering(file_database, rollout={"order": "oneByOne", "soak": "2m"})
    made.renderings.names = (images.Wanted(name="shop/api", tag="1", digest=""),)
    made.doors.store = moving = Moving()
    call = made.begin(THREE)
    assert isinstance(call.end(), Finished)
    assert [row.images for row in call.rows().values()] == [{"shop/api:1": moving.digest(1)}] * 3
    assert isinstance(made.deploy(THREE), Finished)
    assert moving.asked == 2


def test_going_on_reaches_every_site_that_can_be_reached(file_database: Database) -> None:
    """Also when it is the primary that fails."""
    made = _delivering(file_database, rollout={"onFailure": "goOn"})
    made.servers["seoul"].away = True
    said = made.deploy(THREE)
    assert isinstance(said, Failed)
    assert made.images == {"seoul": "api:1", "sejong": "api:3", "daegu": "api:3"}


def test_many_deletes_at_a_site_that_is_held_ask_nobody(file_database: Database) -> None:
    """It is not written to, so there is nothing to approve."""
    made = _delivering(file_database)
    more = [config(f"c{number}") for number in range(9)]
    made.push(TWO, [*app("api:1"), *more])
    assert isinstance(made.deploy(TWO), Finished)
    made.stances = dict.fromkeys(made.stances, Stance.UNKNOWN)
    said = made.deploy(THREE)
    assert isinstance(said, Finished)
    assert {row["state"] for row in said.detail["sites"].values()} == {"held"}
