"""Images flow: while some are sent, those after them are looked at; none waits for a phase of all of them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lockstep.sites.http.wire import Patience
from lockstep.sites.line import Pace
from sync.fan import Bounds
from sync.mirror import Order, Result, mirror
from sync.states import State
from tests.support import mini_registry
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Scripted, Swallow

NAME = "pay/api"
TAGS = [f"v{number}" for number in range(8)]


@pytest.fixture
def source() -> Iterator[Scripted]:
    """Where images come from: one after the other, by their digests."""
    with mini_registry.serve() as running:
        maker = Maker(store=running.store(), repository=NAME)
        for tag in TAGS:
            maker.image(tag.encode(), tag=tag)
        running.asked.clear()
        yield running


@pytest.fixture
def site() -> Iterator[Scripted]:
    """A site's registry."""
    with mini_registry.serve() as running:
        yield running


def _order(source: Scripted, site: Scripted, bounds: Bounds, patience: Patience | None = None) -> Order:
    return Order(
        repository=NAME,
        source=source.store(patience=Patience()),
        sites={"sejong": site.store(patience=patience or Patience())},
        references=dict.fromkeys(TAGS, ""),
        bounds=bounds,
    )


def _mirror(source: Scripted, site: Scripted, bounds: Bounds, patience: Patience | None = None) -> list[Result]:
    return mirror(_order(source, site, bounds, patience))


def _ordered(source: Scripted) -> list[str]:
    """The images in the order in which they are brought."""
    return sorted(source.tags[NAME].values())


def test_an_image_stands_before_the_last_is_looked_at(source: Scripted, site: Scripted) -> None:
    """The last image cannot be read at the source until the first has its tag at the site."""
    first, *_, last = _ordered(source)
    stands = threading.Event()

    def written(asked: Asked) -> None:
        if asked.is_("HEAD", "/manifests/v") and first in site.tags.get(NAME, {}).values():
            stands.set()

    def read(asked: Asked) -> None:
        if asked.is_("GET", f"/manifests/{last}"):
            stands.wait(20)

    site.script, source.script = written, read
    assert {one.state for one in _mirror(source, site, Bounds(few=1))} == {State.EQUAL}
    assert stands.is_set()


def _held_back(source: Scripted, site: Scripted, image: str, part: str) -> threading.Event:
    """Nothing is written to a part of the site before an image was read at the source; whether it was."""
    looked = threading.Event()

    def read(asked: Asked) -> None:
        if asked.is_("GET", f"/manifests/{image}"):
            looked.set()

    def landing(asked: Asked) -> None:
        if asked.is_("PUT", part):
            looked.wait(20)

    source.script, site.script = read, landing
    return looked


def test_the_last_image_is_looked_at_before_the_first_has_arrived(source: Scripted, site: Scripted) -> None:
    """No blob lands at the site before the last image was read at the source."""
    looked = _held_back(source, site, _ordered(source)[-1], "/uploads/")
    assert {one.state for one in _mirror(source, site, Bounds(few=1))} == {State.EQUAL}
    assert looked.is_set()


def test_over_a_slow_line_two_images_are_looked_at_while_two_are_on_their_way(source: Scripted, site: Scripted) -> None:
    """No image has its tag there before the last of the four that may be under way was read at the source."""
    looked = _held_back(source, site, _ordered(source)[3], "/manifests/v")
    bounds = Bounds(streams=4, lines={"sejong": Pace(1e9)})
    assert {one.state for one in _mirror(source, site, bounds)} == {State.EQUAL}
    assert looked.is_set()


@pytest.mark.parametrize("batch", [1, 3])
def test_only_so_many_images_are_on_their_way(source: Scripted, site: Scripted, batch: int) -> None:
    """What is held in memory is bounded: one image more is looked at, and then it waits."""
    roots, ahead = _ordered(source), list[int]()

    def read(asked: Asked) -> None:
        number = next((n for n, root in enumerate(roots) if asked.is_("GET", f"/manifests/{root}")), None)
        if number is not None:
            ahead.append(number - len(site.tags.get(NAME, {})))

    source.script = read
    assert {one.state for one in _mirror(source, site, Bounds(few=1, batch=batch))} == {State.EQUAL}
    assert len(ahead) == len(roots)
    assert max(ahead) <= batch


def test_a_site_that_stops_answering_is_not_asked_for_each_image(source: Scripted, site: Scripted) -> None:
    """What it does not say of the first images it is not asked about the others: each would take as long."""
    site.script = lambda asked: Swallow(0) if asked.is_("HEAD", "/manifests/sha256") else None
    results = _mirror(source, site, Bounds(few=1), Patience(tries=1))
    assert [one.state for one in results] == [State.UNREACHABLE] * len(TAGS)
    assert len([one for one in site.asked if one.is_("HEAD", "/manifests/sha256")]) == 1


def test_the_platforms_of_one_image_are_read_side_by_side(source: Scripted, site: Scripted) -> None:
    """Over a long line a level takes as long as one of it: none of four is answered before all are asked."""
    maker = Maker(store=source.store(), repository=NAME)
    children = [maker.image(b"%d" % number, child=True) for number in range(4)]
    maker.index(children, tag="v0")
    met, waiting = threading.Event(), itertools.count(1)

    def meet(asked: Asked) -> None:
        if any(asked.is_("GET", f"/manifests/{child.digest}") for child in children):
            if next(waiting) == len(children):
                met.set()
            met.wait(20)

    source.script = meet
    assert {one.state for one in _mirror(source, site, Bounds())} == {State.EQUAL}
    assert met.is_set()


@pytest.mark.parametrize("batch", [2, 64])
def test_a_site_that_answers_slowly_does_not_hold_up_the_others(source: Scripted, site: Scripted, batch: int) -> None:
    """It takes all bytes at once and answers when the others have everything: then it is served by itself."""
    with mini_registry.serve() as slow:
        done = threading.Event()

        def served(asked: Asked) -> None:
            if asked.is_("HEAD", "/manifests/v") and len(site.tags.get(NAME, {})) == len(TAGS):
                done.set()

        def answer(asked: Asked) -> None:
            if asked.is_("PUT", "/manifests/"):
                done.wait(20)

        site.script, slow.script = served, answer
        bounds = Bounds(few=1, batch=batch, patience_seconds=0.05)
        order = replace(_order(source, site, bounds), sites={"busan": site.store(), "sejong": slow.store()})
        assert {one.state for one in mirror(order)} == {State.EQUAL}
        assert done.is_set()
        assert slow.tags == site.tags
