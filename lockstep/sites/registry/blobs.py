"""Blobs at a registry: whether they are there, and their bytes, verified as they come.

A reading that is cut goes on where it was cut (``Range``), wherever the registry sent us for the bytes. Size
and digest are counted over all of it, so that no seam can hide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator

from lockstep import errors
from lockstep.sites.ends import Descriptor
from lockstep.sites.http import encodings
from lockstep.sites.http.places import origin_of
from lockstep.sites.http.wire import Answer
from lockstep.sites.registry import tokens
from lockstep.sites.registry.conversation import Conversation, Question, require

# How often one reading is taken up again without so many bytes having come in between.
_TRIES = 3
_STEP_BYTES = 2**16
# What storages say to a request that was signed for another method.
_NOT_SIGNED = frozenset({400, 401, 403})


def has(said: Conversation, repository: str, blob: Descriptor) -> bool:
    """Whether a blob is there, with its size, by one HEAD.

    Where a HEAD is not answered, or says neither size nor digest, its first byte is asked for: some registries lead a
    HEAD to a storage by an address that was signed for GET, and the storage says 403 to everything else.
    """
    question = _question("HEAD", repository, blob)
    with said.ask(question) as answer:
        if answer.status == 404:
            return False
        elsewhere = origin_of(answer.url) != said.guard.home
        if answer.status != 405 and not (elsewhere and answer.status in _NOT_SIGNED):
            require(answer, 200, what=_what(said, "asking for", repository, blob))
            plain = encodings.is_plain(answer.header("Content-Encoding"))
            # A length may be left out (specification 1.1); 0 is also what proxies say that answer a HEAD by themselves.
            size = answer.header("Content-Length") if plain else ""
            told = size or answer.header("Docker-Content-Digest") == blob.digest
            if told and not (size == "0" and blob.size):
                return size in ("", str(blob.size))
    return _begins(said, repository, blob)


def _begins(said: Conversation, repository: str, blob: Descriptor) -> bool:
    """Whether a blob is there, with its size, by asking for its first byte."""
    with said.ask(_question("GET", repository, blob, {"Range": "bytes=0-0"})) as answer:
        if answer.status == 404:
            return False
        what = _what(said, "asking for", repository, blob)
        require(answer, 200, 206, 416, what=what)
        if "html" in answer.header("Content-Type"):
            raise errors.IntegrityError(
                f"Not the answer of a registry: {what}: it answers with a page.", remedy="Check that registry."
            )
        if answer.status == 416:  # there is no first byte
            return not blob.size
        told = answer.header("Content-Length" if answer.status == 200 else "Content-Range")
        size = told.rpartition("/")[2]
        return size in ("", "*") or size == str(blob.size)


def read(said: Conversation, repository: str, blob: Descriptor) -> Generator[bytes]:
    """The blob's bytes; the last of them only when all were right.

    Raises:
        NotFoundError: It is not there.
        IntegrityError: The bytes are others.
        UnreachableError: They stopped coming, and did not go on.
    """
    hashed, size, held = hashlib.new(blob.digest.partition(":")[0]), 0, b""
    for chunk in _resumed(said, repository, blob):
        size += len(chunk)
        if size > blob.size:
            break
        hashed.update(chunk)
        if held:
            yield held
        held = chunk
    if size != blob.size or hashed.hexdigest() != blob.digest.partition(":")[2]:
        raise errors.IntegrityError(
            f"What {said.guard.home} has of {repository} as {blob.digest} is something else"
            f"{'' if size == blob.size else f', of {size} bytes or more instead of {blob.size}'}.",
            remedy="Push the image there again.",
        )
    if held:
        yield held


def _resumed(said: Conversation, repository: str, blob: Descriptor) -> Generator[bytes]:
    at, tries = 0, _TRIES
    while True:
        before = at
        try:
            for chunk in _from(said, repository, blob, at):
                at += len(chunk)
                yield chunk
        except errors.UnreachableError:
            tries = _TRIES if at >= before + _STEP_BYTES else tries - 1
            if not tries or at > blob.size:
                raise
        else:
            return


def _from(said: Conversation, repository: str, blob: Descriptor, at: int) -> Generator[bytes]:
    """The bytes from an offset on."""
    question = _question("GET", repository, blob, {"Range": f"bytes={at}-"} if at else {})
    what = _what(said, "reading", repository, blob)
    with said.ask(question) as answer:
        if at and answer.status == 416:
            return  # there are no more: the caller counts
        require(answer, 200, 206, what=what)
        skip = at if answer.status == 200 else 0
        if answer.status == 206 and not answer.header("Content-Range").startswith(f"bytes {at}-"):
            raise errors.IntegrityError(f"Another part than was asked for: {what}.", remedy="Check that registry.")
        _require_length(answer, blob.size - at + skip, what)
        for chunk in answer.chunks():
            rest = chunk[skip:]
            skip -= min(skip, len(chunk))
            if rest:
                yield rest


def _require_length(answer: Answer, wanted: int, what: str) -> None:
    said = answer.header("Content-Length")
    encoded = not encodings.is_plain(answer.header("Content-Encoding"))
    if encoded or (said and said != str(wanted)):
        raise errors.IntegrityError(
            f"It is announced with {said} bytes{' in another encoding' if encoded else ''} and should have {wanted}: "
            f"{what}.",
            remedy="Push the image there again.",
        )


def _question(method: str, repository: str, blob: Descriptor, headers: dict[str, str] | None = None) -> Question:
    return Question(
        method=method,
        place=f"/v2/{repository}/blobs/{blob.digest}",
        scopes=(tokens.pull(repository),),
        headers=headers or {},
    )


def _what(said: Conversation, doing: str, repository: str, blob: Descriptor) -> str:
    return f"{doing} {repository}@{blob.digest} at {said.guard.home}"
