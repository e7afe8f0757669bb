"""Public keys that images are signed with.

Of a key and a signature nothing else is known than the key's type: the scheme is that of the type (cosign's
specification, "Signature Schemes"). ECDSA over P-256, P-384 and P-521 with SHA-256, and with the hash of the curve's
size that newer signers take; RSA of at least 2048 bits, PKCS #1 v1.5 with SHA-256; Ed25519.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from lockstep import errors
from sync.claims import Claim

_Public: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

_CURVES: Mapping[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_LEAST_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A public key; ``name`` says where it is kept."""

    name: str
    public: _Public

    def made(self, claim: Claim) -> bool:
        """Whether this key signed the message of a claim."""
        return self.has_signed(claim.message, claim.signature)

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature over some bytes is this key's."""
        return any(self._verifies(message, signature, by) for by in self._hashes())

    def _hashes(self) -> tuple[hashes.HashAlgorithm, ...]:
        if isinstance(self.public, ec.EllipticCurvePublicKey):
            return tuple({one.name: one for one in (hashes.SHA256(), _CURVES[self.public.curve.name])}.values())
        return (hashes.SHA256(),)

    def _verifies(self, message: bytes, signature: bytes, by: hashes.HashAlgorithm) -> bool:
        with contextlib.suppress(InvalidSignature):
            if isinstance(self.public, ec.EllipticCurvePublicKey):
                self.public.verify(signature, message, ec.ECDSA(by))
            elif isinstance(self.public, rsa.RSAPublicKey):
                self.public.verify(signature, message, padding.PKCS1v15(), by)
            else:
                self.public.verify(signature, message)
            return True
        return False


def read(name: str, pem: str) -> Key:
    """A key from PEM ("BEGIN PUBLIC KEY"), as ``cosign public-key`` and ``openssl pkey -pubout`` write it.

    Raises:
        InputError: It is no public key, or one of a kind that signatures of images are not made with.
    """
    try:
        public = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise errors.InputError(
            f"No public key can be read from {name}.",
            remedy="Give the public half, as PEM: `cosign public-key --key cosign.key`.",
        ) from error
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= _LEAST_BITS:
        return Key(name=name, public=public)
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _CURVES:
        return Key(name=name, public=public)
    if isinstance(public, ed25519.Ed25519PublicKey):
        return Key(name=name, public=public)
    raise errors.InputError(
        f"The key in {name} is of a kind that images are not signed with.",
        remedy=f"Use ECDSA over P-256, Ed25519, or RSA of at least {_LEAST_BITS} bits.",
    )
