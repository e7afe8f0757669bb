"""Manifests at a registry: asked for by HEAD, read whole and verified, written byte for byte.

``Accept`` names every kind, because registries convert or deny what is not asked for (distribution
specification 1.1, "Pulling manifests", and the content negotiation of distribution).
"""

from __future__ import annotations

import re

from lockstep import errors, values
from lockstep.sites import oci
from lockstep.sites.ends import Descriptor, Manifest
from lockstep.sites.http import encodings
from lockstep.sites.http.wire import Answer
from lockstep.sites.registry import tokens
from lockstep.sites.registry.conversation import Conversation, Question, require

_ACCEPT = ", ".join([*sorted(oci.MANIFESTS), "*/*;q=0.1"])
# What registries say of a tag that must not move: ECR 400, Docker Hub 403, Quay 409, Harbor 412.
_FIXED = frozenset({400, 403, 405, 409, 412})
_SIZE = re.compile(r"[1-9][0-9]{0,17}")


def resolve(said: Conversation, repository: str, reference: str) -> Descriptor | None:
    """What a tag or digest names, by one HEAD; None when it is not there.

    A registry that does not tell the digest, or that knows no HEAD, is asked for the manifest itself.

    Raises:
        IntegrityError: The answer is not that of a registry, or names another digest than was asked for.
    """
    with said.ask(_question("HEAD", repository, reference)) as answer:
        if answer.status == 404:
            return None
        if answer.status != 405:
            require(answer, 200, what=_what(said, "asking for", repository, reference))
            found = _described(answer)
            if found is not None:
                _require_same(found.digest, reference, said)
                return found
    read = _read(said, repository, reference, like=reference if values.is_digest(reference) else "sha256:")
    return Descriptor(media_type=read.media_type, digest=read.digest, size=len(read.raw)) if read else None


def manifest(said: Conversation, repository: str, digest: str) -> Manifest | None:
    """A manifest by digest, verified; None when it is not there.

    Raises:
        IntegrityError: The bytes are not the digest's, or too many.
    """
    return _read(said, repository, digest, like=digest)


def by_tag(said: Conversation, repository: str, tag: str) -> Manifest | None:
    """The manifest that a tag names, with the digest of what was read; None when it is not there."""
    return _read(said, repository, tag, like="sha256:")


def write(said: Conversation, repository: str, written: Manifest, *, tag: str = "") -> bool:
    """Write a manifest under its digest, or under a tag; whether the registry keeps what refers to its subject.

    Raises:
        NotFoundError: Something that it names is not there.
        IntegrityError: The registry took it for something else.
    """
    reference = tag or written.digest
    question = Question(
        method="PUT",
        place=f"/v2/{repository}/manifests/{reference}",
        scopes=(tokens.push(repository),),
        headers={"Content-Type": written.media_type},
        body=written.raw,
    )
    with said.ask(question) as answer:
        what = _what(said, "writing", repository, reference)
        if tag and answer.status in _FIXED and _names(said, repository, tag) == written.digest:
            # An answer that was lost, or somebody who was as fast: ECR refuses a fixed tag also for what it names.
            return False
        require(answer, 200, 201, 202, what=what)
        told = answer.header("Docker-Content-Digest")
        if values.is_digest(told):
            _require_same(told, written.digest, said)
        return bool(answer.header("OCI-Subject"))


def delete(said: Conversation, repository: str, reference: str) -> bool:
    """Delete a tag, or a manifest with all its tags; False when the registry does not do that.

    Raises:
        ForbiddenError and its kin.
    """
    question = Question(
        method="DELETE", place=f"/v2/{repository}/manifests/{reference}", scopes=(tokens.delete(repository),)
    )
    with said.ask(question) as answer:
        if answer.status in (400, 404, 405):  # the specification allows each for "no", and 404 for "gone already"
            return False
        require(answer, 200, 202, 204, what=_what(said, "deleting", repository, reference))
        return True


def _names(said: Conversation, repository: str, tag: str) -> str:
    """The digest that a tag names; empty when nobody can say."""
    try:
        found = resolve(said, repository, tag)
    except errors.LockstepError:
        return ""
    return found.digest if found else ""


def _question(method: str, repository: str, reference: str) -> Question:
    return Question(
        method=method,
        place=f"/v2/{repository}/manifests/{reference}",
        scopes=(tokens.pull(repository),),
        headers={"Accept": _ACCEPT},
    )


def _read(said: Conversation, repository: str, reference: str, *, like: str) -> Manifest | None:
    with said.ask(_question("GET", repository, reference)) as answer:
        if answer.status == 404:
            return None
        require(answer, 200, what=_what(said, "reading", repository, reference))
        raw = answer.read(oci.MANIFEST_BYTES)
        kind = _kind(answer)
    if "html" in kind or not raw:
        raise _page(said, kind)
    digest = oci.digest_of(raw, like=like)
    _require_same(digest, reference, said)
    # Proxies rewrite the header; then the document speaks for itself.
    media_type = kind if kind in oci.MANIFESTS else oci.kind_of(raw) or kind
    if not media_type:
        raise _page(said, kind)
    return Manifest(media_type=media_type, digest=digest, raw=raw)


def _described(answer: Answer) -> Descriptor | None:
    """What a HEAD says of a manifest; None when it says too little."""
    digest, size = answer.header("Docker-Content-Digest"), answer.header("Content-Length")
    kind = _kind(answer)
    plain = encodings.is_plain(answer.header("Content-Encoding"))  # otherwise the size is another one
    if not values.is_digest(digest) or not _SIZE.fullmatch(size) or not plain or not kind or "html" in kind:
        return None
    return Descriptor(media_type=kind, digest=digest, size=int(size))


def _kind(answer: Answer) -> str:
    return answer.header("Content-Type").partition(";")[0].strip()[:255]


def _require_same(digest: str, reference: str, said: Conversation) -> None:
    """Two digests of one algorithm are equal, or somebody lies. A registry may tell another algorithm's."""
    same_algorithm = reference.partition(":")[0] == digest.partition(":")[0]
    if values.is_digest(reference) and same_algorithm and digest != reference:
        raise errors.IntegrityError(
            f"{said.guard.home} has {digest} under the name {reference}.",
            remedy="Push the image there again; until then nothing is taken from it.",
        )


def _page(said: Conversation, kind: str) -> errors.IntegrityError:
    return errors.IntegrityError(
        f"Not the answer of a registry: {said.guard.home} answers with {kind or 'nothing that has a name'}.",
        remedy="Check its address.",
    )


def _what(said: Conversation, doing: str, repository: str, reference: str) -> str:
    return f"{doing} {repository}{'@' if values.is_digest(reference) else ':'}{reference} at {said.guard.home}"
