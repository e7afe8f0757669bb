"""Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over id, moment and body. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from lockstep import errors

_PREFIX = "whsec_"
# "Symmetric": "between 24 bytes (192 bits) and 64 bytes (512 bits)".
_SHORTEST, _LONGEST = 24, 64


def key_of(secret: str) -> bytes:
    """The key in a secret that is written ``whsec_`` and base64.

    Raises:
        InputError: It is no such secret. The message does not say it.
    """
    try:
        key = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.strip().startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise errors.InputError(
            "A secret that signs webhooks is not whsec_ and base64 of 24 to 64 bytes.",
            remedy="Make one: printf whsec_; openssl rand -base64 32.",
        )
    return key


def sign(keys: Sequence[bytes], *, message: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: one signature for each key, a receiver believes any of them.

    Args:
        keys: The keys, more than one while they are rotated.
        message: The header ``webhook-id``.
        timestamp: The header ``webhook-timestamp``: seconds since 1970.
        body: The body's bytes, exactly as they are sent.
    """
    content = f"{message}.{timestamp}.".encode() + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
