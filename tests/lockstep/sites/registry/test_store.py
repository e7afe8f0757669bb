"""A registry answers as a directory of layouts does: real docker-registry, and one that knows referrers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.sites.layout import LayoutStore
from lockstep.sites.registry import RegistryStore
from tests.support import images, mini_registry, registries
from tests.support.images import Maker


@pytest.fixture(params=[pytest.param("docker-registry", marks=pytest.mark.needs("docker-registry")), "scripted"])
def store(request: pytest.FixtureRequest) -> Iterator[RegistryStore]:
    """A registry that stands for many: without a list of referrers, and with one."""
    if request.param == "docker-registry":
        yield request.getfixturevalue("docker_registry").store(
            prefix=hashlib.md5(request.node.name.encode()).hexdigest()
        )
        return
    with mini_registry.serve() as running:
        yield running.store()


def test_one_of_everything_comes_back_byte_for_byte(store: RegistryStore, tmp_path: Path) -> None:
    """Every shape of image, and what refers to it, is what a layout has of it."""
    layout = LayoutStore(tmp_path)
    made = images.corpus(Maker(store=store, repository="pay/api"))
    images.corpus(Maker(store=layout, repository="pay/api"))
    for name, described in made.items():
        assert store.manifest("pay/api", described.digest) == layout.manifest("pay/api", described.digest), name
        reference = described.digest if name.startswith("<") else name
        assert store.resolve("pay/api", reference) == described
        raw = store.manifest("pay/api", described.digest)
        assert raw is not None
        for blob in oci.contents(raw).blobs:
            assert store.has_blob("pay/api", blob)
            assert images.read(store, "pay/api", blob) == images.read(layout, "pay/api", blob)
    for signed in ("platforms", "<signature>", "plain"):
        found = {one.digest for one in store.referrers("pay/api", made[signed].digest)}
        assert found == {one.digest for one in layout.referrers("pay/api", made[signed].digest)}
    own = {tag for tag in store.tags("pay/api") or {} if not tag.startswith("sha256-")}
    assert own == set(layout.tags("pay/api") or {})


def test_what_is_not_there_is_none_and_no_error(store: RegistryStore) -> None:
    """An absent repository, tag, digest, blob."""
    nowhere = images.blob(b"nowhere")
    assert store.tags("no/such") is None
    assert store.resolve("no/such", "v1") is None
    assert store.resolve("no/such", nowhere.digest) is None
    assert store.manifest("no/such", nowhere.digest) is None
    assert store.referrers("no/such", nowhere.digest) == []
    assert not store.has_blob("no/such", nowhere)
    with pytest.raises(errors.NotFoundError):
        images.read(store, "no/such", nowhere)


def test_a_blob_of_sha512_is_written_and_read(store: RegistryStore) -> None:
    """Both registered algorithms are served."""
    made = Maker(store=store, repository="pay/api", algorithm="sha512").put(b"layer" * 1000)
    assert made.digest.startswith("sha512:")
    assert store.has_blob("pay/api", made)
    assert images.read(store, "pay/api", made) == b"layer" * 1000


def test_a_large_blob_streams_through(store: RegistryStore) -> None:
    """In one request, and back in chunks of at most a MiB."""
    data = bytes(range(256)) * 20_000
    wanted = images.blob(data)
    store.write_blob("pay/api", wanted, (data[at : at + 700_000] for at in range(0, len(data), 700_000)))
    with store.read_blob("pay/api", wanted) as chunks:
        read = list(chunks)
    assert b"".join(read) == data
    assert max(map(len, read)) <= 2**20


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_a_blob_that_is_not_what_was_announced_never_appears(store: RegistryStore, size: int) -> None:
    """Others bytes, fewer, more, or none after all: it is an error, and the registry has nothing."""
    data = b"x" * size
    wanted = images.blob(data)
    wrong = [[data + b"y"], [b"y" * size], [data[:-1]], [data[: size // 2], data[: size // 2 + 1 + size % 2], b"z"]]
    for given in wrong if size else wrong[:1]:
        with pytest.raises(errors.IntegrityError, match="is not the blob"):
            store.write_blob("pay/api", wanted, given)
        assert not store.has_blob("pay/api", wanted)

    def breaking() -> Iterator[bytes]:
        yield data[: size // 2]
        raise errors.UnreachableError("The source went away.")

    with pytest.raises(errors.UnreachableError, match="The source went away"):
        store.write_blob("pay/api", wanted, breaking())
    assert not store.has_blob("pay/api", wanted)
    store.write_blob("pay/api", wanted, [data] if size else [])
    assert images.read(store, "pay/api", wanted) == data


def test_a_manifest_without_its_blobs_is_refused(store: RegistryStore) -> None:
    """The registry says so, and it comes out as what it is."""
    maker = Maker(store=store, repository="pay/api")
    absent = images.blob(b"absent", oci.OCI_CONFIG)
    with pytest.raises(errors.NotFoundError):
        maker.manifest({"config": oci.as_json(absent), "layers": []}, oci.OCI_MANIFEST, tag="v1")
    assert store.resolve("pay/api", "v1") is None


def test_a_manifest_whose_bytes_are_others_is_never_sent(store: RegistryStore) -> None:
    """What is written is what its digest says."""
    wrong = ends.Manifest(media_type=oci.OCI_MANIFEST, digest=images.digest(b"other"), raw=b"{}")
    with pytest.raises(errors.IntegrityError):
        store.write_manifest("pay/api", wrong)


def test_a_blob_is_taken_over_from_another_repository(store: RegistryStore) -> None:
    """By name, or from where it was seen; without being sent."""
    made = Maker(store=store, repository="pay/api").put(b"shared layer")
    assert store.mount_blob("pay/settle", made, origin="pay/api")
    assert store.mount_blob("pay/ledger", made)
    assert images.read(store, "pay/ledger", made) == b"shared layer"
    absent = images.blob(b"absent")
    assert not store.mount_blob("pay/ledger", absent)
    assert not store.mount_blob("pay/ledger", absent, origin="pay/api")
    store.write_blob("pay/ledger", absent, [b"absent"])  # goes on with what the mount began
    assert store.has_blob("pay/ledger", absent)


def test_a_tag_goes_and_what_it_named_stays(store: RegistryStore) -> None:
    """Other tags of the same digest too, also where only digests can be deleted."""
    made = Maker(store=store, repository="pay/api").image(b"layer", tag="v1")
    found = store.manifest("pay/api", made.digest)
    assert found is not None
    store.write_manifest("pay/api", found, tag="v2")
    assert store.untag("pay/api", "v1")
    assert set(store.tags("pay/api") or {}) == {"v2"}
    assert store.resolve("pay/api", made.digest) == made
    assert store.untag("pay/api", "v1")  # gone is gone


def test_names_that_are_no_names_are_not_asked_for(store: RegistryStore) -> None:
    """No path is built from them."""
    for repository in ("../etc", "Pay/API", "", "a//b", "a?b"):
        with pytest.raises(errors.InputError):
            store.tags(repository)
    for reference in ("../v1", "v1?x", "", "sha256:abc"):
        with pytest.raises(errors.InputError):
            store.resolve("pay/api", reference)
    with pytest.raises(errors.InputError):
        store.has_blob("pay/api", ends.Descriptor(media_type="x", digest="sha256:../x", size=1))
    with pytest.raises(errors.InputError):
        store.untag("pay/api", "a/b")


def test_repositories_are_those_below_the_prefix(store: RegistryStore) -> None:
    """What the registry lists, as we name it."""
    Maker(store=store, repository="pay/api").image(tag="v1")
    Maker(store=store, repository="vendor/hsm").image(tag="v1")
    assert store.repositories() == ["pay/api", "vendor/hsm"]


def test_many_things_refer_to_one(store: RegistryStore) -> None:
    """Written by several threads at once, none is lost from the list."""
    maker = Maker(store=store, repository="pay/api")
    signed = maker.image(tag="v1")
    made = {maker.artifact(signed, b"signature %d" % number).digest for number in range(5)}
    again = store.manifest("pay/api", min(made))
    assert again is not None
    store.write_manifest("pay/api", again)
    assert {one.digest for one in store.referrers("pay/api", signed.digest)} == made


@pytest.mark.needs("docker-registry")
def test_a_registry_that_deletes_nothing_keeps_the_tag_as_it_is(tmp_path: Path) -> None:
    """It is said, and the tag still names its image."""
    with registries.serve(tmp_path, deletes=False) as running:
        store = running.store()
        made = Maker(store=store, repository="pay/api").image(tag="v1")
        assert not store.untag("pay/api", "v1")
        assert store.resolve("pay/api", "v1") == made


def test_an_index_of_the_fallback_names_what_it_lists_in_full(docker_registry: registries.Registry) -> None:
    """Kind and annotations are copied, as the specification wants of clients."""
    store = docker_registry.store()
    maker = Maker(store=store, repository="fallback")
    signed = maker.image(tag="v1")
    made = maker.artifact(signed, b"signature")
    (found,) = store.referrers("fallback", signed.digest)
    assert (found.artifact_type, found.annotations) == ("application/vnd.example.signature", {"signed-by": "us"})
    assert (found.digest, found.size) == (made.digest, made.size)
    index = store.manifest("fallback", (store.resolve("fallback", f"sha256-{signed.digest[7:]}") or made).digest)
    assert index is not None
    assert orjson.loads(index.raw)["mediaType"] == oci.OCI_INDEX
