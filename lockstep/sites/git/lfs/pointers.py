"""Pointers of git LFS: the small files that stand in git for large ones (git-lfs, ``docs/spec.md``). Pure."""

from __future__ import annotations

import re

from lockstep.sites.ends import LargeFile

SMALLER_THAN = 1024
"""Bytes: "pointer files must be less than 1024 bytes"."""

_VERSIONS = (
    "https://git-lfs.github.com/spec/v1",
    "https://hawser.github.com/spec/v1",  # what git-lfs still reads: its name before 2015
    "http://git-media.io/v/2",
)
_OID = re.compile(r"sha256:([0-9a-f]{64})")
_SIZE = re.compile(r"[0-9]{1,18}")


def parse(content: bytes) -> LargeFile | None:
    """The file that a pointer stands for; None when this is no pointer, or one of the empty file."""
    if len(content) >= SMALLER_THAN or not content.startswith(b"version "):
        return None
    try:
        lines = content.decode().strip().split("\n")
    except UnicodeDecodeError:
        return None
    fields = dict(line.rstrip("\r").partition(" ")[::2] for line in lines)
    oid, size = _OID.fullmatch(fields.get("oid", "")), _SIZE.fullmatch(fields.get("size", ""))
    if fields.get("version") not in _VERSIONS or not oid or not size or int(size[0]) == 0:
        return None
    return LargeFile(oid=oid[1], size=int(size[0]))
