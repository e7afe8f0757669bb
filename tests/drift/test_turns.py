"""A site that answers nothing keeps a few comparisons waiting; the others go on."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from drift import doors, scan
from drift.turns import TakenError, Turns
from lockstep import errors, settings, work
from lockstep.clock import SystemClock
from lockstep.engine.queue import Queue
from lockstep.engine.worker import Worker
from lockstep.sites import archive, ends
from lockstep.sites import open as opening
from lockstep.store.database import Database
from lockstep.store.views import drift as views
from lockstep.topology import secrets
from lockstep.topology.model import Topology
from lockstep.values import Json, ObjectKey, Stance
from tests.drift import world as worlds
from tests.drift.world import World, config, deployment
from tests.support import topologies

_OTHER = "seoul-busan"
_APPLICATIONS = 12
_WORKING = settings.Working(threads=8, poll_seconds=0.02)


class _Frozen:
    """Takes every question, and answers none before it is let go."""

    runs = True
    address = "https://sejong.example"

    def __init__(self) -> None:
        self.asked = 0
        self.given_up = threading.Event()

    def read(self, selection: ends.Selection) -> ends.Inventory:
        """Wait, and say that nobody answered."""
        self.asked += 1
        self.given_up.wait(60)
        raise errors.UnreachableError(f"{self.address} did not answer in time.")

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """Nobody is asked for one object before the site was read."""
        raise AssertionError(key)


class _Sites:
    def __init__(self, inner: doors.Sites, frozen: _Frozen, sites: Sequence[str]) -> None:
        self._inner = inner
        self._frozen = frozen
        self._sites = sites

    def cluster(self, site: str) -> doors.Seen:
        return self._frozen if site in self._sites else self._inner.cluster(site)

    def archive(self, site: str) -> archive.Archive | None:
        return self._inner.archive(site)


def _topology(root: Path, frozen: Sequence[str]) -> Topology:
    """A dozen applications at the frozen sites, and one elsewhere."""

    def application(name: str, pair: str) -> tuple[str, str, dict[str, Json]]:
        protection = {pair: {"tier": "hot", "floor": {"default": 1}}}
        return "Application", name, {"source": {"repository": name}, "namespace": "shop", "protection": protection}

    sites = [("Site", name, {"cluster": {"directory": f"{name}/cluster"}}) for name in ("seoul", "busan", *frozen)]
    return topologies.topology(
        *sites,
        *(("Pair", f"seoul-{site}", {"primary": "seoul", "standby": site}) for site in ("busan", *frozen)),
        *(
            application(f"{site}-{number}", f"seoul-{site}")
            for number in range(_APPLICATIONS // len(frozen))
            for site in frozen
        ),
        application("elsewhere", _OTHER),
        directory=root,
    )


@pytest.fixture
def frozen() -> Iterator[_Frozen]:
    """A site that is let go at the end, whatever happens."""
    made = _Frozen()
    yield made
    made.given_up.set()


def _compared(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {one.application: one.verdict for one in views.scans_of(connection)}


def _until(database: Database, names: set[str]) -> None:
    deadline, pause = SystemClock().monotonic() + 30, threading.Event()
    while not names <= _compared(database).keys():
        assert SystemClock().monotonic() < deadline, _compared(database)
        pause.wait(0.02)


@pytest.mark.parametrize(("sites", "held"), [(("sejong",), 3), (("sejong", "daegu", "jeju"), 4)])
def test_a_dozen_applications_at_frozen_sites_do_not_keep_one_elsewhere_waiting(
    tmp_path: Path,
    file_database: Database,
    frozen: _Frozen,
    monkeypatch: pytest.MonkeyPatch,
    sites: tuple[str, ...],
    held: int,
) -> None:
    """Eight workers, those asked for first, one primary for all: it is compared while none of the others is."""
    monkeypatch.setattr(scan, "_TAKEN_SECONDS", 0.05)
    world = World.make(tmp_path / "sites", file_database)
    (world.root / "busan/cluster").mkdir(parents=True)
    topology = _topology(world.root, sites)
    for pair in topology.pairs:
        world.stance(pair, Stance.NORMAL)
    world.git.topology = topology
    world.commit("one", deployment(), config(MODE="fast"))
    places = settings.Places(config=world.root, state=world.root / "state", database="")
    opened = opening.Doors(lambda: topology, reader=secrets.Reader(world.root, {}), places=places)
    turns = Turns.of(_WORKING.threads, patience_seconds=0.1)
    # Its own site answered before the others froze.
    with turns.taken(["seoul", "busan"]):
        pass
    scanning = dataclasses.replace(
        world.scanning,
        topology=lambda: topology,
        sites=_Sites(opened, frozen, sites),
        turns=turns,
        clock=SystemClock(),
    )
    waiting = [name for name in topology.applications if name != "elsewhere"]
    queue = Queue(file_database, working=_WORKING)
    with file_database.write() as connection:
        queue.enqueue(connection, *(work.scan(name, urgent=True) for name in waiting), work.scan("elsewhere"))
    worker = Worker(queue, {work.Kind.SCAN: partial(scan.handle_scan, scanning)}, working=_WORKING)
    worker.start()
    try:
        _until(file_database, {"elsewhere"})
        assert set(_compared(file_database)) == {"elsewhere"}
        assert len(sites) <= frozen.asked <= held
        frozen.given_up.set()
        _until(file_database, set(topology.applications))
    finally:
        frozen.given_up.set()
        worker.stop(timeout_seconds=10)
    found = _compared(file_database)
    assert {found[name] for name in waiting} == {"Unknown"}
    assert found["elsewhere"] != "Unknown"


def test_the_other_pairs_of_an_application_are_compared_and_the_frozen_one_later(
    tmp_path: Path, file_database: Database
) -> None:
    """What was compared is kept; where nothing could be, the job itself comes back."""
    world = World.make(tmp_path / "sites", file_database)
    for pair in (worlds.PAIR, worlds.WARM):
        world.stance(pair, Stance.NORMAL)
    world.commit("one", deployment())
    scanning = dataclasses.replace(world.scanning, turns=Turns(most=1, patience_seconds=0))

    def outcome(job: work.Job) -> work.Outcome:
        claim = work.Claim(id=1, kind=job.kind, payload=job.payload, fence="f", attempt=1, crashes=0)
        return scan.handle_scan(scanning, claim)

    with scanning.turns.taken(["sejong"]):
        found = outcome(work.scan("shop", told=True))
        alone = outcome(work.scan("shop", pair=worlds.PAIR))
    assert isinstance(found, work.Done)
    assert len(found.effects) == 1
    (again,) = found.then
    assert again.payload == {"application": "shop", "pair": worlds.PAIR, "told": True}
    assert again.delay_seconds > 0
    assert isinstance(alone, work.Later)
    assert "sejong" in alone.reason


def test_a_turn_is_given_back_as_soon_as_a_site_is_read() -> None:
    """Whoever waits for the follower does not hold the truth."""
    turns = Turns(most=1, patience_seconds=0)
    with turns.taken(["seoul", "sejong"]) as give_back:
        with pytest.raises(TakenError, match="seoul"), turns.taken(["seoul", "busan"]):
            pytest.fail("seoul is being read")
        give_back("seoul")
        with turns.taken(["seoul", "busan"]), pytest.raises(TakenError, match="sejong"), turns.taken(["sejong"]):
            pytest.fail("sejong is being read")
    with turns.taken(["seoul", "sejong"]):
        pass


def test_a_turn_is_waited_for_where_the_site_answers() -> None:
    """The second reads when the first has read."""
    turns = Turns(most=1, patience_seconds=60)
    waiting = threading.Event()
    read = []

    def second() -> None:
        waiting.set()
        with turns.taken(["seoul"]):
            read.append("second")

    thread = threading.Thread(target=second)
    with turns.taken(["seoul"]):
        thread.start()
        assert waiting.wait(10)
        read.append("first")
    thread.join(10)
    assert read == ["first", "second"]


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 1), (8, 3), (32, 12)])
def test_two_frozen_sites_leave_workers(threads: int, most: int) -> None:
    """Of eight workers, two for whatever is to be done elsewhere."""
    turns = Turns.of(threads, patience_seconds=0)
    with contextlib.ExitStack() as stack:
        for _ in range(most):
            stack.enter_context(turns.taken(["sejong"]))
        with pytest.raises(TakenError, match="sejong"), turns.taken(["sejong"]):
            pytest.fail("no turn is left")


def test_sites_that_froze_at_once_after_they_answered_have_one_reader_each_beside_the_first() -> None:
    """Of eight workers three are left, and once a reading lasted too long its site is in doubt."""
    turns = Turns.of(8, patience_seconds=60)
    sites = ("sejong", "daegu", "jeju")
    with turns.taken(sites):
        pass
    impatient = Turns.of(8, patience_seconds=0)
    impatient._proven = set(turns._proven)
    held = 0
    with contextlib.ExitStack() as stack:
        for site in (*["sejong"] * 4, *["daegu"] * 4, *["jeju"] * 4):
            with contextlib.suppress(TakenError):
                stack.enter_context(impatient.taken([site]))
                held += 1
        assert held == 5
        with impatient.taken(["busan"]):
            held += 1
    assert (held, impatient._proven) == (6, set())


def test_however_many_sites_are_frozen_half_of_the_workers_are_left_for_others() -> None:
    """The first comparisons of a process know of no site whether it answers."""
    turns = Turns.of(8, patience_seconds=0)
    with contextlib.ExitStack() as stack:
        for number in range(4):
            stack.enter_context(turns.taken([f"site-{number}"]))
        with pytest.raises(TakenError, match="4 comparisons wait"), turns.taken(["site-4"]):
            pytest.fail("no turn is left")
