"""Whether an image is signed: what cosign and its kin keep beside an image, and whether one of some signers made it.

Three places are looked at, as clients of cosign do (its specifications of signatures and of bundles):

- the tag ``sha256-<hex>.sig`` beside the image, with a layer for each signature;
- a referrer of the kind of those signatures, laid out alike;
- a referrer that is a sigstore bundle with a DSSE envelope about the image, as cosign 3 writes it.

A signature counts when somebody who is trusted made it over exactly the bytes of a statement, and the statement names
the image by its digest. What a statement says of the image's name is not looked at, as cosign does not: an image is
mirrored under its own name, and its digest is what was signed. For a key certificates and transparency logs are not
consulted; an identity signs in a bundle, which has both. An attestation (a bill of materials, say) is signed too and
says something else: it is no signature of the image.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

import orjson

from lockstep import errors, values
from lockstep.sites import ends, oci
from lockstep.values import Json
from sync.claims import Claim, Signer

_SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
_SIMPLE_REFERRER = "application/vnd.dev.cosign.artifact.sig.v1+json"
_BUNDLE = "application/vnd.dev.sigstore.bundle"
_SIGNATURE = "dev.cosignproject.cosign/signature"
_CLAIM = "cosign container image signature"
_STATEMENTS = frozenset({"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"})
_STATEMENT_KIND = "application/vnd.in-toto+json"
_SIGNED = "https://sigstore.dev/cosign/sign/v1"

# A statement has some hundred bytes, a bundle with its proofs some thousand.
_MOST_BYTES = 2**20
# What is looked at for one image: a stranger may attach as much as the registry takes.
_MOST_MANIFESTS = 64
_MOST_SIGNATURES = 256


def is_signed(store: ends.ImageStore, repository: str, digest: str, signers: Sequence[Signer]) -> bool:
    """Whether one of the signers has signed an image. What cannot be understood is no signature.

    Raises:
        UnreachableError and its kin: Nobody could say.
    """
    found = _claims(store, repository, digest)
    return any(
        claim.about and any(signer.made(claim) for signer in signers)
        for claim, _ in zip(found, range(_MOST_SIGNATURES), strict=False)
    )


def _claims(store: ends.ImageStore, repository: str, digest: str) -> Iterator[Claim]:
    for manifest in _manifests(store, repository, digest):
        try:
            contents = oci.contents(manifest)
        except (errors.IntegrityError, errors.UnsupportedError):
            continue
        for blob in contents.blobs:
            if blob.media_type == _SIMPLE or blob.media_type.startswith(_BUNDLE):
                yield from _read(blob, _content(store, repository, blob), digest)


def _manifests(store: ends.ImageStore, repository: str, digest: str) -> Iterator[ends.Manifest]:
    """What may hold signatures of an image: what the tag names, then what refers to it."""
    tag = f"{digest.replace(':', '-')}.sig"  # of a SHA-512 it is too long for a tag: then there are only referrers
    tagged = store.resolve(repository, tag) if values.is_tag(tag) else None
    named = [tagged.digest] if tagged is not None else []
    referring = [one for one in store.referrers(repository, digest) if _may_sign(one)]
    for one in [*named, *(referrer.digest for referrer in referring[:_MOST_MANIFESTS])]:
        try:
            manifest = store.manifest(repository, one)
        except errors.IntegrityError:
            continue
        if manifest is not None:
            yield manifest


def _may_sign(referrer: ends.Descriptor) -> bool:
    """By its kind; some registries do not tell it."""
    kind = referrer.artifact_type
    return not kind or kind == _SIMPLE_REFERRER or kind.startswith(_BUNDLE)


def _content(store: ends.ImageStore, repository: str, blob: ends.Descriptor) -> bytes:
    """A blob's bytes; none when it is damaged, gone, or larger than any of its kind."""
    if blob.data is not None or blob.size > _MOST_BYTES:
        return blob.data or b""
    try:
        with store.read_blob(repository, blob) as chunks:
            return b"".join(chunks)
    except (errors.IntegrityError, errors.NotFoundError):
        return b""


def _read(blob: ends.Descriptor, content: bytes, digest: str) -> Iterator[Claim]:
    if blob.media_type == _SIMPLE:
        about = _simple_digest(content) == digest
        yield Claim(message=content, signature=_decoded(blob.annotations.get(_SIGNATURE)), about=about)
        return
    envelope = _object(_object(_json(content)).get("dsseEnvelope"))
    payload, kind = _decoded(envelope.get("payload")), envelope.get("payloadType")
    signatures = envelope.get("signatures")
    for entry in signatures if kind == _STATEMENT_KIND and isinstance(signatures, list) else []:
        signature = _decoded(_object(entry).get("sig"))
        yield Claim(message=_encoded(payload), signature=signature, about=_states(payload, digest), bundle=content)


def _simple_digest(content: bytes) -> Json:
    """The digest that a payload of simple signing names; None when it is none of cosign's."""
    critical = _object(_object(_json(content)).get("critical"))
    return _object(critical.get("image")).get("docker-manifest-digest") if critical.get("type") == _CLAIM else None


def _states(payload: bytes, digest: str) -> bool:
    """Whether an in-toto statement says that an image is signed."""
    statement = _object(_json(payload))
    subjects = statement.get("subject")
    if statement.get("_type") not in _STATEMENTS or statement.get("predicateType") != _SIGNED:
        return False
    algorithm, _, encoded = digest.partition(":")
    named = [_object(_object(one).get("digest")) for one in subjects] if isinstance(subjects, list) else []
    return any(one.get(algorithm) == encoded for one in named)


def _encoded(payload: bytes) -> bytes:
    """What a DSSE signature is over (DSSE 1.0, "PAE")."""
    kind = _STATEMENT_KIND.encode()
    return b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload])


def _json(content: bytes) -> Json:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _object(found: Json) -> dict[str, Json]:
    return found if isinstance(found, dict) else {}


def _decoded(text: Json) -> bytes:
    """What base64 stands for, in its usual alphabet or that of URLs (protobuf's JSON reads both)."""
    if not isinstance(text, str):
        return b""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return b""
