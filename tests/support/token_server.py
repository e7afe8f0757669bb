"""A server of tokens, as registries name one in ``realm``; it can sign them as docker-registry wants."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from tests.support import mini_registry
from tests.support.mini_registry import Asked, Reply, Scripted


@dataclass
class TokenServer:
    """What it grants, and what it was asked."""

    http: Scripted
    token: str = "granted"
    reply: Reply | None = None
    wanted: str = ""
    """The only ``Authorization`` that is believed; any when empty."""
    sign: Callable[[Sequence[str]], str] | None = None
    scopes: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.http.url

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.http.origin.port}"

    @property
    def asked(self) -> list[Asked]:
        """Every request."""
        return self.http.asked

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of all requests."""
        return self.http.bodies

    def answer(self, asked: Asked) -> Reply:
        """Grant a token."""
        if self.reply is not None:
            return self.reply
        if self.wanted and asked.headers.get("authorization") != self.wanted:
            return Reply(401)
        scopes = tuple(value for name, value in parse_qsl(asked.raw_query) if name == "scope")
        self.scopes.append(scopes)
        token = self.sign(scopes) if self.sign else self.token
        return Reply(200, json.dumps({"token": token, "expires_in": 300}).encode())


@contextlib.contextmanager
def serve() -> Iterator[TokenServer]:
    """A server of tokens on loopback while the block lasts."""
    with mini_registry.serve() as http:
        server = TokenServer(http=http)
        http.script = server.answer
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key, and the certificate that a registry believes (distribution, "Token Authentication Implementation")."""

    key: Path
    certificate: Path

    @classmethod
    def make(cls, folder: Path) -> Signer:
        """A key and a certificate of its own."""
        made = cls(key=folder / "key.pem", certificate=folder / "certificate.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests",
             "-keyout", str(made.key), "-out", str(made.certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        return made

    def sign(self, scopes: Sequence[str]) -> str:
        """A token that grants these scopes."""
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        lines = self.certificate.read_text().split("-----")[2].split()
        now = int(time.time())
        claims = {"iss": "tests", "aud": "registry", "sub": "robot", "exp": now + 300, "nbf": now - 5, "iat": now}
        head = _part({"typ": "JWT", "alg": "RS256", "x5c": ["".join(lines)]})
        body = _part({**claims, "jti": "1", "access": access})
        signed = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", str(self.key)],
            input=f"{head}.{body}".encode(), check=True, capture_output=True,
        ).stdout  # fmt: skip
        return f"{head}.{body}.{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
