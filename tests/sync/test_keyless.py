"""Who signs by identity: certificates and logs are of a house of our own, one bundle is from another project."""

from __future__ import annotations

import base64
import copy
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites import ends
from lockstep.store.database import Database
from lockstep.topology import kinds
from lockstep.values import Json
from sync import images as mirroring
from sync import keyless, signatures
from sync.claims import Claim
from sync.images import Request
from sync.states import State
from tests.support import cosigned, fulcio
from tests.support.fulcio import ISSUER, NOW, WORKFLOW, House
from tests.support.images import Maker, new_store
from tests.sync.test_images import World

NAME = "pay/api"
PUBLISHED = Path(__file__).parent / "published"
OURS = House()
DIGEST = f"sha256:{'a' * 64}"


def _named(identity: str = WORKFLOW, issuer: str = ISSUER) -> kinds.Keyless:
    spec = {"identity": identity, "issuer": issuer, "trustedRoot": {"file": "trusted_root.json"}}
    return kinds.Keyless.model_validate(spec)


RELEASES = keyless.read(_named(), root=OURS.trusted_root())


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    """Makes images, and what refers to them."""
    return Maker(store=new_store(tmp_path), repository=NAME)


def _attach(maker: Maker, image: ends.Descriptor, bundle: dict[str, Json]) -> None:
    cosigned.attach(maker, image, orjson.dumps(bundle), fulcio.BUNDLE)


def _is_signed(maker: Maker, image: ends.Descriptor, by: keyless.Identity = RELEASES) -> bool:
    return signatures.is_signed(maker.store, NAME, image.digest, [by])


@pytest.mark.parametrize(
    ("identity", "trusted"),
    [
        (WORKFLOW, WORKFLOW),
        (WORKFLOW, WORKFLOW.replace("refs/tags/v1", "refs/tags/*")),
        ("https://forge.example/x[1]?y", "https://forge.example/x[1]?y"),
        ("ada@bank.example", "ada@bank.example"),
        ("ada@bank.example", "*@bank.example"),
    ],
)
def test_an_image_is_signed_by_whom_a_certificate_names(maker: Maker, identity: str, trusted: str) -> None:
    """A workflow or a person, in full or with a star; nobody is asked, and the certificate has been over for long."""
    image = maker.platforms(b"layer", tag="v1")
    signer = keyless.read(_named(trusted), root=OURS.trusted_root())
    assert not _is_signed(maker, image, signer)
    _attach(maker, image, OURS.bundle(image.digest, identity=identity))
    assert _is_signed(maker, image, signer)


@pytest.mark.parametrize(
    "trusted",
    [
        _named("https://forge.example/bank/other/*"),
        _named(f"{WORKFLOW}x"),
        _named(WORKFLOW[:-1]),
        _named(WORKFLOW.upper()),
        _named(WORKFLOW.replace("release", "releas?")),
        _named(WORKFLOW.replace("release", "releas[e]")),
        _named(issuer="https://accounts.example"),
        _named(issuer=f"{ISSUER}/"),
    ],
    ids=["another", "longer", "shorter", "capitals", "a question mark", "a bracket", "another issuer", "a slash"],
)
def test_who_is_almost_trusted_is_not(maker: Maker, trusted: kinds.Keyless) -> None:
    """Identity and issuer are compared to the letter; of patterns there is the star alone."""
    image = maker.image(b"layer")
    _attach(maker, image, OURS.bundle(image.digest))
    assert not _is_signed(maker, image, keyless.read(trusted, root=OURS.trusted_root()))


def test_an_authority_that_nobody_trusts_vouches_for_nobody(maker: Maker) -> None:
    """Everything is right but whose it is: the authority, the log of certificates, or the log of signatures."""
    image = maker.image(b"layer")
    strange = House()
    _attach(maker, image, strange.bundle(image.digest))
    for house in (
        replace(strange, authority=OURS.authority, certificates=OURS.certificates),
        replace(strange, authority=OURS.authority, log=OURS.log),
        replace(strange, certificates=OURS.certificates, log=OURS.log),
    ):
        _attach(maker, image, house.bundle(image.digest))
    assert not _is_signed(maker, image)
    _attach(maker, image, OURS.bundle(image.digest))
    assert _is_signed(maker, image)


@pytest.mark.parametrize("minutes", [-2, 10, 60 * 24 * 30])
def test_a_signature_from_before_or_after_its_certificate_is_none(maker: Maker, minutes: int) -> None:
    """By the time of the log, which kept it then."""
    image = maker.image(b"layer")
    _attach(maker, image, OURS.bundle(image.digest, signed_at=NOW + timedelta(minutes=minutes)))
    assert not _is_signed(maker, image)


def test_a_certificate_that_no_log_has_seen_is_none(maker: Maker) -> None:
    """Who has stolen the authority's key has to show what it signs."""
    image = maker.image(b"layer")
    _attach(maker, image, OURS.bundle(image.digest, logged=False))
    assert not _is_signed(maker, image)


def test_a_statement_about_something_else_is_no_signature(maker: Maker) -> None:
    """Another image, or an attestation of the same identity."""
    image, other = maker.image(b"layer"), maker.image(b"another")
    _attach(maker, image, OURS.bundle(other.digest))
    _attach(maker, image, OURS.bundle(image.digest, predicate="https://spdx.dev/Document"))
    assert not _is_signed(maker, image)


def _entry(bundle: dict[str, Json]) -> dict[str, Json]:
    found: dict[str, Json] = bundle["verificationMaterial"]["tlogEntries"][0]
    return found


def _without(*path: str) -> Callable[[dict[str, Json]], None]:
    def change(bundle: dict[str, Json]) -> None:
        found = _entry(bundle)
        for name in path[:-1]:
            found = found[name]
        del found[path[-1]]

    return change


def _with(name: str, value: Json) -> Callable[[dict[str, Json]], None]:
    def change(bundle: dict[str, Json]) -> None:
        _entry(bundle)[name] = value

    return change


def _of_another(*path: str) -> Callable[[dict[str, Json]], None]:
    """A part of a bundle about another image takes the place of its own."""
    other = OURS.bundle(f"sha256:{'b' * 64}")

    def change(bundle: dict[str, Json]) -> None:
        found, theirs = bundle, other
        for name in path[:-1]:
            found, theirs = found[name], theirs[name]
        found[path[-1]] = theirs[path[-1]]

    return change


@pytest.mark.parametrize(
    "change",
    [
        _without("inclusionProof"),
        _without("inclusionProof", "checkpoint"),
        _without("inclusionPromise"),
        _without("integratedTime"),
        _without("canonicalizedBody"),
        _with("integratedTime", str(int((NOW + timedelta(minutes=1)).timestamp()))),
        _with("logIndex", "1"),
        _with("kindVersion", {"kind": "intoto", "version": "0.0.2"}),
        _with("logId", {"keyId": base64.b64encode(bytes(32)).decode()}),
        _of_another("verificationMaterial", "tlogEntries"),
        _of_another("verificationMaterial", "certificate"),
        _of_another("verificationMaterial"),
        _of_another("dsseEnvelope", "payload"),
        _of_another("dsseEnvelope", "signatures"),
        lambda bundle: bundle["dsseEnvelope"].update(signatures=bundle["dsseEnvelope"]["signatures"] * 2),
        lambda bundle: bundle["dsseEnvelope"].update(signatures=[]),
        lambda bundle: bundle["verificationMaterial"].update(tlogEntries=[]),
        lambda bundle: bundle["verificationMaterial"].update(certificate={"rawBytes": "AAAA"}),
        lambda bundle: bundle["verificationMaterial"].update(publicKey={"hint": ""}),
        lambda bundle: bundle["verificationMaterial"].pop("certificate"),
        lambda bundle: bundle.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.1"),
    ],
    ids=[
        *("no proof", "no checkpoint", "no promise", "no time", "no body", "another time", "another index"),
        *("another kind", "another log", "another's entry", "another's certificate", "another's material"),
        *("another's statement", "another's signature", "two signatures", "no signature", "no entry"),
        *("a broken certificate", "a key beside it", "no certificate", "an old form"),
    ],
)
def test_a_bundle_of_which_a_part_is_missing_or_anothers_is_no_signature(
    change: Callable[[dict[str, Json]], object],
) -> None:
    """Whatever it is; what was changed makes the difference, for the whole one counts."""
    bundle = OURS.bundle(DIGEST)
    assert RELEASES.made(_claim(orjson.dumps(bundle)))
    change(bundle)
    assert not RELEASES.made(_claim(orjson.dumps(bundle)))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_cut_bundle_is_no_signature(share: float) -> None:
    """Wherever it is cut."""
    whole = orjson.dumps(OURS.bundle(DIGEST))
    assert not RELEASES.made(_claim(whole, cut=whole[: int(len(whole) * share)]))


def test_a_bundle_that_says_two_things_is_about_none_of_them() -> None:
    """A key that stands twice is read by one reader so and by another otherwise."""
    good, other = (orjson.dumps(OURS.bundle(digest)["dsseEnvelope"]) for digest in (DIGEST, f"sha256:{'b' * 64}"))
    whole = orjson.dumps(OURS.bundle(DIGEST))
    claim = _claim(whole)
    for first, second in ((good, other), (other, good)):
        twice = whole[:-1] + b',"dsseEnvelope":' + first + b',"dsseEnvelope":' + second + b"}"
        assert not RELEASES.made(replace(claim, bundle=twice))


_PROOF = ("logIndex", "treeSize", "hashes", "rootHash", "checkpoint")
_PATHS: list[tuple[str | int, ...]] = [
    *(("mediaType",), ("verificationMaterial",), ("verificationMaterial", "certificate", "rawBytes")),
    *(("verificationMaterial", "tlogEntries"), ("dsseEnvelope", "payloadType"), ("dsseEnvelope", "signatures")),
    *(("verificationMaterial", "tlogEntries", 0, name) for name in _entry(OURS.bundle(DIGEST))),
    *(("verificationMaterial", "tlogEntries", 0, "inclusionProof", name) for name in _PROOF),
]
_BUNDLE = OURS.bundle(DIGEST)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary().map(fulcio.text),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=4,
)


@given(path=st.sampled_from(_PATHS), value=_ANYTHING)
def test_whatever_stands_in_a_bundle_is_answered(path: tuple[str | int, ...], value: Json) -> None:
    """Yes or no, and never an error: a stranger may attach what the registry takes."""
    bundle = found = copy.deepcopy(_BUNDLE)
    for name in path[:-1]:
        found = found[name]  # type: ignore[index]  # a path of lists and objects, as it is written above
    found[path[-1]] = value  # type: ignore[index]  # as above
    assert RELEASES.made(_claim(orjson.dumps(_BUNDLE), cut=_dumped(bundle))) in (True, False)


def _dumped(value: Json) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # broken Unicode, or an integer beyond 64 bits
        return b"{}"


def _claim(bundle: bytes, *, cut: bytes | None = None) -> Claim:
    """What stands in a bundle, as far as it stands there; ``cut`` is what came instead of it."""
    envelope = orjson.loads(bundle)["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 %d %s %d %s" % (len(fulcio.KIND), fulcio.KIND.encode(), len(payload), payload)
    return Claim(message=signed, signature=b"", about=True, bundle=bundle if cut is None else cut)


def test_a_bundle_that_another_project_publishes_is_verified() -> None:
    """Of sigstore's own staging instance: a log of its second kind, and the time from an authority of timestamps."""
    identity = (
        "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
        "extremely-dangerous-oidc-beacon.yml@refs/heads/main"
    )
    root = (PUBLISHED / "trusted_root.json").read_text()
    bundle = (PUBLISHED / "statement.sigstore.json").read_bytes()
    signer = keyless.read(_named(identity, "https://token.actions.githubusercontent.com"), root=root)
    assert signer.made(_claim(bundle))
    assert not keyless.read(_named("*", "https://accounts.example"), root=root).made(_claim(bundle))
    assert not keyless.read(_named("*"), root=OURS.trusted_root()).made(_claim(bundle))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What somebody wanted to connect to."""
    asked: list[object] = []

    def connect(_self: socket.socket, address: object) -> None:
        asked.append(address)
        raise OSError("There is no network here.")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return iter([asked])


def test_nobody_is_asked(offline: Iterator[list[object]]) -> None:
    """Neither the log, nor the authority, nor for a newer root of trust."""
    signer = keyless.read(_named(), root=OURS.trusted_root())
    assert signer.made(_claim(orjson.dumps(OURS.bundle(DIGEST))))
    assert next(offline) == []


@pytest.mark.parametrize(
    "root", ["", "{}", "[]", "no JSON", '{"mediaType": "text/plain"}', "no log", "no authority", "no CT log"]
)
def test_what_is_no_trusted_root_is_refused_by_where_it_is_kept(root: str) -> None:
    """Without an authority, or one of the logs, it would let nothing through and say nothing."""
    lacking = {"no log": "tlogs", "no authority": "certificateAuthorities", "no CT log": "ctlogs"}
    if root in lacking:
        root = orjson.dumps({**orjson.loads(OURS.trusted_root()), lacking[root]: []}).decode()
    with pytest.raises(errors.InputError, match=r"No trusted root can be read from the file trusted_root\.json"):
        keyless.read(_named(), root=root)


def test_an_image_waits_for_an_identity_and_goes_when_it_has_signed(tmp_path: Path, file_database: Database) -> None:
    """Held with the identity that is missed; signed by somebody else it waits on."""
    spec = _named().model_dump(mode="json", by_alias=True, exclude_none=True)
    world = World(tmp_path, file_database, signed={"keyless": [spec]})
    world.doors.trusted = OURS.trusted_root()
    image = world.maker.platforms(b"layer", tag="v1")
    _attach(world.maker, image, OURS.bundle(image.digest, identity="eve@bank.example"))
    report = mirroring.run(world.context, Request())
    assert {result.state for result in report.results} == {State.HELD}
    assert f"no valid signature by {WORKFLOW} (of {ISSUER})" in report.results[0].detail
    _attach(world.maker, image, OURS.bundle(image.digest))
    assert mirroring.run(world.context, Request()).exit_code == 0
    assert (world.doors.images("sejong").tags(NAME) or {})["v1"] == image.digest


@pytest.mark.needs("openssl")
def test_a_key_or_an_identity_is_enough(tmp_path: Path, file_database: Database) -> None:
    """Both may be named; a root that cannot be read lets nothing new through, signed by a key or not."""
    spec = _named().model_dump(mode="json", by_alias=True, exclude_none=True)
    world = World(tmp_path, file_database, signed={"keyless": [spec], "keys": [{"file": "cosign.pub"}]})
    key = cosigned.signer(tmp_path)
    world.doors.keys, world.doors.trusted = {"the file cosign.pub": key.public}, OURS.trusted_root()
    by_key, by_identity = (world.maker.image(layer, tag=tag) for layer, tag in ((b"1", "v1"), (b"2", "v2")))
    cosigned.by_bundle(world.maker, by_key, key)
    _attach(world.maker, by_identity, OURS.bundle(by_identity.digest))
    assert mirroring.run(world.context, Request()).exit_code == 0
    cosigned.by_bundle(world.maker, world.maker.image(b"3", tag="v3"), key)
    world.doors.trusted = "{}"
    report = mirroring.run(world.context, Request())
    assert {one.state for one in report.results if one.reference == "v3"} == {State.FAILED}
