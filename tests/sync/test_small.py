"""Small blobs beside large ones: more of them at once, and none of them sent twice."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from lockstep.sites.http.wire import Patience
from sync.fan import Bounds
from sync.mirror import Order, mirror
from sync.states import State
from tests.support import images, mini_registry
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Scripted

NAME = "pay/api"
LARGE = 2**19 + 1


@pytest.fixture
def source() -> Iterator[Scripted]:
    """Where images come from."""
    with mini_registry.serve() as running:
        yield running


@pytest.fixture
def site() -> Iterator[Scripted]:
    """A site's registry."""
    with mini_registry.serve() as running:
        yield running


def _mirror(source: Scripted, site: Scripted, bounds: Bounds) -> set[State]:
    stores = [one.store(patience=Patience()) for one in (source, site)]
    order = Order(repository=NAME, source=stores[0], sites={"sejong": stores[1]}, references={"v1": ""}, bounds=bounds)
    return {result.state for result in mirror(order)}


def test_small_blobs_pass_a_large_one_that_takes_its_time(source: Scripted, site: Scripted) -> None:
    """The one large blob that may be on its way is not answered before six small ones are under way together."""
    large = b"x" * LARGE
    Maker(store=source.store(), repository=NAME).image(large, *(b"%d" % one for one in range(9)), tag="v1")
    met, waiting = threading.Event(), itertools.count(1)

    def meet(asked: Asked) -> None:
        if asked.is_("GET", "/blobs/"):
            if not asked.path.endswith(images.digest(large)) and next(waiting) == 6:
                met.set()
            met.wait(20)

    source.script = meet
    assert _mirror(source, site, Bounds(streams=1, small=6)) == {State.EQUAL}
    assert met.is_set()


def test_a_small_blob_that_arrived_before_the_large_ones_is_not_sent_again(source: Scripted, site: Scripted) -> None:
    """A mirroring that was broken off before its first tag: none of the first large blobs had landed."""
    layers = [bytes([one]) * LARGE for one in range(17)]
    Maker(store=source.store(), repository=NAME).image(*layers, b"small", tag="v1")
    Maker(store=site.store(), repository=NAME).put(b"small")
    site.asked.clear()
    assert _mirror(source, site, Bounds()) == {State.EQUAL}
    sent = [one.query["digest"] for one in site.asked if one.is_("PUT", "/uploads/")]
    assert images.digest(b"small") not in sent
    assert len(sent) == len(set(sent)) == 18
