"""An independent signer: OpenSSL, never the code that is tested."""

from __future__ import annotations

import subprocess


def hmac_sha256(body: bytes, secret: str) -> str:
    """The HMAC-SHA256 of a body as lower-case hex, as OpenSSL calculates it."""
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{secret.encode().hex()}", "-r"]
    done = subprocess.run(command, input=body, capture_output=True, check=True)
    return done.stdout.split()[0].decode()
