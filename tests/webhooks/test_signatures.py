"""Who is believed, against signatures that somebody else made, and who is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import signing
from webhooks import signatures
from webhooks.signatures import Judgement, Secret, StandardHeaders

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
# From GitHub's documentation, "Validating webhook deliveries", section "Testing the webhook payload validation".
SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
DIGEST = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
# From the Standard Webhooks specification 1.0.0.
STANDARD = StandardHeaders(
    id="msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp="1614265330",
    signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
)
STANDARD_SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_NOW = datetime.fromtimestamp(1614265330, UTC)


def test_githubs_own_example_is_believed() -> None:
    """The pinned vector of GitHub's documentation passes."""
    assert signatures.prefixed_hmac(f"sha256={DIGEST}", BODY, [SECRET]) is Judgement.BELIEVED


def test_giteas_header_is_the_bare_digest() -> None:
    """Gitea sends the same digest without a prefix."""
    assert signatures.bare_hmac(DIGEST, BODY, [SECRET]) is Judgement.BELIEVED


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("body", [b"", b"{}", "안녕".encode(), bytes(range(256)), b"x" * 100_000], ids=len)
@pytest.mark.parametrize("secret", ["s", "비밀", "k" * 200], ids=["short", "korean", "longer than a block"])
def test_what_openssl_signs_is_believed(body: bytes, secret: str) -> None:
    """A signature that OpenSSL made over the raw bytes passes, whatever the bytes and the secret."""
    digest = signing.hmac_sha256(body, secret)
    assert signatures.prefixed_hmac(f"sha256={digest}", body, [secret.encode()]) is Judgement.BELIEVED
    assert signatures.bare_hmac(digest, body, [secret.encode()]) is Judgement.BELIEVED


@pytest.mark.parametrize(
    "header",
    [
        DIGEST,
        f"sha256={DIGEST.upper()}",
        f"SHA256={DIGEST}",
        f"sha1={DIGEST[:40]}",
        f"sha256={DIGEST[:-1]}",
        f"sha256={DIGEST}0",
        f"sha256= {DIGEST}",
        f"sha256={DIGEST}, sha256={DIGEST}",
        "sha256=",
        "sha256=ÿ" + DIGEST[1:],
        "sha256=" + "비" * 64,
        f"sha256={DIGEST}\n",
    ],
)
def test_only_one_spelling_of_a_signature_is_believed(header: str) -> None:
    """A missing prefix, other case, another length, a second signature and foreign letters are refused."""
    assert signatures.prefixed_hmac(header, BODY, [SECRET]) is Judgement.REFUSED


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b" ", b" " + BODY, b""], ids=["cut", "longer", "shifted", "empty"])
def test_another_body_is_refused(body: bytes) -> None:
    """The signature belongs to exactly these bytes."""
    assert signatures.prefixed_hmac(f"sha256={DIGEST}", body, [SECRET]) is Judgement.REFUSED


@pytest.mark.needs("openssl")
def test_json_that_was_written_anew_is_refused() -> None:
    """Equal JSON with other blanks is another body."""
    signed = b'{"ref":"refs/heads/main"}'
    digest = "sha256=" + signing.hmac_sha256(signed, "s")
    assert signatures.prefixed_hmac(digest, b'{"ref": "refs/heads/main"}', [b"s"]) is Judgement.REFUSED


@given(body=st.binary(min_size=1), position=st.integers(min_value=0), flip=st.integers(1, 255))
def test_a_changed_byte_is_always_noticed(body: bytes, position: int, flip: int) -> None:
    """Whichever byte of a body is changed, and however, its signature does not fit any more."""
    index = position % len(body)
    changed = body[:index] + bytes([body[index] ^ flip]) + body[index + 1 :]
    header = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    assert signatures.bare_hmac(header, body, [SECRET]) is Judgement.BELIEVED
    assert signatures.bare_hmac(header, changed, [SECRET]) is Judgement.REFUSED


@given(header=st.text(max_size=100), body=st.binary(max_size=50))
def test_no_header_makes_a_judgement_fail(header: str, body: bytes) -> None:
    """Whatever stands in a header, there is an answer, and for a stranger it is never yes."""
    for judge in (signatures.prefixed_hmac, signatures.bare_hmac):
        assert judge(header, body, [SECRET]) in (Judgement.REFUSED, Judgement.UNSIGNED)
    assert signatures.static(header, [SECRET]) in (Judgement.REFUSED, Judgement.UNSIGNED)
    standard = StandardHeaders(id=header, timestamp=header, signature=header)
    assert signatures.standard(standard, body, [SECRET], NOW) in (Judgement.REFUSED, Judgement.UNSIGNED)


def test_a_missing_header_is_unsigned_and_never_believed() -> None:
    """An empty header, as Gitea sends it without a secret, counts as none."""
    assert signatures.prefixed_hmac("", BODY, [SECRET]) is Judgement.UNSIGNED
    assert signatures.bare_hmac("", BODY, [SECRET]) is Judgement.UNSIGNED
    assert signatures.static("", [SECRET]) is Judgement.UNSIGNED


def test_without_a_secret_nobody_is_believed() -> None:
    """No secret in force means that no signature can be right."""
    assert signatures.prefixed_hmac(f"sha256={DIGEST}", BODY, []) is Judgement.REFUSED
    assert signatures.static("anything", []) is Judgement.REFUSED


def test_each_secret_of_a_rotation_is_believed_until_its_last_day() -> None:
    """Old and new secrets pass side by side; the old one ends with the day that is written down."""
    old, new = Secret(value=b"old", expires=date(2026, 11, 22)), Secret(value=b"new")
    last_moment = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    assert signatures.in_force([old, new], last_moment) == (b"old", b"new")
    assert signatures.in_force([old, new], last_moment + timedelta(seconds=1)) == (b"new",)


def test_an_empty_secret_is_no_secret() -> None:
    """An empty file or variable would be a key that everybody knows."""
    assert signatures.in_force([Secret(value=b"")], NOW) == ()


def test_a_secret_does_not_show_itself() -> None:
    """What is printed of a secret says nothing."""
    assert "hidden" not in repr(Secret(value=b"hidden"))


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("t0ken", "t0ken"),
        ("Bearer t0ken", "t0ken"),
        ("bearer t0ken", "t0ken"),
        ("Bearer t0ken", "Bearer t0ken"),
        ("Basic " + base64.b64encode(b"lockstep:p:w").decode(), "p:w"),
        ("Basic " + base64.b64encode(b"lockstep:pw").decode(), "lockstep:pw"),
        ("Basic " + base64.b64encode("곳:비밀".encode()).decode(), "비밀"),
    ],
)
def test_a_registrys_header_may_carry_the_secret_in_the_usual_ways(header: str, secret: str) -> None:
    """Alone, as a bearer token, as a password and as user and password."""
    assert signatures.static(header, [b"another", secret.encode()]) is Judgement.BELIEVED


@pytest.mark.parametrize(
    "header",
    ["t0ke", "t0ken ", "T0KEN", "Bearer", "Bearer ", "Basic t0ken", "Basic !", "Digest t0ken", "t0ken, t0ken"],
)
def test_a_registrys_header_with_anything_else_is_refused(header: str) -> None:
    """Cut, longer, of another case, twice, or under a scheme that we do not read."""
    assert signatures.static(header, [b"t0ken"]) is Judgement.REFUSED


def test_the_vector_of_standard_webhooks_is_believed() -> None:
    """The pinned vector of the specification passes, also among other signatures."""
    assert signatures.standard(STANDARD, STANDARD_BODY, [STANDARD_SECRET], STANDARD_NOW) is Judgement.BELIEVED
    several = StandardHeaders(
        id=STANDARD.id, timestamp=STANDARD.timestamp, signature=f"v1a,x v1,y {STANDARD.signature}"
    )
    assert signatures.standard(several, STANDARD_BODY, [STANDARD_SECRET], STANDARD_NOW) is Judgement.BELIEVED


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_of_another_time_is_refused(minutes: int) -> None:
    """Five minutes either way; older ones were played again, later ones were made up."""
    now = STANDARD_NOW + timedelta(minutes=minutes)
    assert signatures.standard(STANDARD, STANDARD_BODY, [STANDARD_SECRET], now) is Judgement.REFUSED


@pytest.mark.parametrize(
    ("header", "bare"),
    [
        (Judgement.BELIEVED, Judgement.REFUSED),
        (Judgement.REFUSED, Judgement.BELIEVED),
        (Judgement.REFUSED, Judgement.UNSIGNED),
    ],
)
def test_a_wrong_credential_is_not_healed_by_a_right_one(header: Judgement, bare: Judgement) -> None:
    """Two credentials must both be right; one may be missing."""
    assert signatures.either(header, bare) is Judgement.REFUSED
    assert signatures.either(Judgement.BELIEVED, Judgement.UNSIGNED) is Judgement.BELIEVED
