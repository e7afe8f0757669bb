"""What stands beside an image as a signature of it, and who may say that it is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Bytes that somebody signed, with the signature, and whether they say that the image is meant.

    ``bundle`` is all that came with them; empty where they did not come in a bundle.
    """

    message: bytes
    signature: bytes
    about: bool
    bundle: bytes = b""


class Signer(Protocol):
    """Somebody whom a mirror trusts."""

    @property
    def name(self) -> str:
        """Who that is, for people."""
        ...

    def made(self, claim: Claim) -> bool:
        """Whether a claim is theirs. What cannot be understood is not."""
        ...
