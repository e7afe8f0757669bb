"""Certificates that only a test's own authority vouches for. Made with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate and its key, both files of PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """What vouches for a test's servers and clients."""

    folder: Path
    own: Certificate

    def server(self, name: str = "IP:127.0.0.1") -> Certificate:
        """A certificate for the loopback, or for another name."""
        extensions = (f"subjectAltName={name}", "extendedKeyUsage=serverAuth")
        return self._issued(f"server-{name.replace(':', '-')}", "/CN=server", extensions)

    def client(self, user: str, *, group: str = "") -> Certificate:
        """A certificate that says who somebody is, as Kubernetes reads it: CN the user, O a group."""
        subject = f"/O={group}/CN={user}" if group else f"/CN={user}"
        return self._issued(f"client-{user}", subject, ("extendedKeyUsage=clientAuth",))

    def _issued(self, name: str, subject: str, extensions: tuple[str, ...]) -> Certificate:
        made = Certificate(certificate=self.folder / f"{name}.crt", key=self.folder / f"{name}.key")
        if not made.certificate.exists():
            voucher = ("-CA", self.own.certificate, "-CAkey", self.own.key)
            _request(made, subject, *voucher, *(word for one in extensions for word in ("-addext", one)))
        return made


def authority(folder: Path) -> Authority:
    """A new authority, which keeps what it makes in a folder."""
    own = Certificate(certificate=folder / "authority.crt", key=folder / "authority.key")
    _request(own, "/CN=authority of a test", "-addext", "keyUsage=critical,keyCertSign,digitalSignature")
    return Authority(folder=folder, own=own)


def _request(made: Certificate, subject: str, *more: str | Path) -> None:
    files = ("-keyout", made.key, "-out", made.certificate)
    subprocess.run(["openssl", "req", "-x509", *_KEY, "-subj", subject, *files, *more], check=True, capture_output=True)
