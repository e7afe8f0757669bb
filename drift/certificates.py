"""Until when the certificates in Secrets are valid. A certificate is public; what stands beside it is never looked at.

Only one field is read, by hand (X.690, RFC 5280 section 4.1): a parser that understands everything would be one more
thing that a cluster's data can break. What cannot be understood says nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from drift import redact
from drift.normalise import reading
from lockstep.values import Json

SOON = timedelta(days=30)
"""A certificate that expires within this is told."""

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,65536})-----END CERTIFICATE-----")
_SEQUENCE, _INTEGER, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x02, 0xA0, 0x17, 0x18
# RFC 5280, 4.1.2.5.1: two digits of a year from 50 on are of the last century.
_CENTURY = 50


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Certificate:
    """A certificate in a key of a Secret: the first of its chain, and when it ends."""

    namespace: str
    name: str
    key: str
    expires: datetime

    def to_json(self) -> dict[str, Json]:
        """As a comparison's coverage has it."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "key": self.key,
            "expires": self.expires.isoformat(),
        }


def of_manifest(manifest: dict[str, Json]) -> Iterator[Certificate]:
    """The certificates in a Secret that is not sealed yet."""
    if not redact.is_secret(manifest):
        return
    for key, value in reading.mapping(manifest, "data").items():
        expires = _expires(value) if isinstance(value, str) else None
        if expires is not None:
            namespace, name = (reading.text(manifest, "metadata", part) for part in ("namespace", "name"))
            yield Certificate(namespace=namespace, name=name, key=key, expires=expires)


def _expires(value: str) -> datetime | None:
    """When the first certificate in a value of a Secret ends."""
    try:
        found = _PEM.search(base64.b64decode(value))
        return not_after(base64.b64decode(found[1])) if found else None
    except (binascii.Error, ValueError):
        return None


def not_after(der: bytes) -> datetime:
    """The end of a certificate's validity.

    Raises:
        ValueError: It is no certificate.
    """
    body = _Reader(_Reader(der).take(_SEQUENCE)).take(_SEQUENCE)
    parts = _Reader(body)
    parts.skip(_VERSION)
    for tag in (_INTEGER, _SEQUENCE, _SEQUENCE):
        parts.take(tag)
    validity = _Reader(parts.take(_SEQUENCE))
    validity.next()
    return _time(*validity.next())


@dataclass(slots=True)
class _Reader:
    """Reads tags, lengths and values one after another (X.690, section 8.1)."""

    data: bytes
    at: int = 0

    def next(self) -> tuple[int, bytes]:
        tag, length, start = self._head()
        if start + length > len(self.data):
            raise ValueError("It ends in the middle.")
        self.at = start + length
        return tag, self.data[start : self.at]

    def take(self, wanted: int) -> bytes:
        tag, value = self.next()
        if tag != wanted:
            raise ValueError("It is not what stands here in a certificate.")
        return value

    def skip(self, optional: int) -> None:
        if self.data[self.at : self.at + 1] == bytes([optional]):
            self.next()

    def _head(self) -> tuple[int, int, int]:
        head = self.data[self.at : self.at + 6]
        if len(head) < 2:
            raise ValueError("It ends in the middle.")
        tag, length = head[0], head[1]
        if length < 0x80:
            return tag, length, self.at + 2
        count = length & 0x7F
        if not 0 < count <= 4:
            raise ValueError("Nothing is that long.")
        return tag, int.from_bytes(head[2 : 2 + count], "big"), self.at + 2 + count


def _time(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == _UTC_TIME and len(text) == len("YYMMDDHHMMSSZ"):
        text = ("19" if int(text[:2]) >= _CENTURY else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("It is no time.")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
