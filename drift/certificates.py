"""Until when, and for which names, certificates in Secrets are valid. Nothing that stands beside one is looked at.

Only two fields are read, by hand (X.690, RFC 5280 sections 4.1 and 4.2.1.6): a parser that understands everything
would be one more thing that a cluster's data can break. What cannot be understood says nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from drift import redact
from drift.normalise import reading
from lockstep.values import Json

SOON = timedelta(days=30)
"""A certificate that expires within this is told."""

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,65536})-----END CERTIFICATE-----")
_SEQUENCE, _INTEGER, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x02, 0xA0, 0x17, 0x18
_OID, _BOOLEAN, _OCTETS, _EXTENSIONS, _DNS_NAME = 0x06, 0x01, 0x04, 0xA3, 0x82
_SUBJECT_ALT_NAME = bytes.fromhex("551d11")
_MOST_NAMES = 1000
# RFC 5280, 4.1.2.5.1: two digits of a year from 50 on are of the last century.
_CENTURY = 50


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Certificate:
    """A certificate in a key of a Secret: the first of its chain, when it ends, and the host names that it is for."""

    namespace: str
    name: str
    key: str
    expires: datetime
    hosts: tuple[str, ...] = ()

    def covers(self, host: str) -> bool:
        """Whether it is for a host name; a wildcard is for one label (RFC 6125, section 6.4.3)."""
        return covers(self.hosts, host)

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
        found = _first(value) if isinstance(value, str) else None
        if found is not None:
            namespace, name = (reading.text(manifest, "metadata", part) for part in ("namespace", "name"))
            yield Certificate(namespace=namespace, name=name, key=key, expires=found[0], hosts=found[1])


def covers(names: Iterable[str], host: str) -> bool:
    """Whether one of some names of a certificate is a host's: itself, or a wildcard in the place of its first label."""
    wanted = host.lower().rstrip(".")
    parent = wanted.partition(".")[2]
    return any(name in (wanted, f"*.{parent}") for name in (one.lower() for one in names)) and bool(wanted)


def of_text(text: str) -> tuple[datetime, tuple[str, ...]] | None:
    """When the first certificate in a text ends, and its host names; None when there is none."""
    found = _PEM.search(text.encode("utf-8", "replace"))
    return _read(found[1]) if found else None


def _first(value: str) -> tuple[datetime, tuple[str, ...]] | None:
    """The same of a value of a Secret."""
    try:
        found = _PEM.search(base64.b64decode(value))
    except (binascii.Error, ValueError):
        return None
    return _read(found[1]) if found else None


def _read(encoded: bytes) -> tuple[datetime, tuple[str, ...]] | None:
    try:
        der = base64.b64decode(encoded)
        return not_after(der), host_names(der)
    except (binascii.Error, ValueError):
        return None


def not_after(der: bytes) -> datetime:
    """The end of a certificate's validity.

    Raises:
        ValueError: It is no certificate.
    """
    validity = _Reader(_until_validity(der).take(_SEQUENCE))
    validity.next()
    return _time(*validity.next())


def host_names(der: bytes) -> tuple[str, ...]:
    """The DNS names that a certificate is for, at most a thousand; none when it says none.

    Raises:
        ValueError: It is no certificate.
    """
    parts = _until_validity(der)
    while not parts.ended:
        tag, value = parts.next()
        if tag == _EXTENSIONS:
            return _alternative_names(_Reader(_Reader(value).take(_SEQUENCE)))
    return ()


def _until_validity(der: bytes) -> _Reader:
    """A reader of what is signed, before its validity."""
    parts = _Reader(_Reader(_Reader(der).take(_SEQUENCE)).take(_SEQUENCE))
    parts.skip(_VERSION)
    for tag in (_INTEGER, _SEQUENCE, _SEQUENCE):
        parts.take(tag)
    return parts


def _alternative_names(extensions: _Reader) -> tuple[str, ...]:
    while not extensions.ended:
        extension = _Reader(extensions.take(_SEQUENCE))
        if extension.take(_OID) == _SUBJECT_ALT_NAME:
            extension.skip(_BOOLEAN)
            names = _Reader(_Reader(extension.take(_OCTETS)).take(_SEQUENCE))
            found: list[str] = []
            while not names.ended and len(found) < _MOST_NAMES:
                tag, value = names.next()
                if tag == _DNS_NAME:
                    found.append(value.decode("ascii"))
            return tuple(found)
    return ()


@dataclass(slots=True)
class _Reader:
    """Reads tags, lengths and values one after another (X.690, section 8.1)."""

    data: bytes
    at: int = 0

    @property
    def ended(self) -> bool:
        return self.at >= len(self.data)

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
