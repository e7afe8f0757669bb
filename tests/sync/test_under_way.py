"""A transfer that lasts is told of while it does, to whoever looks at the pages; a quick one never is."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from lockstep.sites.ends import Movement, Stage
from lockstep.store import transfers
from lockstep.store.database import Database
from lockstep.store.transfers import Transfer
from sync import under_way
from tests.support import mirrored
from tests.sync import test_images


def _shown(database: Database, context_now: test_images.Clock) -> list[Transfer]:
    with database.read() as connection:
        return transfers.under_way(connection, context_now.now())


def test_images_that_take_their_time_are_shown_until_they_are_there(
    tmp_path: Path, file_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site takes no bytes before somebody has seen, in the store, how far it is."""
    monkeypatch.setattr(under_way, "_EVERY", 0.01)
    world = test_images.World(tmp_path, file_database)
    world.maker.image(b"layer" * 1000, tag="v1")
    world.doors.images("sejong")
    seen: list[Transfer] = []

    def look(method: str, _about: str) -> None:
        deadline = time.monotonic() + 20
        while method == "write" and not seen and time.monotonic() < deadline:
            seen.extend(_shown(file_database, world.clock))

    world.doors.stores["sejong"].hook = look
    world.handle()
    assert world.states()["v1", "sejong"] == "equal"
    assert {(one.kind, one.repository, one.site, one.stage) for one in seen} == {("images", "pay/api", "", "copying")}
    assert seen[0].total >= seen[0].done
    assert _shown(file_database, world.clock) == []


def test_what_is_over_soon_is_never_told(
    tmp_path: Path, file_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of small jobs cost the store nothing."""
    monkeypatch.setattr(under_way, "_EVERY", 600.0)
    world = test_images.World(tmp_path, file_database)
    world.maker.image(b"layer", tag="v1")
    said: list[str] = []
    event.listen(file_database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    world.handle()
    assert world.states()["v1", "sejong"] == "equal"
    assert said
    assert not [one for one in said if "transfers" in one]


def test_what_is_through_and_gives_no_word_more_is_over_and_what_stands_still_is_not() -> None:
    """A server that unpacks what it got is waited for, a minute; a line that is dead is shown as long as it lasts."""
    clock = mirrored.Clock()
    told = under_way.Told("git", "bank/pay", clock)
    told.moved("bank/pay", "sejong", Movement(stage=Stage.WRITING, done=3, total=3, size=10))
    told.moved("bank/pay", "daegu", Movement(stage=Stage.WRITING, done=1, total=3, size=10))
    told.moved("bank/other", "busan", Movement(stage=Stage.WRITING, done=1, total=3, size=10))
    began = clock.now()
    for seconds, sites in ((0, ["sejong", "daegu"]), (60, ["sejong", "daegu"]), (61, ["daegu"])):
        now = began + timedelta(seconds=seconds)
        found = told.latest(now)
        assert [one.site for one in found] == sites
        assert {(one.began_at, one.told_at) for one in found} == {(began, now)}
