"""What counts as a signature of an image: signatures are made by OpenSSL, one is from another project."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites import ends
from sync import keys, signatures
from tests.support import cosigned, images
from tests.support.cosigned import Signer
from tests.support.images import Maker, new_store

pytestmark = pytest.mark.needs("openssl")
NAME = "pay/api"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """The one who is trusted."""
    return cosigned.signer(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    """Makes images and signatures."""
    return Maker(store=new_store(tmp_path), repository=NAME)


def _is_signed(maker: Maker, image: ends.Descriptor, *signers: Signer) -> bool:
    read = [keys.read(f"key {number}", one.public) for number, one in enumerate(signers)]
    return signatures.is_signed(maker.store, NAME, image.digest, read)


def _signed(image: ends.Descriptor, key: Signer) -> tuple[bytes, bytes]:
    message = cosigned.payload(image.digest)
    return message, key.sign(message)


def test_a_signature_that_another_project_publishes_is_verified() -> None:
    """Key, payload and signature are those of the tests of sigstore-rs (src/crypto/verification_key.rs)."""
    key = keys.read(
        "sigstore-rs",
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENptdY/l3nB0yqkXLBWkZWQwo6+cu\n"
        "OSWS1X9vPavpiQOoTTGC0xX57OojUadxF1cdQmrsiReWg2Wn4FneJfa8xw==\n"
        "-----END PUBLIC KEY-----\n",
    )
    message = (
        b'{"critical":{"identity":{"docker-reference":"registry-testing.svc.lan/busybox"},"image":{'
        b'"docker-manifest-digest":"sha256:f3cfc9d0dbf931d3db4685ec659b7ac68e2a578219da4aae65427886e649b06b"},'
        b'"type":"cosign container image signature"},"optional":null}'
    )
    signature = base64.b64decode(
        "MEUCIQD6q/COgzOyW0YH1Dk+CCYSt4uAhm3FDHUwvPI55zwnlwIgE0ZK58ZOWpZw8YVmBapJhBqCfdPekIknimuO0xH8Jh8="
    )
    assert key.has_signed(message, signature)
    assert not key.has_signed(message + b" ", signature)


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA", "Ed25519"])
def test_keys_of_the_usual_kinds_sign(tmp_path: Path, maker: Maker, kind: str) -> None:
    """Each in the scheme that its type stands for, and never for other bytes."""
    key = cosigned.signer(tmp_path, kind)
    image, other = maker.image(b"layer"), maker.image(b"another")
    cosigned.by_tag(maker, image, _signed(image, key))
    cosigned.by_tag(maker, other, (cosigned.payload(other.digest), _signed(image, key)[1]))
    assert _is_signed(maker, image, key)
    assert not _is_signed(maker, other, key)


def test_a_large_curve_may_be_used_with_its_own_hash(tmp_path: Path, maker: Maker) -> None:
    """Newer signers take SHA-384 with P-384."""
    key = cosigned.signer(tmp_path, "P-384")
    image = maker.image(b"layer")
    message = cosigned.payload(image.digest)
    cosigned.by_tag(maker, image, (message, key.sign(message, by="-sha384")))
    assert _is_signed(maker, image, key)


@pytest.mark.parametrize("kind", ["short RSA", "X25519"])
def test_a_key_that_signs_no_images_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    """Too short, or made for something else."""
    with pytest.raises(errors.InputError, match=r"The key in the file k\.pub is of a kind"):
        keys.read("the file k.pub", cosigned.signer(tmp_path, kind).public)


def test_what_is_no_public_key_is_refused_and_not_shown(signer: Signer) -> None:
    """Above all a private one."""
    for pem in (signer.private.read_text(), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "한글"):
        with pytest.raises(errors.InputError, match="No public key can be read from the variable KEY") as caught:
            keys.read("the variable KEY", pem)
        assert not pem[30:60] or pem[30:60] not in str(caught.value)


@pytest.mark.parametrize("place", ["tag", "referrer", "bundle"])
def test_every_place_is_looked_at_and_only_the_right_key_counts(
    tmp_path: Path, maker: Maker, signer: Signer, place: str
) -> None:
    """The tag beside the image, what refers to it, and the bundles of cosign 3."""
    other = cosigned.signer(tmp_path, name="other")
    image = maker.platforms(b"layer", tag="v1")
    assert not _is_signed(maker, image, signer)
    if place == "tag":
        cosigned.by_tag(maker, image, _signed(image, signer))
    elif place == "referrer":
        cosigned.by_referrer(maker, image, _signed(image, signer))
    else:
        cosigned.by_bundle(maker, image, signer)
    assert _is_signed(maker, image, signer)
    assert _is_signed(maker, image, other, signer)
    assert not _is_signed(maker, image, other)


def test_one_good_signature_among_bad_ones_is_enough(tmp_path: Path, maker: Maker, signer: Signer) -> None:
    """Somebody else signed too, and somebody wrote nonsense."""
    other = cosigned.signer(tmp_path, name="other")
    image = maker.image(b"layer")
    good, strange = _signed(image, signer), _signed(image, other)
    cosigned.by_tag(maker, image, strange, (good[0], b"nonsense"), (b"not JSON", good[1]), good)
    assert _is_signed(maker, image, signer)


def test_a_signature_for_another_image_is_none(maker: Maker, signer: Signer) -> None:
    """Its payload names the other one, wherever it is put, and under whatever digest."""
    image, other = maker.image(b"layer"), maker.image(b"another")
    good = _signed(other, signer)
    cosigned.by_tag(maker, image, good, (cosigned.payload(image.digest), good[1]))
    cosigned.by_referrer(maker, image, good)
    cosigned.by_bundle(maker, image, signer, about=other.digest)
    assert not _is_signed(maker, image, signer)


def test_a_signed_statement_that_says_something_else_is_no_signature(maker: Maker, signer: Signer) -> None:
    """An attestation of the same key, and a payload of simple signing that is not cosign's."""
    image = maker.image(b"layer")
    cosigned.by_bundle(maker, image, signer, predicate="https://spdx.dev/Document")
    message = cosigned.payload(image.digest, type="atomic container signature")
    cosigned.by_tag(maker, image, (message, signer.sign(message)))
    assert not _is_signed(maker, image, signer)


def test_a_payload_that_is_cut_damaged_or_gone_is_no_signature(tmp_path: Path, maker: Maker, signer: Signer) -> None:
    """And keeps the good one beside it from nobody."""
    image = maker.image(b"layer")
    message, signature = _signed(image, signer)
    cosigned.by_tag(maker, image, (message, signature))
    file = tmp_path / NAME / "blobs/sha256" / images.digest(message)[7:]
    file.write_bytes(message[:-1])
    assert not _is_signed(maker, image, signer)
    file.unlink()
    assert not _is_signed(maker, image, signer)
    cosigned.by_bundle(maker, image, signer)
    assert _is_signed(maker, image, signer)


def test_a_payload_that_is_huge_is_not_read(maker: Maker, signer: Signer) -> None:
    """A statement has some hundred bytes; this one is valid, and larger than any."""
    image = maker.image(b"layer")
    message = cosigned.payload(image.digest, padding="x" * 2**20)
    cosigned.by_tag(maker, image, (message, signer.sign(message)))
    assert not _is_signed(maker, image, signer)


def test_a_crowd_of_signatures_comes_to_an_end(maker: Maker, signer: Signer) -> None:
    """A stranger may attach thousands: so many are looked at, and the good one was not among them."""
    image = maker.image(b"layer")
    good = _signed(image, signer)
    cosigned.by_tag(maker, image, *[(good[0], b"%d" % number) for number in range(300)], good)
    assert not _is_signed(maker, image, signer)


def test_an_image_named_by_sha512_is_signed_by_what_refers_to_it(tmp_path: Path, signer: Signer) -> None:
    """Its digest is too long for a tag."""
    maker = Maker(store=new_store(tmp_path), repository=NAME, algorithm="sha512")
    image = maker.image(b"layer")
    assert not _is_signed(maker, image, signer)
    cosigned.by_bundle(maker, image, signer)
    assert _is_signed(maker, image, signer)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"dsseEnvelope": 1}',
        b'{"dsseEnvelope": {"payloadType": "application/vnd.in-toto+json", "signatures": [1, {"sig": 2}]}}',
        b'{"dsseEnvelope": {"payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "!"}]}}',
        b'{"dsseEnvelope": {"payload": "e30=", "payloadType": "x", "signatures": [{"sig": "e30="}]}}',
        b'{"messageSignature": {"signature": "e30="}}',
        b"[" * 5000,
    ],
)
def test_a_bundle_that_cannot_be_understood_is_no_signature(maker: Maker, signer: Signer, content: bytes) -> None:
    """Whatever stands in it."""
    image = maker.image(b"layer")
    cosigned.attach(maker, image, content, cosigned.BUNDLE)
    assert not _is_signed(maker, image, signer)


def test_a_tag_beside_the_image_that_names_no_signatures_is_none(maker: Maker, signer: Signer) -> None:
    """An index, an image of layers: looked at, and nothing found."""
    image = maker.image(b"layer")
    maker.index([image], tag=f"{image.digest.replace(':', '-')}.sig")
    assert not _is_signed(maker, image, signer)


@given(st.binary(max_size=200), st.binary(max_size=100))
def test_nothing_but_its_own_signature_convinces_a_key(message: bytes, signature: bytes) -> None:
    """Whatever bytes are given, a key answers."""
    assert not _PUBLISHED.has_signed(message, signature)


_PUBLISHED = keys.read(
    "a key whose other half is nowhere",
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n",
)
