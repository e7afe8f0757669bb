"""Whether a post is from who shares a secret with us: pure functions over the raw bytes.

Every comparison is of bytes, in constant time, and looks at every secret, so that neither how much of a
signature was right nor which secret it belongs to can be measured. Exactly one spelling is believed: the
one that the sender documents. A header that is empty counts as missing (Gitea sends empty ones when it has
no secret); one that came twice reaches us joined by a comma, fits no spelling and is not believed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

_HEX_SHA256 = re.compile(rb"[0-9a-f]{64}")
_PREFIX = b"sha256="
# Standard Webhooks 1.0.0, "Verifying webhook authenticity": five minutes either way is what senders expect.
TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One secret that is believed, until the end of the day ``expires`` (UTC); it never shows itself."""

    value: bytes = field(repr=False)
    expires: date | None = None


class Judgement(Enum):
    """What became of the question."""

    BELIEVED = "believed"
    UNSIGNED = "unsigned"  # no credential at all: for a hook that allows it
    REFUSED = "refused"


def in_force(secrets: Iterable[Secret], now: datetime) -> tuple[bytes, ...]:
    """The secrets that are believed at a moment. An empty one never is: HMAC would take it."""
    today = now.date()
    return tuple(
        secret.value for secret in secrets if secret.value and (secret.expires is None or today <= secret.expires)
    )


def prefixed_hmac(header: str, body: bytes, secrets: Sequence[bytes]) -> Judgement:
    """``X-Hub-Signature-256: sha256=<64 lower-case hex>`` over the raw body, as GitHub documents it."""
    given = _bytes(header)
    if not given:
        return Judgement.UNSIGNED
    return _hmac(given.removeprefix(_PREFIX) if given.startswith(_PREFIX) else b"", body, secrets)


def bare_hmac(header: str, body: bytes, secrets: Sequence[bytes]) -> Judgement:
    """``X-Gitea-Signature: <64 lower-case hex>`` over the raw body: no prefix."""
    given = _bytes(header)
    if not given:
        return Judgement.UNSIGNED
    return _hmac(given, body, secrets)


def static(header: str, secrets: Sequence[bytes]) -> Judgement:
    """A header whose value is the secret itself, as registries send it.

    The secret is the whole value, or what ``Bearer`` or ``Basic`` carry in it: a token, a password or
    ``user:password`` (RFC 6750 section 2.1, RFC 7617 section 2; schemes are case-insensitive).
    """
    given = _bytes(header)
    if not given:
        return Judgement.UNSIGNED
    readings = _readings(given)
    matches = [hmac.compare_digest(reading, secret) for secret in secrets for reading in readings]
    return Judgement.BELIEVED if any(matches) else Judgement.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardHeaders:
    """The three headers of Standard Webhooks 1.0.0, as they came."""

    id: str
    timestamp: str
    signature: str


def standard(headers: StandardHeaders, body: bytes, secrets: Sequence[bytes], now: datetime) -> Judgement:
    """Standard Webhooks 1.0.0: ``v1,<base64>`` over ``{id}.{timestamp}.{body}``, any entry of the list.

    Secrets are as people are given them, ``whsec_<base64>``. A timestamp further than ``TOLERANCE`` from now
    is refused, so that an old post cannot be played again.
    """
    signature = _bytes(headers.signature)
    if not signature:
        return Judgement.UNSIGNED
    if not _recent(headers.timestamp, now) or not headers.id:
        return Judgement.REFUSED
    signed = _bytes(f"{headers.id}.{headers.timestamp}.") + body
    given = [entry.removeprefix(b"v1,") for entry in signature.split(b" ") if entry.startswith(b"v1,")]
    keys = [key for key in map(_standard_key, secrets) if key]
    wanted = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    matches = [hmac.compare_digest(entry, digest) for digest in wanted for entry in given]
    return Judgement.BELIEVED if any(matches) else Judgement.REFUSED


def either(first: Judgement, second: Judgement) -> Judgement:
    """One of two credentials for the same post: a wrong one is not healed by a right one."""
    both = {first, second}
    return next(one for one in (Judgement.REFUSED, Judgement.BELIEVED, Judgement.UNSIGNED) if one in both)


def _bytes(header: str) -> bytes:
    # WSGI hands headers on as Latin-1; anything else never was in a header (PEP 3333).
    return header.encode("latin-1", "replace")


def _hmac(given: bytes, body: bytes, secrets: Sequence[bytes]) -> Judgement:
    # The digests are calculated even for a header of another shape: a refusal costs what an acceptance costs.
    matches = [
        hmac.compare_digest(hmac.digest(secret, body, hashlib.sha256).hex().encode(), given) for secret in secrets
    ]
    return Judgement.BELIEVED if any(matches) and _HEX_SHA256.fullmatch(given) else Judgement.REFUSED


def _readings(given: bytes) -> list[bytes]:
    scheme, _, rest = given.partition(b" ")
    credential = rest.strip(b" ")
    if scheme.lower() == b"bearer":
        return [given, credential]
    if scheme.lower() == b"basic":
        try:
            pair = base64.b64decode(credential, validate=True)
        except binascii.Error:
            return [given]
        return [given, pair, pair.partition(b":")[2]]
    return [given]


def _recent(timestamp: str, now: datetime) -> bool:
    # Ten digits reach the year 2286; more are not a time, and could not be calculated with.
    if not re.fullmatch(r"[0-9]{1,10}", timestamp):
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE.total_seconds()


def _standard_key(secret: bytes) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except binascii.Error:
        return b""
