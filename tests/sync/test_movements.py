"""How far transfers of git are: told while they run, for each repository and place."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from lockstep.sites import git
from lockstep.sites.ends import Movement, Stage
from lockstep.store.database import Database
from sync import movements
from sync.git import Request, run
from tests.support import git_http
from tests.support.mirrored import Clock, World

MAIN = "refs/heads/main"
MIB = 2**20


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """A source with more objects than git takes apart without a word, one site on disk, and one behind a server."""
    world = World(tmp_path, file_database, sites=["seoul", "sejong"])
    for number in range(2):
        world.source.commit(MAIN, {f"{number}-{name}": os.urandom(20_000) for name in range(60)})
    return world


@pytest.mark.needs("git-http-backend")
def test_bytes_are_told_of_the_source_and_of_each_site(world: World) -> None:
    """Received once, written to the server, whatever its hook writes of its own; nobody is told when nothing moves."""
    told: list[tuple[str, str, Movement]] = []
    request = Request(moving=lambda *what: told.append(what))
    site = world.site("sejong").make(world.site("sejong").path)
    site.hook("pre-receive", r"printf 'Writing objects:  99%% (1/1), 9.00 GiB\r\033[2J' >&2")
    with git_http.serve(world.root / "sejong") as server:
        world.doors.instead["sejong"] = lambda: git.Remote(location=f"{server.url}/bank/pay.git")
        assert run(world.context, request).exit_code == 0
        told, first = [], told
        assert run(world.context, request).exit_code == 0
    assert told == []
    last = {(place, one.stage): one for _, place, one in first}
    for place, stage in (("", Stage.RECEIVING), ("sejong", Stage.WRITING)):
        one = last[place, stage]
        assert one.done == one.total > 120
        assert 2 * MIB < one.size < 3 * MIB


@pytest.mark.needs("git-http-backend")
def test_the_service_asks_for_progress_and_writes_no_line_for_what_is_quick(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A log that tells each transfer's steps would tell nothing else."""
    caplog.set_level(logging.INFO, logger="sync")
    world.walk()
    assert world.states() == {"seoul": "equal", "sejong": "equal"}
    assert caplog.messages == []


def test_a_long_transfer_is_told_in_the_log_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    """Each repository and place by itself; the first time after ten seconds."""
    caplog.set_level(logging.INFO, logger="sync")
    clock = _Clock()
    log = movements.Logged(clock)
    for second in range(25):
        clock.seconds = 100.0 + second
        log("bank/pay", "sejong", Movement(stage=Stage.WRITING, done=second, total=50, size=second * MIB))
    log("bank/pay", "", Movement(stage=Stage.COUNTING, done=7, total=0))
    assert caplog.messages == [
        "bank/pay, sejong: writing 20 % of 50 objects, 10.0 MiB",
        "bank/pay, sejong: writing 40 % of 50 objects, 20.0 MiB",
    ]


class _Clock(Clock):
    """A clock whose seconds are set."""

    seconds = 0.0

    def monotonic(self) -> float:
        """What it was set to."""
        return self.seconds


@pytest.mark.parametrize(
    ("movement", "words"),
    [
        (Movement(stage=Stage.COUNTING, done=7, total=0), "7 objects"),
        (Movement(stage=Stage.RESOLVING, done=1, total=3), "33 % of 3 objects"),
        (Movement(stage=Stage.COPYING, done=3 * MIB, total=8 * MIB, size=3 * MIB), "3.0 of 8.0 MiB"),
    ],
)
def test_each_kind_of_transfer_has_its_words(movement: Movement, words: str) -> None:
    """Objects where git counts objects, bytes where a file is copied."""
    assert movements.said(movement) == words
