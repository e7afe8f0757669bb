"""URLs as the configuration writes them: no secret inside, nothing that another program takes for an option."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lockstep.topology.forms import FieldError

GIT_SCHEMES = frozenset({"file", "http", "https", "ssh"})
_SCP = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//|:|-)\S+")
# Control characters and spaces.
_BLANK = re.compile(r"[\x00-\x20\x7f]")


def _no_credentials(text: str) -> None:
    parts = urlsplit(text)
    if parts.password or (parts.username and parts.scheme in ("http", "https")):
        raise FieldError(
            "has a user or a password in it.", "Give secrets by reference, in fields beside it: env, file."
        )
    if parts.query or parts.fragment:
        raise FieldError("has a query or a fragment.", "Write only scheme, host and path.")


def _parts_of(text: str, message: str, remedy: str) -> tuple[str, str]:
    """Scheme and host of a URL; FieldError with this message when it is none."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it is how urllib checks it
    except ValueError:
        raise FieldError(message, remedy) from None
    if _BLANK.search(text) or "://" not in text:
        raise FieldError(message, remedy)
    return parts.scheme, parts.hostname or ""


def git_url(text: str) -> str:
    """The text itself, when git understands it as a URL. Raises FieldError."""
    if "://" not in text and _SCP.fullmatch(text):
        return text
    wrong = ("is not a git URL.", "Write https://, http://, ssh://, file:// or git@host:path.")
    scheme, host = _parts_of(text, *wrong)
    if scheme not in GIT_SCHEMES:
        raise FieldError(*wrong)
    if (scheme == "file") == bool(host):
        raise FieldError(
            "names a host, which a file has not." if host else "names no host.", f"Write {_url_form(scheme)}."
        )
    # A program that is given user@host as an argument would take it for an option.
    if host.startswith("-") or urlsplit(text).netloc.startswith("-"):
        raise FieldError("names a host or user that begins with a dash.", "Write the host's name.")
    _no_credentials(text)
    return text


def _url_form(scheme: str) -> str:
    return "file:///path" if scheme == "file" else f"{scheme}://host/path"


def http_url(text: str) -> str:
    """The URL without a last slash. Raises FieldError."""
    wrong = ("is not a URL.", "Write https://host[:port][/path].")
    scheme, host = _parts_of(text, *wrong)
    if scheme not in ("http", "https") or not host:
        raise FieldError(*wrong)
    _no_credentials(text)
    return text.rstrip("/")
