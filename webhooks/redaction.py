"""Which headers of a post are kept: what helps to understand it, never what proves who sent it."""

from __future__ import annotations

import re
from collections.abc import Mapping

REDACTED = "(not kept)"
# Kept by name; of every other header only the name is kept. An allow-list: senders invent new headers.
_KEPT = re.compile(
    r"accept|content-length|content-type|content-encoding|date|host|user-agent|idempotency-key"
    r"|x-(?:github|gitea|forgejo|gogs|gitlab|harbor)-[a-z0-9-]+|webhook-(?:id|timestamp)|ce-(?:id|source|type|time)"
)
_SECRET = re.compile(r"auth|cookie|credential|key|passw|secret|signature|token")
# GitLab's and the draft standard's name for the id of a delivery; no secret, in spite of its name.
_NO_SECRET = frozenset({"idempotency-key"})
_LONGEST = 500


def kept(headers: Mapping[str, str], credentials: frozenset[str]) -> dict[str, str]:
    """The headers as they are stored, sorted by name.

    Args:
        headers: Names in lower case, with their values.
        credentials: Further names that are secret for this sender.
    """
    return {name[:_LONGEST]: _value(name, headers[name], credentials) for name in sorted(headers)}


def _value(name: str, value: str, credentials: frozenset[str]) -> str:
    secret = name in credentials or (_SECRET.search(name) and name not in _NO_SECRET)
    if secret or not _KEPT.fullmatch(name):
        return REDACTED
    return value[:_LONGEST]
