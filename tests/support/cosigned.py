"""Signatures of images as cosign keeps them, made by OpenSSL and laid out by hand: never by the code that is tested."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from lockstep.sites import ends, oci
from lockstep.values import Json
from tests.support.images import Maker, blob

SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGNED = "https://sigstore.dev/cosign/sign/v1"
_EMPTY = "application/vnd.oci.empty.v1+json"

KINDS: Mapping[str, list[str]] = {
    "P-256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "RSA": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "Ed25519": ["-algorithm", "ED25519"],
    "short RSA": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "X25519": ["-algorithm", "X25519"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A pair of keys; the public one is PEM."""

    private: Path
    public: str

    def sign(self, message: bytes, *, by: str = "-sha256") -> bytes:
        """A signature over some bytes."""
        scratch = self.private.with_suffix(".message")
        scratch.write_bytes(message)
        if "ED25519" in self.private.name:
            return _openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self.private), "-in", str(scratch))
        return _openssl("dgst", by, "-sign", str(self.private), str(scratch))


def signer(folder: Path, kind: str = "P-256", *, name: str = "key") -> Signer:
    """A new pair of keys."""
    private = folder / f"{name}-{kind.upper()}.pem"
    _openssl("genpkey", *KINDS[kind], "-out", str(private))
    return Signer(private=private, public=_openssl("pkey", "-in", str(private), "-pubout").decode())


def payload(digest: str, **critical: Json) -> bytes:
    """What cosign signs of an image."""
    about = {"identity": {"docker-reference": ""}, "image": {"docker-manifest-digest": digest}, **critical}
    return orjson.dumps({"critical": {"type": "cosign container image signature", **about}, "optional": None})


def by_tag(maker: Maker, image: ends.Descriptor, *signed: tuple[bytes, bytes]) -> ends.Descriptor:
    """Payloads with their signatures under the tag beside an image (cosign 1 and 2)."""
    return maker.manifest(_body(maker, *signed), oci.OCI_MANIFEST, tag=f"{image.digest.replace(':', '-')}.sig")


def by_referrer(maker: Maker, image: ends.Descriptor, *signed: tuple[bytes, bytes]) -> ends.Descriptor:
    """The same in a manifest that refers to the image (cosign 2 in its OCI 1.1 mode)."""
    kind = "application/vnd.dev.cosign.artifact.sig.v1+json"
    body = {**_body(maker, *signed), "artifactType": kind, "subject": _named(image)}
    return maker.manifest(body, oci.OCI_MANIFEST)


def by_bundle(
    maker: Maker, image: ends.Descriptor, key: Signer, *, about: str = "", predicate: str = SIGNED
) -> ends.Descriptor:
    """A sigstore bundle that refers to the image (cosign 3); ``about`` is the digest that it states."""
    algorithm, _, encoded = (about or image.digest).partition(":")
    statement = orjson.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {algorithm: encoded}, "annotations": {}}],
            "predicateType": predicate,
            "predicate": {},
        }
    )
    kind = "application/vnd.in-toto+json"
    signature = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(statement), statement))
    envelope = {"payload": _text(statement), "payloadType": kind, "signatures": [{"sig": _text(signature)}]}
    bundle = {"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": ""}}, "dsseEnvelope": envelope}
    return attach(maker, image, orjson.dumps(bundle), BUNDLE)


def attach(maker: Maker, image: ends.Descriptor, content: bytes, kind: str) -> ends.Descriptor:
    """Some bytes that refer to an image, of a kind."""
    body = {
        "artifactType": kind,
        "config": oci.as_json(maker.put(b"{}", _EMPTY)),
        "layers": [oci.as_json(maker.put(content, kind))],
        "subject": _named(image),
    }
    return maker.manifest(body, oci.OCI_MANIFEST)


def _body(maker: Maker, *signed: tuple[bytes, bytes]) -> dict[str, Json]:
    layers = []
    for message, signature in signed:
        maker.put(message, SIMPLE)
        annotations = {"dev.cosignproject.cosign/signature": _text(signature)}
        layers.append(oci.as_json(blob(message, SIMPLE, annotations=annotations)))
    return {"config": oci.as_json(maker.put(b"{}", oci.OCI_CONFIG)), "layers": layers}


def _named(image: ends.Descriptor) -> dict[str, Json]:
    return {"mediaType": image.media_type, "digest": image.digest, "size": image.size}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout
