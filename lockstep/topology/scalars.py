"""The small types of the configuration: durations, rates, shares, names, URLs.

Each is written as people write it and kept as a plain value; a wrong one is refused with the form that is
wanted.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s?([KMG]?)bit")
_RATE_UNIT = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_SIZE = re.compile(r"(\d+)(|B|KiB|MiB|GiB)")
_SIZE_UNIT = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
# RFC 1123 label, as Kubernetes requires of most names.
NAME_PATTERN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
# A path of a repository on a forge: no part begins with a dot or a dash, so none is an option or "..".
_GIT_REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_GIT_GLOB = re.compile(r"[A-Za-z0-9_*?\[\]][A-Za-z0-9._*?\[\]!-]*(?:/[A-Za-z0-9_*?\[\]][A-Za-z0-9._*?\[\]!-]*)*")
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)(?!-).+")
GIT_SCHEMES = frozenset({"file", "http", "https", "ssh"})


def parse_duration(text: object) -> object:
    """Read a duration such as ``10m``, ``1h30m``, ``7d``; a ``timedelta`` passes through."""
    if not isinstance(text, str):
        return text
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise ValueError("is not a duration; write whole numbers with w, d, h, m or s, such as 10m, 1h30m or 7d")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def format_duration(value: timedelta) -> str:
    """Write a duration the way ``parse_duration`` reads it, largest units first; ``0s`` for nothing."""
    left = int(value.total_seconds())
    parts = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _rate(text: str) -> str:
    match = _RATE.fullmatch(text)
    if not match or float(match[1]) <= 0:
        raise ValueError("is not a rate; write it in bits for each second, such as 20Mbit or 1Gbit")
    return text


def bits_per_second(rate: str) -> float:
    """A validated rate such as ``20Mbit`` in bits for each second."""
    match = _RATE.fullmatch(rate)
    assert match is not None, rate  # noqa: S101 - a Rate was validated when the configuration was read
    return float(match[1]) * _RATE_UNIT[match[2]]


def _size(text: object) -> object:
    if not isinstance(text, str):
        return text
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError("is not a size; write it as 512KiB, 25MiB or 1GiB")
    return int(match[1]) * _SIZE_UNIT[match[2]]


def _share(value: object) -> object:
    text = "" if isinstance(value, bool) else str(value)
    if not re.fullmatch(r"\d+%?", text) or (text.endswith("%") and int(text[:-1]) > 100):
        raise ValueError("is neither a number nor a share; write a whole number such as 2 or a share such as 50%")
    return text


def _git_repository(text: str) -> str:
    if not _GIT_REPOSITORY.fullmatch(text) or text.endswith((".git", ".lock")) or ".." in text:
        raise ValueError("is not the path of a repository; write it as the forge shows it, such as bank/pay")
    return text


def _git_glob(text: str) -> str:
    if not _GIT_GLOB.fullmatch(text) or ".." in text:
        raise ValueError("is neither the path of a repository nor a pattern; write bank/pay or bank/*")
    return text


def _no_credentials(text: str) -> None:
    parts = urlsplit(text)
    if parts.password or (parts.username and parts.scheme in ("http", "https")):
        raise ValueError("has a user or a password in it; give secrets by reference (env, file, kubernetesSecret)")
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment; give only scheme, host and path")


def _git_url(text: str) -> str:
    if _SCP.fullmatch(text) and "://" not in text:
        return text
    scheme = text.partition("://")[0]
    if scheme not in GIT_SCHEMES or "://" not in text:
        raise ValueError("is not a git URL; use https://, http://, ssh://, file:// or git@host:path")
    if scheme != "file" and not urlsplit(text).hostname:
        raise ValueError("names no host")
    if (urlsplit(text).hostname or "").startswith("-"):
        raise ValueError("names a host that begins with a dash")
    _no_credentials(text)
    return text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not a URL; use https://host[:port][/path]")
    _no_credentials(text)
    return text.rstrip("/")


def _local_path(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("is not a path")
    return text


def _relative_path(text: str) -> str:
    if text.startswith(("/", "-")) or ".." in text.split("/") or "\0" in text or not text:
        raise ValueError("must be a path inside the repository: relative, without ..")
    return text


def _image_prefix(text: str) -> str:
    if text.endswith("/") or "//" in text or not re.fullmatch(r"[A-Za-z0-9._/-]+(:\d+)?[a-z0-9._/-]*", text):
        raise ValueError("is not a prefix of image references; write host[:port][/path] without a last slash")
    return text


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
]
"""A length of time: ``10m``, ``1h30m``, ``7d``."""
Rate = Annotated[str, AfterValidator(_rate)]
"""Bits for each second: ``20Mbit``."""
Size = Annotated[int, BeforeValidator(_size, json_schema_input_type=str | int), Field(gt=0)]
"""Bytes: ``25MiB``."""
Share = Annotated[str, BeforeValidator(_share, json_schema_input_type=str | int)]
"""A whole number or a percentage: ``2``, ``50%``."""
Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$", max_length=63)]
"""An RFC 1123 label."""
GitRepository = Annotated[str, AfterValidator(_git_repository), Field(max_length=200)]
"""The path of a repository on its forge: ``bank/pay``."""
GitGlob = Annotated[str, AfterValidator(_git_glob), Field(max_length=200)]
"""The path of a repository, or a pattern: ``bank/*``."""
GitUrl = Annotated[str, AfterValidator(_git_url)]
"""A URL that git understands, without a secret in it; ``{repository}`` stands for the repository's path."""
HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An http or https URL without a secret in it."""
LocalPath = Annotated[str, AfterValidator(_local_path)]
"""A path on this machine; relative ones start at the configuration directory."""
RelativePath = Annotated[str, AfterValidator(_relative_path)]
"""A path inside a repository."""
ImagePrefix = Annotated[str, AfterValidator(_image_prefix)]
"""What stands before an image's name at a site: ``registry.sejong.example/prod``."""


def share_of(share: str, whole: int) -> int:
    """A share of a whole, rounded up: ``share_of("50%", 3) == 2``; a number is itself."""
    if share.endswith("%"):
        return -(-whole * int(share[:-1]) // 100)
    return int(share)
