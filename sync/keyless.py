"""Signatures by identity ("keyless"): a certificate for minutes, and the entry of a log.

A bundle counts when all of this holds, by a trusted root that the configuration gives, and without asking anybody: the
certificate is Fulcio's, a log of certificates has seen it, and it was valid when the log of signatures (or a timestamp)
says that the signature was made; it names the identity, as the issuer told it; the log's signed checkpoint includes the
entry; and the entry is of this signature (sigstore's specification of clients, "Verification"). What the library
verifies is the statement; whether that is about an image is asked elsewhere, about the same bytes. This is the one
module that imports ``sigstore``.
"""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import orjson
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from sigstore import errors as theirs
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy

from lockstep import errors
from lockstep.topology import kinds, secrets
from sync.claims import Claim

# What the library and what it stands on raise about bytes of strangers.
_NONSENSE = (
    theirs.Error,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    UnsupportedAlgorithm,
    struct.error,
    ArithmeticError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who signs by identity."""

    named: kinds.Keyless
    verifier: Verifier

    @property
    def name(self) -> str:
        """The identity, and who vouches for it."""
        return f"{self.named.identity} (of {self.named.issuer})"

    def made(self, claim: Claim) -> bool:
        """Whether a claim came in a bundle of this identity."""
        try:
            kind, payload = self.verifier.verify_dsse(Bundle.from_json(claim.bundle), self._policy())
        except _NONSENSE:
            return False
        # The library has read the bundle by itself: it may not have found another statement in it than we did.
        return claim.message == b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)

    def _policy(self) -> policy.VerificationPolicy:
        issuer = self.named.issuer
        # The second form of the extension is the newer one; a certificate may have both.
        issuers = policy.AnyOf([policy.OIDCIssuerV2(issuer), policy.OIDCIssuer(issuer)])
        return policy.AllOf([issuers, _Names(pattern=self.named.identity)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """That a certificate names somebody."""

    pattern: str

    def verify(self, cert: x509.Certificate) -> None:
        """Raises VerificationError when it does not."""
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = [
            *names.get_values_for_type(x509.RFC822Name),
            *names.get_values_for_type(x509.UniformResourceIdentifier),
        ]
        # Of what a pattern may have only the star is meant: URLs have question marks, and hosts brackets.
        pattern = self.pattern.replace("[", "[[]").replace("?", "[?]")
        if not any(fnmatchcase(name, pattern) for name in found):
            raise theirs.VerificationError(f"The certificate names {found}.")


def read(named: kinds.Keyless, *, root: str) -> Identity:
    """Somebody who signs by identity, with the trusted root as JSON.

    Raises:
        InputError: That is no trusted root.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:  # the library reads it from a file only
            file = Path(folder, "trusted_root.json")
            file.write_text(root, encoding="utf-8")
            verifier = Verifier(trusted_root=TrustedRoot.from_file(str(file)))
        if not orjson.loads(root).get("ctlogs"):
            raise ValueError("Without a log of certificates no certificate is believed.")
    except _NONSENSE as error:
        raise errors.InputError(
            f"No trusted root can be read from {secrets.title(named.trusted_root)}.",
            remedy="Give that of your Fulcio and Rekor (cosign trusted-root create), or of sigstore's TUF repository.",
        ) from error
    return Identity(named=named, verifier=verifier)
