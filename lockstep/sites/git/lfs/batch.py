"""The Batch API of git LFS: what is asked, and what an answer means (git-lfs, ``docs/api/batch.md``). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from lockstep import errors
from lockstep.sites.ends import LargeFile
from lockstep.sites.git import failures

MEDIA_TYPE = "application/vnd.git-lfs+json"
MOST = 100
"""Files in one question: what git-lfs itself asks for, and what servers are bounded to."""

# What a server may not set for us: it says how the message ends, or to whom it goes (RFC 9110, 9112).
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_MOST_HEADERS = 50
_LONGEST_HEADER = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A place to go to, and the headers to bring along."""

    href: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server says of one file: its actions by name, or why it has none."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    code: int = 0
    message: str = ""


def question(operation: str, files: Sequence[LargeFile]) -> bytes:
    """The body of a request; ``operation`` is ``download`` or ``upload``."""
    body = {
        "operation": operation,
        "transfers": ["basic"],
        "objects": [{"oid": file.oid, "size": file.size} for file in files],
        "hash_algo": "sha256",
    }
    return json.dumps(body).encode()


def answers(body: bytes, files: Sequence[LargeFile], *, address: str) -> dict[LargeFile, Answer]:
    """What a server says of each file that it was asked about.

    Raises:
        IntegrityError: It is no answer, or says nothing of a file.
        UnsupportedError: It wants another way of transfer, or another hash.
    """
    said = _table(_json(body, address))
    if said.get("transfer", "basic") != "basic" or said.get("hash_algo", "sha256") != "sha256":
        raise errors.UnsupportedError(
            f"{address} wants large files in another way than was offered.", remedy="Let it use basic and sha256."
        )
    listed = said.get("objects")
    objects = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    told = {str(one.get("oid")): one for one in objects}
    if not all(file.oid in told for file in files):
        raise _strange(address, "it does not say how it stands with a large file")
    return {file: _answer(told[file.oid], address) for file in files}


def header(headers: object, *, address: str) -> dict[str, str]:
    """Headers that a server wants back, as far as they are its to say.

    Raises:
        IntegrityError: They are none, or would be something else.
    """
    given = _table(headers)
    if len(given) > _MOST_HEADERS:
        raise _strange(address, "it wants too many headers")
    for name, value in given.items():
        sound = isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= _LONGEST_HEADER
        if not sound or not _NAME.fullmatch(name):
            raise _strange(address, "it wants a header that is none")
    return {name: str(value) for name, value in given.items() if name.lower() not in _OURS}


def _answer(one: dict[str, Any], address: str) -> Answer:
    error = _table(one.get("error"))
    if error:
        code = error.get("code")
        message = failures.clean(str(error.get("message", "")))
        return Answer(code=code if isinstance(code, int) else 500, message=message)
    actions = {}
    for name, action in _table(one.get("actions") or one.get("_links")).items():
        fields = _table(action)
        if not isinstance(fields.get("href"), str):
            raise _strange(address, "an action leads nowhere")
        actions[name] = Action(href=fields["href"], headers=header(fields.get("header"), address=address))
    return Answer(actions=actions)


def _json(body: bytes, address: str) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _strange(address, "it is not JSON") from error


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _strange(address: str, why: str) -> errors.IntegrityError:
    return errors.IntegrityError(
        f"{address} answers a question about large files with something else: {why}.",
        remedy="Check that this is the address of a git server with LFS.",
    )
