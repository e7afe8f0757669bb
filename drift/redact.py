"""Secrets are compared key by key, by a keyed fingerprint; their values go nowhere.

A Secret is sealed as soon as it is read: what compares, stores, logs and reports never holds a value. The
fingerprint is HMAC-SHA-256 under a key of the installation, over the place as well as the value, so that two
equal passwords in two places do not look alike. Values elsewhere that are plainly secrets (an environment
variable called PASSWORD, a password inside a URL) are compared as they are and masked when they are shown.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lockstep.values import Json

_SHOWN = 16
# Names that people give to secrets; the whole word at the end, so that PASSWORD_MIN_LENGTH is none.
_SECRET_NAME = re.compile(
    r"(?i)(?:^|[^a-z])(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|(?:api|access|private|secret)[-_.]?key)s?$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# RFC 3986 userinfo: scheme://user:password@host. Bounded, so that no text can make it slow.
_URL_PASSWORD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@]{0,200}:)([^\s/@]{1,200})(?=@)")
_SOPS_VALUE = re.compile(r"ENC\[AES256_GCM,data:")


def is_secret(manifest: Mapping[str, Json]) -> bool:
    """Whether a manifest is a Secret of Kubernetes."""
    return manifest.get("kind") == "Secret" and manifest.get("apiVersion") == "v1"


def is_encrypted(manifest: Mapping[str, Json]) -> bool:
    """Whether a Secret in git is still encrypted by SOPS: there is nothing to compare (F13)."""
    if "sops" in manifest:
        return True
    parts = [manifest.get(part) for part in ("data", "stringData")]
    return any(
        isinstance(value, str) and _SOPS_VALUE.match(value)
        for part in parts
        if isinstance(part, dict)
        for value in part.values()
    )


@dataclass(frozen=True, slots=True, repr=False)
class Sealer:
    """Replaces values by fingerprints. ``key`` is a secret of the installation, at least 16 bytes."""

    key: bytes

    def seal(self, manifest: dict[str, Json]) -> dict[str, Json]:
        """A Secret with fingerprints for values, ``stringData`` merged into ``data`` (N12, N13); others as they are."""
        if not is_secret(manifest):
            return manifest
        sealed = {name: part for name, part in manifest.items() if name not in ("data", "stringData")}
        data = self._part(manifest, "data", _decoded)
        # The server lets stringData win.
        data |= self._part(manifest, "stringData", _encoded)
        if data:
            sealed["data"] = data
        return sealed

    def _part(self, manifest: dict[str, Json], part: str, read: Callable[[Json], bytes]) -> dict[str, Json]:
        values = manifest.get(part)
        if values is None:
            return {}
        metadata = manifest.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        place = f"{metadata.get('namespace')}/{metadata.get('name')}"
        if not isinstance(values, dict):
            return {f"({part})": self.fingerprint(place, part, repr(values).encode())}
        return {str(name): self.fingerprint(place, str(name), read(value)) for name, value in values.items()}

    def fingerprint(self, place: str, name: str, value: bytes) -> str:
        """``hmac:`` and sixteen hexadecimal digits, for a value at a place."""
        message = b"\0".join(
            (place.encode("utf-8", "backslashreplace"), name.encode("utf-8", "backslashreplace"), value)
        )
        return f"hmac:{hmac.digest(self.key, message, 'sha256').hex()[:_SHOWN]}"


@dataclass(frozen=True, slots=True)
class Mask:
    """Hides what is plainly secret in the values of one field; equal values stay equal, others stay apart (N20)."""

    seen: list[str] = field(default_factory=list)

    def hide(self, name: str, value: Json) -> Json:
        """The value of a field of this name, fit to be shown: ``(hidden 1)``, ``(hidden 2)``."""
        if isinstance(value, dict):
            # An environment variable, a header: the name is beside the value.
            label = value.get("name")
            own = label if isinstance(label, str) else name
            return {key: self.hide(own if key == "value" else key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.hide(name, item) for item in value]
        if not isinstance(value, str) or value.startswith("hmac:"):
            return value
        if value and is_secret_name(name):
            return self._hidden(value)
        return _URL_PASSWORD.sub(lambda match: match[1] + self._hidden(match[2]), value)

    def _hidden(self, value: str) -> str:
        if value not in self.seen:
            self.seen.append(value)
        return f"(hidden {self.seen.index(value) + 1})"


def is_secret_name(name: str) -> bool:
    """Whether a name says that its value is a secret: ``DB_PASSWORD``, ``apiKey``, ``client-secret``."""
    return _SECRET_NAME.search(_CAMEL.sub("-", name)) is not None


def _decoded(value: Json) -> bytes:
    """The bytes behind base64, as Go reads it (line breaks are let pass); what is none is told apart from it."""
    if value is None:
        return b""
    if isinstance(value, str):
        try:
            return base64.b64decode("".join(value.splitlines()), validate=True)
        except (binascii.Error, ValueError):
            pass
    return b"\0not base64\0" + repr(value).encode("utf-8", "backslashreplace")


def _encoded(value: Json) -> bytes:
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace")
    return b"\0not text\0" + repr(value).encode("utf-8", "backslashreplace")
