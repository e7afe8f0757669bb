"""What is said of an image at a site holds for that image, under that tag, at that site: nothing stands in for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import ends
from lockstep.sites.layout import LayoutStore
from sync.buffers import Inbox
from sync.fan import Bounds, Fan, Lane
from sync.flow import Flow
from sync.mirror import Listening, Result, mirror
from sync.states import State
from sync.stock import Shelf
from sync.tally import Tally
from tests.support import images
from tests.support.images import new_store
from tests.support.stores import Watched
from tests.sync.test_mirror import SITES, World, _states

NAME = "pay/api"
ONE_BY_ONE = Bounds(few=1, batch=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty source and three empty sites."""
    return World(tmp_path)


def _at(results: Sequence[Result], site: str) -> dict[str, State]:
    return {one.reference: one.state for one in results if one.site == site}


def _refusing(tag: str) -> Callable[[str, str], None]:
    def refuse(method: str, about: str) -> None:
        if (method, about) == ("write_manifest", tag):
            raise errors.RefusedError(f"{tag} is immutable here.")

    return refuse


def _damage(world: World, site: str, data: bytes) -> Path:
    """Let a site, or the source, have other bytes under a digest."""
    store = world.source.inner if site == "source" else world.sites[site].inner
    assert isinstance(store, LayoutStore)
    path = store.root / NAME / "blobs" / images.digest(data).replace(":", "/")
    path.write_bytes(b"?" * len(data))
    return path


@pytest.mark.parametrize("dry_run", [True, False], ids=["foreseen", "done"])
def test_a_tag_that_a_site_refuses_is_not_equal_because_a_later_tag_of_the_image_is(
    world: World, dry_run: bool
) -> None:
    """The same image came under another tag, which somebody waited for; each tag has one result at each site."""
    made = world.maker.image(b"layer", tag="v1")
    world.maker.image(b"other", tag="v2")
    order = world.order()
    manifest = world.source.inner.manifest(NAME, made.digest)
    assert manifest is not None
    world.source.inner.write_manifest(NAME, manifest, tag="late")
    world.sites["daegu"].hook = _refusing("v1")
    asked, heard = iter([["v1"], ["late"]]), list[Result]()
    listening = Listening(results=heard.extend)
    order = replace(order, wanted=lambda: next(asked, ()), bounds=Bounds(few=1), dry_run=dry_run, listening=listening)
    results = mirror(order)
    assert len(results) == len({(one.reference, one.site) for one in results}) == 9
    if dry_run:
        assert {one.state for one in results} == {State.BEHIND}
    else:
        assert _at(results, "daegu") == {"v1": State.REFUSED, "v2": State.EQUAL, "late": State.EQUAL}
        assert _at(results, "busan") == {"v1": State.EQUAL, "v2": State.EQUAL, "late": State.EQUAL}
        assert sorted(heard, key=str) == sorted(results, key=str)


def test_a_tag_that_is_fixed_at_a_site_keeps_no_other_tag_of_the_image_from_it(world: World) -> None:
    """``latest`` may not move there; what it names at the source arrives under its version."""
    made = world.maker.image(b"layer", tag="latest")
    world.maker.image(b"layer", tag="v1")
    world.sites["daegu"].hook = _refusing("latest")
    results = mirror(world.order())
    assert _at(results, "daegu") == {"latest": State.REFUSED, "v1": State.EQUAL}
    assert world.whole("daegu", made.digest)


def test_an_image_whose_only_tag_is_refused_is_not_there_by_its_digest(world: World) -> None:
    """It would have come with its tag: nobody may say that it did."""
    made = world.maker.image(b"layer", tag="v1")
    world.sites["daegu"].hook = _refusing("v1")
    results = mirror(world.order("v1", made.digest))
    assert _at(results, "daegu") == {"v1": State.REFUSED, made.digest: State.REFUSED}
    assert _at(results, "busan") == {"v1": State.EQUAL, made.digest: State.EQUAL}


@pytest.mark.parametrize("bounds", [Bounds(), ONE_BY_ONE], ids=["beside each other", "one by one"])
def test_a_part_of_an_image_is_equal_only_when_it_is_there(world: World, bounds: Bounds) -> None:
    """A deploy asks for the manifest of a platform while the index that brings it along fails."""
    children = [world.maker.image(b"shared %d" % number, child=True) for number in range(6)]
    bad = world.maker.image(b"bad", child=True)
    world.maker.index([*children, bad], tag="v1")
    _damage(world, "source", b"bad")
    results = mirror(world.order("v1", *(one.digest for one in children), bounds=bounds))
    for site in SITES:
        equal = {reference for reference, state in _at(results, site).items() if state is State.EQUAL}
        assert equal == {one.digest for one in children}
        assert all(world.whole(site, digest) for digest in equal)


@pytest.mark.parametrize("bounds", [Bounds(), ONE_BY_ONE], ids=["beside each other", "one by one"])
def test_what_signs_a_shared_part_comes_with_whichever_image_arrives(world: World, bounds: Bounds) -> None:
    """Two indexes share a platform that was signed since; the one that was to bring the signature fails."""
    child = world.maker.image(b"shared", child=True)
    mirror(world.order(child.digest))
    signature = world.maker.artifact(child, b"signed")
    for number in range(4):
        own = world.maker.image(b"own %d" % number, child=True)
        world.maker.index([child, own], tag=f"v{number}")
    first = min(world.source.inner.tags(NAME) or {}, key=lambda tag: (world.source.inner.tags(NAME) or {})[tag])
    _damage(world, "source", b"own %s" % first.removeprefix("v").encode())
    results = mirror(world.order(bounds=bounds))
    for site in SITES:
        assert [tag for tag, state in _at(results, site).items() if state is not State.EQUAL] == [first]
        assert [one.digest for one in world.sites[site].inner.referrers(NAME, child.digest)] == [signature.digest]


def test_looking_deep_calls_no_image_equal_whose_blob_did_not_come_with_another(world: World) -> None:
    """Two images share a layer that a site has lost, and that the source has lost too."""
    for tag in ("v1", "v2", "v3"):
        world.maker.image(b"shared", tag.encode(), tag=tag)
    mirror(world.order())
    _damage(world, "daegu", b"shared").unlink()
    _damage(world, "source", b"shared")
    results = mirror(world.order(deep=True, bounds=ONE_BY_ONE))
    assert set(_at(results, "daegu").values()) == {State.FAILED}
    foreseen = mirror(world.order(deep=True, dry_run=True))
    assert set(_at(foreseen, "daegu").values()) == {State.BEHIND}


@pytest.mark.parametrize("bounds", [Bounds(), ONE_BY_ONE], ids=["beside each other", "one by one"])
def test_a_blob_that_the_source_does_not_give_keeps_only_its_images_from_the_sites(
    world: World, bounds: Bounds
) -> None:
    """Its registry answers 500 for it, time after time: what has nothing to do with it arrives, at every look."""
    for number in range(6):
        world.maker.image(b"broken" if number in (1, 2) else b"good %d" % number, b"%d" % number, tag=f"v{number}")
    broken = images.digest(b"broken")

    def refuse(method: str, about: str) -> None:
        if (method, about) == ("read_blob", broken):
            raise errors.UnreachableError("500.")

    world.source.hook = refuse
    results = mirror(world.order(bounds=bounds))
    for site in SITES:
        lacking = {reference for reference, state in _at(results, site).items() if state is not State.EQUAL}
        assert lacking == {"v1", "v2"}
    assert {one.state for one in results if one.reference == "v1"} == {State.UNREACHABLE}


def test_a_source_that_is_gone_is_not_asked_for_everything(world: World) -> None:
    """After some readings in a row that nobody answered the rest is not waited for."""
    for number in range(40):
        world.maker.image(b"%d" % number, tag=f"v{number}")

    def refuse(method: str, _about: str) -> None:
        if method == "read_blob":
            asked.append(method)
            raise errors.UnreachableError("Nobody answers.")

    asked: list[str] = []
    world.source.hook = refuse
    results = mirror(world.order(bounds=replace(ONE_BY_ONE, streams=1, small=1)))
    assert {one.state for one in results} == {State.UNREACHABLE}
    assert 1 < len(asked) < 12


def test_a_site_that_needs_no_bytes_has_the_blob(tmp_path: Path) -> None:
    """Its registry took the blob over by itself, and closes before the reader is told that it may stop."""
    source, target = new_store(tmp_path / "source"), Watched(new_store(tmp_path / "target"))
    blob = images.Maker(store=source, repository=NAME).put(b"layer")
    read, closed = threading.Event(), Inbox.close

    class Mounting(Watched):
        def write_blob(self, *_: object) -> None:
            """It is there already."""

    site = Mounting(target)
    lane = Lane("sejong", Shelf(store=site, repository=NAME), Bounds())
    lane.expect([blob.digest])
    fan = Fan(Shelf(store=source, repository=NAME), [lane], sent=lambda _size: None)

    def late(inbox: Inbox) -> None:
        closed(inbox)
        assert read.wait(30)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(Inbox, "close", late)
        lane_open = lane.open

        def open_after_closing(one: ends.Descriptor) -> Inbox:
            inbox = lane_open(one)
            while not inbox.closed:
                pass
            return inbox

        patch.setattr(lane, "open", open_after_closing)
        pool.submit(fan.carry, blob, ["sejong"]).add_done_callback(lambda _done: read.set())
        assert read.wait(30)
    lane.wait_for([blob.digest])
    lane.close()


def test_what_cannot_be_begun_keeps_nobody_waiting(world: World) -> None:
    """No thread can be started any more (a limit of processes): that is told, and the end of it is not waited for."""
    world.maker.image(b"layer", tag="v1")

    class Full(ThreadPoolExecutor):
        def submit(self, *_: object, **__: object) -> None:  # type: ignore[override]  # it never gives a future
            raise RuntimeError("can't start new thread")

    begin = Tally.begin

    def fill(tally: Tally, *given: object) -> None:
        begin(tally, *given)  # type: ignore[arg-type]  # whatever it was given
        for flow in flows:
            for site in flow._finishing:
                flow._finishing[site] = Full()

    flows: list[Flow] = []
    entered = Flow.__enter__

    def remember(flow: Flow) -> Flow:
        flows.append(flow)
        return entered(flow)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flow, "__enter__", remember)
        patch.setattr(Tally, "begin", fill)
        with pytest.raises(RuntimeError, match="thread"):
            mirror(world.order())
    assert _states(mirror(world.order())) == {(site, State.EQUAL) for site in SITES}
