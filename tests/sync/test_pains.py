"""What users of other mirrors suffer from, one test for each; the trackers where they tell of it are named.

Each name can be searched for. The twelfth is about git, and has its tests beside what they are about: go-gitea#14076 in
``test_release``, go-gitea#36736 in ``test_default_branch``, go-gitea#34897 with git-lfs#4255 and gickup#200 in
``test_large``, vsts-mirror#125, git-mirror-action#1 and git-mirror-action#28 in ``test_servers``. What goes wrong while
bytes are on their way is in ``test_pains_under_way``; ``docs/pains.md`` lists them all.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lockstep import errors, work
from lockstep.sites import ends
from lockstep.sites.http.wire import Patience
from lockstep.sites.registry.credentials import Credential
from lockstep.store.database import Database
from sync import images as mirroring
from sync.fan import Bounds
from sync.images import Request
from sync.mirror import Order, Result, mirror
from sync.states import State
from tests.support import images, mini_registry, token_server
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Reply, Scripted, error
from tests.sync.test_images import World

NAME = "pay/api"


@pytest.fixture
def site() -> Iterator[Scripted]:
    """A site's registry."""
    with mini_registry.serve() as running:
        yield running


@pytest.fixture
def source() -> Iterator[Scripted]:
    """Where images come from."""
    with mini_registry.serve() as running:
        yield running


def _order(source: Scripted, site: Scripted, *tags: str) -> Order:
    store = source.store()
    references = dict.fromkeys(tags, "") or store.tags(NAME) or {}
    return Order(repository=NAME, source=store, sites={"sejong": site.store()}, references=references)


def _states(results: list[Result]) -> set[State]:
    return {result.state for result in results}


def _fill(source: Scripted, count: int) -> list[ends.Descriptor]:
    maker = Maker(store=source.store(), repository=NAME)
    return [maker.image(b"layer %d" % number, tag=f"v{number}") for number in range(count)]


def test_1_an_equal_tag_costs_a_head_at_each_end_and_many_are_asked_at_once(source: Scripted, site: Scripted) -> None:
    """skopeo#1021, skopeo#1498, skopeo#2111: a sync with nothing to do takes hours, one GET after another."""
    _fill(source, 24)
    mirror(_order(source, site))
    together = threading.Barrier(4)

    def meet(asked: Asked) -> None:
        if asked.method == "HEAD" and asked.path.endswith(("/v0", "/v1", "/v10", "/v11")):
            together.wait(20)  # passes only when these four are under way together

    order = _order(source, site)
    source.asked.clear()
    site.asked.clear()
    site.script = meet
    assert _states(mirror(order)) == {State.EQUAL}
    for registry in (source, site):
        assert Counter(one.method for one in registry.asked) == {"HEAD": 24}


def test_2_a_tag_that_was_deleted_can_be_deleted_everywhere_without_its_image(
    tmp_path: Path, file_database: Database
) -> None:
    """skopeo#2503, skopeo#1752, regclient#1010: stale tags stay for ever; quay#5852: or go because a filter changed.

    harbor#18820: no registry tells of a deleted tag; a full look finds it.
    """
    world = World(tmp_path, file_database, deleted="delete")
    made = world.maker.image(b"one", tag="v1")
    world.maker.image(b"two", tag="v2")
    world.handle()
    world.maker.store.untag(NAME, "v1")
    world.handle()
    sejong = world.doors.images("sejong")
    assert set(sejong.tags(NAME) or {}) == {"v2"}
    assert sejong.resolve(NAME, made.digest) is not None


@pytest.mark.parametrize("scheme", ["referrers", "fallback tag", ".sig", ".att", ".sbom"])
def test_3_signatures_and_bills_of_materials_come_along_before_the_tag(
    source: Scripted, site: Scripted, scheme: str
) -> None:
    """skopeo#2227, skopeo#1994, skopeo#2061, ggcr#1434, ggcr#1767, harbor#23210: mirrored images lose them.

    harbor#19788: they arrive, and belong to nothing any more. cosign#2028: there is no tag by which to find them all.
    falcosecurity/plugins#1211, ovos-docker#147: since cosign's third version they refer to the image and have no tag.
    """
    source.referrers = site.referrers = scheme == "referrers"
    maker = Maker(store=source.store(), repository=NAME)
    made = maker.platforms(b"layer", tag="v1")
    beside = f"{made.digest.replace(':', '-')}{scheme}"
    if scheme.startswith("."):  # cosign's first two versions
        signature = maker.artifact(None, b"signature", tag=beside)
    else:
        signature = maker.artifact(made, b"signature")
    assert _states(mirror(_order(source, site))) == {State.EQUAL}
    store = site.store()
    assert store.manifest(NAME, signature.digest) is not None
    if not scheme.startswith("."):
        assert [one.digest for one in store.referrers(NAME, made.digest)] == [signature.digest]
    written = [one.path.rpartition("/")[2] for one in site.asked if one.is_("PUT", "/manifests/")]
    signed = [place for place, name in enumerate(written) if name in (signature.digest, beside)]
    assert signed
    assert signed[0] < written.index("v1")


def test_4_requests_go_over_several_connections_of_http_1(source: Scripted, site: Scripted) -> None:
    """zot#4333, zot#4335, zot#4075: HTTP/2 puts all streams on one connection, at a hundredth of the line's speed."""
    _fill(source, 4)
    together = threading.Event()
    waiting = itertools.count(1)

    def meet(asked: Asked) -> None:
        # HTTP/1.1 answers one request at a time on a connection: four that wait at once have one each.
        if asked.is_("GET", "/blobs/"):
            if next(waiting) == 4:
                together.set()
            together.wait(20)

    source.script = meet
    patient = source.store(patience=Patience())
    assert _states(mirror(replace(_order(source, site), source=patient))) == {State.EQUAL}
    assert together.is_set()


def test_5_a_hub_that_throttles_even_listing_is_waited_for_and_told_how_long(source: Scripted, site: Scripted) -> None:
    """skopeo#2426, harbor#17746, regclient#711: 429 ends the run, or is hammered on."""
    _fill(source, 1)
    calm = iter([error(429, "TOOMANYREQUESTS", **{"Retry-After": "0"})])
    source.script = lambda asked: next(calm, None) if "/tags/" in asked.path else None
    assert _states(mirror(_order(source, site))) == {State.EQUAL}
    left = {"RateLimit-Remaining": "0;w=21600", "RateLimit-Limit": "100;w=21600"}
    source.script = lambda _asked: error(429, "TOOMANYREQUESTS", **left)
    source.asked.clear()
    with pytest.raises(errors.ThrottledError) as caught:
        source.store().tags(NAME)
    assert caught.value.wait_seconds == 900
    assert len(source.asked) == 1


def test_6_a_token_is_for_one_repository_however_many_were_asked_for_before(source: Scripted) -> None:
    """regclient#797: scopes pile up until ACR says "Request Header Or Cookie Too Large"."""
    with token_server.serve() as tokens:
        challenge = {"WWW-Authenticate": f'Bearer realm="{tokens.url}/token"'}
        source.script = lambda asked: (
            None if asked.headers.get("authorization") == "Bearer granted" else error(401, "UNAUTHORIZED", **challenge)
        )
        store = source.store(source=lambda: Credential(username="u", password="p"), trusted=(tokens.host,))
        for number in range(30):
            store.tags(f"team/app-{number}")
        assert tokens.scopes == [(f"repository:team/app-{number}:pull",) for number in range(30)]


def test_7_a_promotion_by_retag_that_no_event_told_of_is_found_by_the_sweep(
    tmp_path: Path, file_database: Database
) -> None:
    """harbor#22640, harbor#20897: a tag that moves without a push is never replicated."""
    world = World(tmp_path, file_database)
    made = world.maker.image(b"one", tag="v1")
    world.handle()
    whole = world.maker.store.manifest(NAME, made.digest)
    assert whole is not None
    world.maker.store.write_manifest(NAME, whole, tag="production")
    world.clock.moment = world.clock.moment.replace(hour=10)
    swept = mirroring.handle_sweep(world.context, replace(_claim(), kind=work.Kind.SWEEP_IMAGES))
    assert isinstance(swept, work.Done)
    assert [job.payload["repository"] for job in swept.then] == [NAME]
    world.handle()
    assert (world.doors.images("sejong").tags(NAME) or {})["production"] == made.digest


def test_8_a_storm_of_events_for_one_push_sends_everything_once(source: Scripted, site: Scripted) -> None:
    """harbor#22073, harbor#11713: an event for each platform, and a replication for each event."""
    made = Maker(store=source.store(), repository=NAME).platforms(b"layer", tag="v1")
    children = [one for one in source.manifests[NAME] if one != made.digest]
    mirror(_order(source, site, "v1"))
    source.asked.clear()
    site.asked.clear()
    for child in children:
        assert _states(mirror(_order(source, site, child))) == {State.EQUAL}
    for registry in (source, site):
        assert Counter(one.method for one in registry.asked) == {"HEAD": len(children)}
    jobs = [work.mirror_images(NAME, references=("v1",), urgent=True) for _ in range(9)]
    assert len({job.coalesce for job in jobs}) == 1


def test_9_an_immutable_tag_that_is_equal_already_is_not_pushed_again(source: Scripted, site: Scripted) -> None:
    """moby/buildkit#3776, aws/containers-roadmap#2179: the push of the same digest fails, and with it the run."""
    _fill(source, 2)
    mirror(_order(source, site, "v0"))
    site.script = lambda asked: error(400, "TAG_INVALID", "immutable") if asked.is_("PUT", "/manifests/v0") else None
    assert _states(mirror(_order(source, site))) == {State.EQUAL}
    assert site.store().resolve(NAME, "v1") is not None


def test_10_a_repository_that_has_to_be_made_first_is_said_to_be(source: Scripted, site: Scripted) -> None:
    """regclient#203, regclient#869, sinker#55, eks-anywhere#1783: ECR and Harbor fail with a code that says nothing."""
    _fill(source, 1)
    site.script = lambda asked: error(404, "NAME_UNKNOWN", "project pay not found") if asked.method == "POST" else None
    (result,) = mirror(_order(source, site))
    assert result.state is State.FAILED
    assert "project pay not found" in result.detail
    assert "to be made before it is written to" in result.detail


def test_11_a_list_in_pages_is_read_to_its_end(source: Scripted) -> None:
    """regclient#404: ACR gives a hundred repositories a page; what is on the next is never mirrored."""
    names = [f"team/app-{number:03}" for number in range(250)]

    def page(asked: Asked) -> Reply | None:
        if asked.path != "/v2/_catalog":
            return None
        start = names.index(asked.query["last"]) + 1 if "last" in asked.query else 0
        some = names[start : start + 100]
        link = f'</v2/_catalog?last={some[-1]}&n=100&orderby=>; rel="next"'
        listed = ",".join(f'"{name}"' for name in some)
        more = {"Link": link} if start + 100 < len(names) else {}
        return Reply(200, f'{{"repositories":[{listed}]}}'.encode(), {"Content-Type": "application/json", **more})

    source.script = page
    assert source.store().repositories() == names


def _together(count: int, is_one: Callable[[Asked], bool]) -> tuple[Callable[[Asked], None], threading.Event]:
    """A script that lets some requests through once so many of them are under way together; and whether they were."""
    met, waiting = threading.Event(), itertools.count(1)

    def meet(asked: Asked) -> None:
        if is_one(asked):
            if next(waiting) == count:
                met.set()
            met.wait(20)

    return meet, met


@pytest.mark.parametrize("looks", [1, 3, 12])
def test_11_questions_have_a_limit_of_their_own_which_they_reach_and_keep(
    source: Scripted, site: Scripted, looks: int
) -> None:
    """regclient#328, regclient#902: checks have no limit of their own; few at once, or GOAWAY ENHANCE_YOUR_CALM."""
    _fill(source, 40)
    mirror(_order(source, site))
    order = _order(source, site)
    stores = {"source": source.store(patience=Patience()), "sites": {"sejong": site.store(patience=Patience())}}
    order = replace(order, **stores, bounds=Bounds(looks=looks))  # type: ignore[arg-type]  # by name
    early = {f"/v2/{NAME}/manifests/{tag}" for tag in list(order.references)[:8]}
    meetings = []
    for registry in (source, site):  # the first eight of many are asked before the others
        registry.script, met = _together(looks, lambda asked: asked.method == "HEAD" and asked.path not in early)
        meetings.append(met)
        registry.asked.clear()
    assert _states(mirror(order)) == {State.EQUAL}
    assert all(met.is_set() for met in meetings)
    for registry in (source, site):
        # A connection is used again as soon as it is free: so many were opened as there were questions at once.
        assert len({one.port for one in registry.asked}) == looks


def test_11_what_is_asked_one_by_one_is_still_sent_several_at_once(source: Scripted, site: Scripted) -> None:
    """regclient#328, #902: one limit for both makes checks a crowd, or transfers a queue."""
    _fill(source, 4)
    source.script, met = _together(4, lambda asked: asked.is_("GET", "/blobs/"))
    order = replace(_order(source, site), source=source.store(patience=Patience()), bounds=Bounds(looks=1, streams=4))
    assert _states(mirror(order)) == {State.EQUAL}
    assert met.is_set()


def test_a_report_of_success_means_that_every_blob_is_there(tmp_path: Path, file_database: Database) -> None:
    """harbor#22640: a success over missing blobs is the worst that a mirror can do; ``--verify`` finds and mends it."""
    world = World(tmp_path, file_database)
    layer = images.blob(b"layer")
    world.maker.image(b"layer", tag="v1")
    world.handle()
    (tmp_path / "sejong" / NAME / "blobs/sha256" / layer.digest[7:]).unlink()
    report = mirroring.run(world.context, Request(deep=True))
    assert report.exit_code == 0
    assert world.doors.images("sejong").has_blob(NAME, layer)


def _claim() -> work.Claim:
    return work.Claim(id=1, kind=work.Kind.IMAGE_MIRROR, payload={}, fence="f", attempt=1, crashes=0)
