"""Images that are held until they are signed: between real registries, by the job and by the command's report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.store import images as stored
from lockstep.store.database import Database
from sync import images as mirroring
from sync.images import Report, Request
from sync.states import State
from tests.support import cosigned, registries
from tests.support.cosigned import Signer
from tests.support.images import Maker, new_store
from tests.support.stores import Watched
from tests.sync.test_images import World

pytestmark = [pytest.mark.needs("docker-registry"), pytest.mark.needs("openssl")]
SITES = ("sejong", "daegu")
KEYS = {"keys": [{"file": "keys/cosign.pub"}]}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[registries.Fleet]:
    """Registries for all tests: each takes a repository of its own."""
    with registries.fleet(tmp_path_factory.mktemp("fleet"), *SITES) as running:
        yield running


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """The one who is trusted."""
    return cosigned.signer(tmp_path_factory.mktemp("keys"))


class Quarantine:
    """A world whose mirror wants signatures, in a repository of its own."""

    def __init__(self, root: Path, database: Database, fleet: registries.Fleet, signer: Signer) -> None:
        self.repository = f"pay/{root.name.lower().replace('_', '-').strip('-')}"[:100].rstrip("-")
        self.world = World(root, database, signed=KEYS, repositories=["pay/*"])
        self.world.doors.keys = {"the file keys/cosign.pub": signer.public}
        self.fleet = fleet
        places = {"seoul": fleet.source, **fleet.sites}
        self.world.doors.stores = {site: Watched(registry.store()) for site, registry in places.items()}
        self.maker = Maker(store=fleet.source.store(), repository=self.repository)

    def look(self, *, deep: bool = False, dry_run: bool = False) -> Report:
        """Mirror once."""
        return mirroring.run(self.world.context, Request(deep=deep, dry_run=dry_run), name=self.repository)

    def tags(self, site: str) -> set[str]:
        """What a site shows."""
        return set(self.fleet.sites[site].store().tags(self.repository) or {})


@pytest.fixture
def quarantine(tmp_path: Path, file_database: Database, fleet: registries.Fleet, signer: Signer) -> Quarantine:
    """One of it."""
    return Quarantine(tmp_path, file_database, fleet, signer)


@pytest.mark.parametrize("scheme", ["tag", "referrer", "bundle"])
def test_an_image_waits_for_its_signature_and_goes_when_it_has_one(
    quarantine: Quarantine, signer: Signer, scheme: str
) -> None:
    """Held with exit code 1, nothing of it at any site; signed, it goes at the next look with its signature."""
    image = quarantine.maker.platforms(b"layer", tag="v1")
    report = quarantine.look()
    assert report.exit_code == 1
    assert {result.state for result in report.results} == {State.HELD}
    assert f"{image.digest} has no valid signature by the file keys/cosign.pub." in report.results[0].detail
    for site in SITES:
        store = quarantine.fleet.sites[site].store()
        assert quarantine.tags(site) == set()
        assert store.resolve(quarantine.repository, image.digest) is None

    message = cosigned.payload(image.digest)
    signed = (message, signer.sign(message))
    if scheme == "tag":
        cosigned.by_tag(quarantine.maker, image, signed)
    elif scheme == "referrer":
        cosigned.by_referrer(quarantine.maker, image, signed)
    else:
        cosigned.by_bundle(quarantine.maker, image, signer)
    assert quarantine.look().exit_code == 0
    beside = {f"sha256-{image.digest[7:]}.sig"} if scheme == "tag" else {f"sha256-{image.digest[7:]}"}
    for site in SITES:
        assert quarantine.tags(site) == {"v1", *beside}


def test_what_is_held_holds_nothing_else_and_is_kept_where_the_pages_look(
    quarantine: Quarantine, signer: Signer
) -> None:
    """The signed image beside it arrives; a dry run says the same; the store has the reason."""
    signed, unsigned = quarantine.maker.image(b"signed", tag="v1"), quarantine.maker.image(b"unsigned", tag="v2")
    message = cosigned.payload(signed.digest)
    cosigned.by_tag(quarantine.maker, signed, (message, signer.sign(message)))
    foreseen = {result.reference: result.state for result in quarantine.look(dry_run=True).results}
    assert (foreseen["v1"], foreseen["v2"]) == (State.BEHIND, State.HELD)
    quarantine.look()
    with quarantine.world.context.database.read() as connection:
        rows = {(row.reference, row.site): row for row in stored.standings(connection, quarantine.repository)}
    assert rows["v1", "sejong"].state == "equal"
    assert rows["v2", "sejong"].state == "held"
    assert f"{unsigned.digest} has no valid signature" in rows["v2", "sejong"].detail


def test_a_tag_that_moves_to_an_unsigned_image_stays_where_it_was(quarantine: Quarantine, signer: Signer) -> None:
    """The sites keep what was signed."""
    old = quarantine.maker.image(b"old", tag="v1")
    cosigned.by_bundle(quarantine.maker, old, signer)
    assert quarantine.look().exit_code == 0
    quarantine.maker.image(b"new", tag="v1")
    assert quarantine.look().exit_code == 1
    assert quarantine.look(deep=True).exit_code == 1
    for site in SITES:
        found = quarantine.fleet.sites[site].store().resolve(quarantine.repository, "v1")
        assert found is not None
        assert found.digest == old.digest


def test_what_is_kept_about_an_unsigned_image_is_held_with_it(tmp_path: Path, quarantine: Quarantine) -> None:
    """A signature by somebody else, under the tag of one."""
    image = quarantine.maker.image(b"layer", tag="v1")
    message = cosigned.payload(image.digest)
    stranger = cosigned.signer(tmp_path, name="stranger")
    cosigned.by_tag(quarantine.maker, image, (message, stranger.sign(message)))
    report = quarantine.look()
    assert {(result.reference, result.state) for result in report.results} == {
        ("v1", State.HELD),
        (f"sha256-{image.digest[7:]}.sig", State.HELD),
    }
    assert quarantine.tags("sejong") == set()


@pytest.mark.parametrize("kind", ["att", "sbom"])
def test_what_says_nothing_about_who_signed_goes_with_its_image_alone(
    quarantine: Quarantine, signer: Signer, kind: str
) -> None:
    """An attestation or a bill of materials needs no signature of its own, and lets no image go."""
    image = quarantine.maker.image(b"layer", tag="v1")
    beside = f"sha256-{image.digest[7:]}.{kind}"
    quarantine.maker.artifact(None, b"a statement", tag=beside)
    assert {result.state for result in quarantine.look().results} == {State.HELD}
    assert quarantine.tags("sejong") == set()
    cosigned.by_bundle(quarantine.maker, image, signer)
    assert quarantine.look().exit_code == 0
    assert quarantine.tags("sejong") >= {"v1", beside}


def test_who_signed_an_index_has_signed_what_it_names(quarantine: Quarantine, signer: Signer) -> None:
    """A site that runs the manifest of a platform, and lost it, gets it back; one of an index nobody signed is held."""
    repository = quarantine.repository
    signed, other = (quarantine.maker.platforms(layer, tag=tag) for layer, tag in ((b"1", "v1"), (b"2", "v2")))
    cosigned.by_bundle(quarantine.maker, signed, signer)
    quarantine.look()
    children = [_children(quarantine, index)[0] for index in (signed, other)]
    sejong = quarantine.world.doors.stores["sejong"] = Watched(new_store(quarantine.world.doors.root / "new"))
    request = Request(references=tuple(children), site="sejong")
    states = {one.reference: one.state for one in mirroring.run(quarantine.world.context, request).results}
    assert states == {children[0]: State.EQUAL, children[1]: State.HELD}
    assert sejong.resolve(repository, children[0]) is not None
    assert sejong.resolve(repository, children[1]) is None


def _children(quarantine: Quarantine, index: ends.Descriptor) -> list[str]:
    whole = quarantine.maker.store.manifest(quarantine.repository, index.digest)
    assert whole is not None
    return [child.digest for child in oci.contents(whole).children]


def test_keys_that_cannot_be_read_bring_nothing_new_and_leave_what_is_equal(
    quarantine: Quarantine, signer: Signer
) -> None:
    """The file is gone, or holds no key: what would be brought failed, and what stands is still known to stand."""
    signed = quarantine.maker.image(b"signed", tag="v1")
    cosigned.by_bundle(quarantine.maker, signed, signer)
    assert quarantine.look().exit_code == 0
    image = quarantine.maker.image(b"next", tag="v2")
    cosigned.by_bundle(quarantine.maker, image, signer)
    gone = errors.NotFoundError("The file keys/cosign.pub cannot be read.")
    for keys in (gone, {"the file keys/cosign.pub": "no key"}):
        quarantine.world.doors.keys = keys
        report = quarantine.look()
        found = {(result.reference, result.site): result for result in report.results}
        assert report.exit_code == 2
        assert found["v1", "sejong"].state is State.EQUAL
        assert found["v2", "sejong"].state is State.FAILED
        assert "the file keys/cosign.pub" in found["v2", "sejong"].detail.replace("The file", "the file")
        assert "v2" not in quarantine.tags("sejong")


def test_nobody_can_say_is_not_signed(quarantine: Quarantine, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that does not answer about what refers to an image lets nothing through."""
    image = quarantine.maker.image(b"layer", tag="v1")
    cosigned.by_bundle(quarantine.maker, image, signer)
    source = quarantine.world.doors.stores["seoul"]

    def silent(*_: object) -> None:
        raise errors.UnreachableError("It does not answer.")

    monkeypatch.setattr(source, "referrers", silent, raising=False)
    report = quarantine.look()
    assert {result.state for result in report.results} == {State.UNREACHABLE}
    assert quarantine.tags("sejong") == set()
