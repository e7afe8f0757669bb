"""When two URLs mean the same repository: pure.

A forge gives one repository many URLs (https, ssh, scp form, with a port, with ``.git``), and the
configuration has one of them. They are the same when host and path are. Ports and users are left out: an
event is only a hint, and a forge behind another port is the same forge far more often than it is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

PLACEHOLDER = "{repository}"
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^@/:\[\]]+):(?P<path>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a repository is.

    ``host`` is in lower case, and empty on this machine; ``path`` has no slashes around it and no ``.git``.
    """

    host: str
    path: str


def read(url: str) -> Address | None:
    """The address behind any URL that git understands; None when it is none."""
    if not (url.isascii() and url.isprintable()):  # urllib would leave line ends out, and so change the name
        return None
    if "://" not in url:
        scp = _SCP.fullmatch(url)
        return _address(scp["host"].strip("[]"), scp["path"]) if scp else _address("", url)
    try:
        parts = urlsplit(url)
    except ValueError:  # such as a broken IPv6 address
        return None
    return _address(parts.hostname or "", parts.path)


def repository_in(url: str, template: str) -> str:
    """The repository that a URL names, when it is one of ``template``'s; empty when it is not.

    Args:
        url: Any URL.
        template: A URL or path with ``{repository}`` in it.
    """
    ours, theirs = read(template), read(url)
    if ours is None or theirs is None or ours.host != theirs.host or PLACEHOLDER not in ours.path:
        return ""
    before, _, after = ours.path.partition(PLACEHOLDER)
    path = theirs.path
    if len(path) <= len(before) + len(after) or not (_starts(path, before) and _starts(path[::-1], after[::-1])):
        return ""
    return path[len(before) : len(path) - len(after)]


def _address(host: str, path: str) -> Address | None:
    bare = path.strip("/").removesuffix(".git").rstrip("/")
    return Address(host=host.lower().rstrip("."), path=bare) if bare else None


def _starts(text: str, start: str) -> bool:
    # Forges differ in whether case matters in a path; where it does, nobody has two that differ by it.
    return text[: len(start)].lower() == start.lower()
