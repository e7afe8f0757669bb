"""The secrets of a hook, read where the configuration says, at the moment they are needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from lockstep import errors
from lockstep.clock import Clock
from lockstep.topology.kinds import SecretRef
from lockstep.topology.kinds.webhook import WebhookSpec
from webhooks import signatures

_log = logging.getLogger(__name__)
# A Kubernetes Secret costs a request to the API; without this, everybody who posts could make us send one.
_REMEMBERED_SECONDS = 60.0

Reveal: TypeAlias = Callable[[SecretRef], str]
"""Reads a secret: an environment variable, a file, a Kubernetes Secret. Raises LockstepError."""


class Keyring:
    """Reads the secrets of hooks. Safe to share between threads."""

    def __init__(self, reveal: Reveal, clock: Clock) -> None:
        self._reveal = reveal
        self._clock = clock
        self._lock = threading.Lock()
        self._remembered: dict[SecretRef, tuple[float, str]] = {}

    def secrets(self, hook: str, spec: WebhookSpec) -> tuple[bytes, ...]:
        """The secrets of a hook that are in force now.

        One that cannot be read is left out while another can, so that half a rotation stops nobody.

        Raises:
            UnreachableError: None of them can be read, so that nobody can be believed for now.
        """
        found: list[signatures.Secret] = []
        for secret in spec.secrets:
            try:
                value = self._read(secret)
            except errors.LockstepError as error:
                _log.error("A secret of the hook %s cannot be read: %s", hook, error)
                continue
            found.append(signatures.Secret(value=value.encode(), expires=secret.expires))
        if spec.secrets and not found:
            raise errors.UnreachableError(
                f"No secret of the hook {hook} can be read.", remedy="Look at the log for the reason of each."
            )
        return signatures.in_force(found, self._clock.now())

    def _read(self, secret: SecretRef) -> str:
        if secret.kubernetes_secret is None:
            return self._reveal(secret)
        now = self._clock.monotonic()
        with self._lock:
            read_at, value = self._remembered.get(secret, (float("-inf"), ""))
        if now - read_at > _REMEMBERED_SECONDS:
            value = self._reveal(secret)
            with self._lock:
                self._remembered[secret] = (now, value)
        return value
