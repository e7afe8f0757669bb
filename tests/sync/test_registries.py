"""Images between real registries: a source and three sites, each a docker-registry of its own."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import orjson
import pytest

from lockstep.sites import oci
from lockstep.sites.layout import LayoutStore
from lockstep.sites.line import Pace
from lockstep.sites.registry.credentials import Credential
from sync.fan import Bounds
from sync.mirror import Order, Result, mirror
from sync.states import State
from sync.stock import verify
from tests.support import images, registries, skopeo, token_server
from tests.support.images import Maker
from tests.support.killing import Forked
from tests.support.mini_registry import QUICK
from tests.support.stores import Watched

pytestmark = pytest.mark.needs("docker-registry")
SITES = ("busan", "daegu", "sejong")
TAGS = 200


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[registries.Fleet]:
    """Registries for all tests: each takes a repository of its own."""
    with registries.fleet(tmp_path_factory.mktemp("fleet"), *SITES) as running:
        yield running


def _order(fleet: registries.Fleet, repository: str) -> Order:
    """Everything that the source has, to all sites, by doors that remember nothing."""
    source = fleet.source.store()
    return Order(
        repository=repository,
        source=source,
        sites={site: registry.store() for site, registry in fleet.sites.items()},
        references=source.tags(repository) or {},
    )


def _states(results: list[Result]) -> Counter[State]:
    return Counter(result.state for result in results)


def test_a_corpus_is_the_same_bytes_everywhere_and_a_second_run_only_asks(fleet: registries.Fleet) -> None:
    """Every shape of image and 200 tags: skopeo reads the same manifests everywhere; then one HEAD for each."""
    maker = Maker(store=fleet.source.store(), repository="corpus")
    shapes = images.corpus(maker)
    layer = replace(maker, algorithm="sha512").put(b"sha512" * 999)
    config = maker.put(orjson.dumps({"architecture": "amd64", "os": "linux"}), oci.OCI_CONFIG)
    body = {"config": oci.as_json(config), "layers": [oci.as_json(layer)]}
    shapes["sha512"] = maker.manifest(body, oci.OCI_MANIFEST, tag="sha512")
    made = maker.image(images.tar_gz({"base": b"b" * 5000}), b"own", tag="v000")
    found = maker.store.manifest("corpus", made.digest)
    assert found is not None
    for number in range(1, TAGS):
        if number % 20:  # most tags are of an image that others name too, as in every registry
            maker.store.write_manifest("corpus", found, tag=f"v{number:03}")
        else:
            made = maker.image(images.tar_gz({"base": b"b" * 5000}), b"own %d" % number, tag=f"v{number:03}")
            found = maker.store.manifest("corpus", made.digest) or found
    order = _order(fleet, "corpus")
    tags = len(order.references)
    assert tags >= TAGS + 10

    assert _states(mirror(order)) == {State.EQUAL: 3 * tags}
    for site in fleet.sites.values():
        assert set(site.store().tags("corpus") or {}) == set(order.references)
        for described in shapes.values():
            assert verify(site.store(), "corpus", described.digest, read=True).whole
        assert images.read(site.store(), "corpus", layer) == b"sha512" * 999
    for tag in [name for name in shapes if not name.startswith("<")]:
        raw = {skopeo.inspect(f"docker://{registry.host}/corpus:{tag}", tls=False) for registry in fleet.all}
        assert len(raw) == 1, tag

    fleet.forget()
    assert _states(mirror(_order(fleet, "corpus"))) == {State.EQUAL: 3 * tags}
    asked = fleet.source.requests()
    assert Counter(one.method for one in asked) == {"HEAD": tags, "GET": 1}
    assert [one.path.partition("?")[0] for one in asked if one.method == "GET"] == ["/v2/corpus/tags/list"]
    for site in fleet.sites.values():
        assert site.methods() == {"HEAD": tags}


def test_each_byte_is_read_from_the_source_once_for_all_sites(fleet: registries.Fleet) -> None:
    """Three sites cost the source no more than one."""
    maker = Maker(store=fleet.source.store(), repository="once")
    for number in range(3):
        maker.platforms(b"shared" * 200_000, b"own %d" % number * 100_000, tag=f"v{number}")
    fleet.forget()
    assert set(_states(mirror(_order(fleet, "once")))) == {State.EQUAL}
    reads = Counter(one.path for one in fleet.source.requests() if one.method == "GET" and "/blobs/" in one.path)
    assert reads
    assert set(reads.values()) == {1}


@pytest.mark.chaos
def test_killed_in_the_middle_it_goes_on_without_sending_a_finished_blob_again(fleet: registries.Fleet) -> None:
    """Kill -9 while blobs are on their way: the next process sends to each site only what it has not got."""
    maker = Maker(store=fleet.source.store(), repository="killed")
    for number in range(12):
        maker.image(b"%d" % number * 300_000, b"%d more" % number * 200_000, tag=f"v{number:02}")
    fleet.forget()
    with Forked(lambda: _work(fleet)) as child:
        deadline = time.monotonic() + 60
        finished: Counter[str] = Counter()
        while len(finished) < 10:
            assert time.monotonic() < deadline
            finished += _finished(fleet.sites["daegu"])
        child.kill()
    before = {site: set(_finished(registry)) for site, registry in fleet.sites.items()}
    before["daegu"] |= set(finished)
    assert _states(mirror(_order(fleet, "killed"))) == {State.EQUAL: 36}
    for site, registry in fleet.sites.items():
        after = _finished(registry)
        assert not before[site] & set(after), site
        assert set(after.values()) <= {1}
        assert len(before[site]) + len(after) >= 24
    fleet.forget()
    assert _states(mirror(_order(fleet, "killed"))) == {State.EQUAL: 36}
    assert all(site.methods() == {"HEAD": 12} for site in fleet.sites.values())


def _work(fleet: registries.Fleet) -> None:
    mirror(_order(fleet, "killed"))


def _finished(registry: registries.Registry) -> Counter[str]:
    """The blobs that were finished at a registry since the last look, and how often."""
    return Counter(
        unquote(found[1])
        for one in registry.requests()
        if one.method == "PUT" and one.status == 201 and (found := re.search(r"[?&]digest=([^&]+)", one.path))
    )


def test_a_site_that_restarts_and_believes_other_tokens_in_the_middle_is_served_in_the_end(tmp_path: Path) -> None:
    """Its key was exchanged: tokens that were good are renewed, and what did not arrive the next run brings."""
    with registries.serve(tmp_path / "source") as origin, token_server.serve() as tokens, ExitStack() as running:
        maker = Maker(store=origin.store(), repository="pay/api")
        for number in range(4):
            maker.image(bytes([number]) * 9_000_000, tag=f"v{number}")
        signers = [_signer(tmp_path / name) for name in ("before", "after")]
        port = registries.free_port()

        def start(signer: token_server.Signer) -> registries.Registry:
            tokens.sign = signer.sign
            wanted = registries.Tokens(realm=f"{tokens.url}/token", certificate=signer.certificate)
            return running.enter_context(registries.serve(tmp_path / "site", port=port, tokens=wanted))

        def restart(method: str, _about: str) -> None:
            if method == "read" and next(reads) == 2:
                running.close()
                start(signers[1])

        reads = itertools.count()
        source = Watched(origin.store())
        source.hook = restart
        site = start(signers[0]).store(source=_robot, trusted=(tokens.host,), patience=QUICK)
        order = Order(
            repository="pay/api", source=source, sites={"sejong": site}, references=origin.store().tags("pay/api") or {}
        )
        assert {result.state for result in mirror(order)} <= {State.EQUAL, State.UNREACHABLE}
        assert {result.state for result in mirror(order)} == {State.EQUAL}
        named = [origin.store().resolve("pay/api", f"v{number}") for number in range(4)]
        assert all(one is not None and verify(site, "pay/api", one.digest, read=True).whole for one in named)


def _robot() -> Credential:
    return Credential(username="robot", password="made-up")


def _signer(folder: Path) -> token_server.Signer:
    folder.mkdir()
    return token_server.Signer.make(folder)


def test_a_registry_and_layouts_are_mirrored_to_each_other(fleet: registries.Fleet, tmp_path: Path) -> None:
    """From a registry to a directory and to another registry in one go, and from there back: the same digests."""
    maker = Maker(store=fleet.source.store(), repository="mixed")
    made = images.corpus(maker)
    folder = LayoutStore(tmp_path)
    order = _order(fleet, "mixed")
    results = mirror(replace(order, sites={"warm": folder, "busan": fleet.sites["busan"].store()}))
    assert {(result.state, result.detail) for result in results} == {(State.EQUAL, "")}
    back = mirror(
        Order(
            repository="mixed",
            source=folder,
            sites={"sejong": fleet.sites["sejong"].store()},
            references=folder.tags("mixed") or {},
        )
    )
    assert set(_states(back)) == {State.EQUAL}
    for described in made.values():
        for store in (folder, fleet.sites["busan"].store(), fleet.sites["sejong"].store()):
            assert verify(store, "mixed", described.digest, read=True).whole


def test_a_base_that_a_site_has_in_another_repository_is_not_sent_again(fleet: registries.Fleet) -> None:
    """What was seen in one repository of a registry is mounted in the next."""
    base = b"base" * 500_000
    for repository in ("first", "second"):
        Maker(store=fleet.source.store(), repository=repository).image(base, repository.encode(), tag="v1")
    site = fleet.sites["daegu"].store()
    for repository in ("first", "second"):
        fleet.forget()
        order = Order(repository=repository, source=fleet.source.store(), sites={"daegu": site}, references={"v1": ""})
        assert _states(mirror(order)) == {State.EQUAL: 1}
    asked = fleet.sites["daegu"].requests()
    mounts = [one for one in asked if one.method == "POST" and one.status == 201]
    assert [f"mount={images.digest(base)}&from=first" in one.path for one in mounts] == [True]
    sent = {unquote(one.path.rpartition("digest=")[2]) for one in asked if one.method == "PUT"}
    assert images.digest(base) not in sent
    assert not any(images.digest(base) in one.path for one in fleet.source.requests())


def test_a_blob_that_vanished_at_a_site_is_noticed_and_sent_again(fleet: registries.Fleet) -> None:
    """What a door remembers is asked for anew as soon as the registry contradicts."""
    maker = Maker(store=fleet.source.store(), repository="vanishing")
    layer = images.blob(b"layer" * 1000)
    maker.image(b"layer" * 1000, tag="v1")
    registry = fleet.sites["busan"]
    site = registry.store()

    def bring() -> set[State]:
        return set(_states(mirror(replace(_order(fleet, "vanishing"), sites={"busan": site}))))

    assert bring() == {State.EQUAL}
    home = registry.root / "images/docker/registry/v2/repositories/vanishing/_layers/sha256"
    (home / layer.digest.partition(":")[2] / "link").unlink()
    maker.image(b"layer" * 1000, b"more", tag="v2")
    assert bring() == {State.EQUAL}
    assert site.has_blob("vanishing", layer)


def test_a_site_that_has_nothing_is_asked_for_sixteen_blobs_and_no_more(fleet: registries.Fleet) -> None:
    """Its repository has no tag: each other blob costs two requests, and each manifest one."""
    maker = Maker(store=fleet.source.store(), repository="new")
    for number in range(20):
        maker.image(b"%d" % number * 1000, tag=f"v{number:02}")
    fleet.forget()
    assert set(_states(mirror(_order(fleet, "new")))) == {State.EQUAL}
    for site in fleet.sites.values():
        asked = Counter((one.method, one.path.split("/")[3]) for one in site.requests())
        assert asked["HEAD", "blobs"] == 16
        assert asked["POST", "blobs"] == asked["PUT", "blobs"] == 40
        assert asked["PUT", "manifests"] == 20
        assert asked["HEAD", "manifests"] == 8 + 20  # the first tags, and each tag after it was written


def test_a_dry_run_puts_nothing_anywhere_and_reads_no_layer(fleet: registries.Fleet) -> None:
    """By the registries' own logs: heads and manifests, at every end; and a site stays without the repository."""
    maker = Maker(store=fleet.source.store(), repository="planned")
    for number in range(3):
        maker.platforms(b"shared" * 1000, b"own %d" % number * 100, tag=f"v{number}")
    mirror(replace(_order(fleet, "planned"), sites={"busan": fleet.sites["busan"].store()}, references={"v0": ""}))
    files = {site: _files(registry) for site, registry in fleet.sites.items()}
    fleet.forget()
    results = mirror(replace(_order(fleet, "planned"), dry_run=True))
    assert _states(results) == {State.EQUAL: 1, State.BEHIND: 8}
    assert all(result.size > 0 for result in results if result.state is State.BEHIND)
    asked = fleet.source.requests()
    assert {one.method for one in asked} == {"HEAD", "GET"}
    assert not [one for one in asked if one.method == "GET" and "/blobs/" in one.path]
    for site, registry in fleet.sites.items():
        assert set(registry.methods()) <= {"HEAD", "GET"}
        assert _files(registry) == files[site]


def _files(registry: registries.Registry) -> set[Path]:
    return set((registry.root / "images").rglob("*"))


def test_over_a_slow_line_what_a_deploy_waits_for_arrives_first(fleet: registries.Fleet) -> None:
    """By the log of the site that is written to: the digest that is asked for meanwhile overtakes the rest."""
    maker = Maker(store=fleet.source.store(), repository="wanted")
    made = {f"v{number}": maker.image(b"%d" % number * 5000, tag=f"v{number}") for number in range(6)}
    asked = iter([[], [made["v4"].digest]])
    order = replace(
        _order(fleet, "wanted"),
        sites={"daegu": fleet.sites["daegu"].store()},
        wanted=lambda: next(asked, []),
        bounds=Bounds(streams=1, lines={"daegu": Pace(1e9)}),
    )
    fleet.forget()
    assert set(_states(mirror(order))) == {State.EQUAL}
    puts = [one.path for one in fleet.sites["daegu"].requests() if one.method == "PUT" and "/manifests/v" in one.path]
    first = min(made, key=lambda tag: made[tag].digest)
    second = "v4" if first != "v4" else min(set(made) - {"v4"}, key=lambda tag: made[tag].digest)
    assert [path.rpartition("/")[2] for path in puts][:2] == [first, second]
