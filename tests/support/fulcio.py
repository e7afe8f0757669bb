"""A house of sigstore of our own: an authority like Fulcio, its log of certificates, and a log like Rekor.

Made from the specifications with nothing but ``cryptography``: never by the code that is tested, nor the library that
it stands on. Everything that a bundle says can be said wrong.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lockstep.values import Json

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KIND = "application/vnd.in-toto+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGNED = "https://sigstore.dev/cosign/sign/v1"
WORKFLOW = "https://forge.example/bank/pay/.github/workflows/release.yml@refs/tags/v1"
ISSUER = "https://token.forge.example"
_ISSUED_BY = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def text(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _new() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


@dataclass(kw_only=True)
class House:
    """The authority and its logs, each with a key of its own."""

    authority: ec.EllipticCurvePrivateKey = field(default_factory=_new)
    certificates: ec.EllipticCurvePrivateKey = field(default_factory=_new)
    log: ec.EllipticCurvePrivateKey = field(default_factory=_new)

    def __post_init__(self) -> None:
        name, key = _name("our authority"), self.authority.public_key()
        identifier = x509.SubjectKeyIdentifier.from_public_key(key)
        builder = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key, serial_number=1)
        builder = builder.not_valid_before(NOW - timedelta(days=900)).not_valid_after(NOW + timedelta(days=900))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        self.root = builder.add_extension(identifier, critical=False).sign(self.authority, hashes.SHA256())

    def trusted_root(self) -> str:
        """What a client has to trust, as JSON."""
        period = {"start": "2020-01-01T00:00:00Z"}

        def instance(key: ec.EllipticCurvePrivateKey, url: str) -> dict[str, Json]:
            public = {"rawBytes": text(_spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": period}
            identifier = text(hashlib.sha256(_spki(key)).digest())
            return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": {"keyId": identifier}}

        chain = {"certificates": [{"rawBytes": text(self.root.public_bytes(serialization.Encoding.DER))}]}
        subject = {"organization": "bank", "commonName": "our authority"}
        authority = {"subject": subject, "uri": "https://fulcio.example", "certChain": chain, "validFor": period}
        return orjson.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [instance(self.log, "https://rekor.example")],
                "certificateAuthorities": [authority],
                "ctlogs": [instance(self.certificates, "https://ctfe.example")],
                "timestampAuthorities": [],
            }
        ).decode()

    def certificate(
        self, key: ec.EllipticCurvePrivateKey, *, identity: str = WORKFLOW, issuer: str = ISSUER, logged: bool = True
    ) -> x509.Certificate:
        """A certificate for ten minutes, in the log of certificates."""
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(identity)]
        if "@" in identity and "://" not in identity:
            names = [x509.RFC822Name(identity)]
        issued = issuer.encode()
        builder = x509.CertificateBuilder(
            issuer_name=self.root.subject, subject_name=x509.Name([]), public_key=key.public_key(), serial_number=7
        )
        builder = builder.not_valid_before(NOW - timedelta(minutes=1)).not_valid_after(NOW + timedelta(minutes=9))
        for extension, critical in (
            (_usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()), False),
            (x509.SubjectAlternativeName(names), True),
            (x509.UnrecognizedExtension(_ISSUED_BY, bytes([0x0C, len(issued)]) + issued), False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        if logged:
            unlogged = builder.sign(self.authority, hashes.SHA256())
            proof = self._seen(unlogged.tbs_certificate_bytes)
            builder = builder.add_extension(x509.UnrecognizedExtension(_SCTS, proof), critical=False)
        return builder.sign(self.authority, hashes.SHA256())

    def _seen(self, certificate: bytes) -> bytes:
        """What the log of certificates gives for one (RFC 6962, "Structure of the Signed Certificate Timestamp")."""
        moment = int(NOW.timestamp() * 1000).to_bytes(8)
        issuer = hashlib.sha256(_spki(self.authority)).digest()
        message = b"\0\0" + moment + b"\0\1" + issuer + len(certificate).to_bytes(3) + certificate + b"\0\0"
        signature = _sign(self.certificates, message)
        entry = b"\0" + hashlib.sha256(_spki(self.certificates)).digest() + moment + b"\0\0"
        entry += b"\4\3" + len(signature).to_bytes(2) + signature
        listed = len(entry).to_bytes(2) + entry
        listed = len(listed).to_bytes(2) + listed
        return bytes([0x04, len(listed)]) + listed

    def entry(self, body: bytes, moment: datetime) -> dict[str, Json]:
        """An entry of the log, beside one other (RFC 6962, "Merkle Audit Paths"), with its promise and its proof."""
        ours, theirs = (hashlib.sha256(b"\0" + leaf).digest() for leaf in (body, b"somebody else's"))
        root = hashlib.sha256(b"\1" + ours + theirs).digest()
        own = hashlib.sha256(_spki(self.log)).digest()
        note = f"rekor.example - 1\n2\n{text(root)}\n"
        signature = text(own[:4] + _sign(self.log, note.encode()))
        at = int(moment.timestamp())
        promised = orjson.dumps({"body": text(body), "integratedTime": at, "logID": own.hex(), "logIndex": 0})
        return {
            "logIndex": "0",
            "logId": {"keyId": text(own)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": text(_sign(self.log, promised))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": text(root),
                "treeSize": "2",
                "hashes": [text(theirs)],
                "checkpoint": {"envelope": f"{note}\n\u2014 rekor.example {signature}\n"},
            },
            "canonicalizedBody": text(body),
        }

    def bundle(
        self, digest: str, *, predicate: str = SIGNED, signed_at: datetime = NOW, **certified: Json
    ) -> dict[str, Json]:
        """A bundle as cosign 3 writes it: that an image is signed, by somebody (``identity``, ``issuer``)."""
        key = _new()
        certificate = self.certificate(key, **certified)
        algorithm, _, encoded = digest.partition(":")
        subject = [{"digest": {algorithm: encoded}, "annotations": {}}]
        statement = {"_type": "https://in-toto.io/Statement/v1", "subject": subject}
        payload = orjson.dumps({**statement, "predicateType": predicate, "predicate": {}})
        signature = _sign(key, b"DSSEv1 %d %s %d %s" % (len(KIND), KIND.encode(), len(payload), payload))
        envelope = {"payload": text(payload), "payloadType": KIND, "signatures": [{"sig": text(signature)}]}
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(orjson.dumps(envelope)).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": text(signature), "verifier": text(pem)}],
        }
        body = orjson.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        material = {
            "certificate": {"rawBytes": text(certificate.public_bytes(serialization.Encoding.DER))},
            "tlogEntries": [self.entry(body, signed_at)],
        }
        return {"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope}
