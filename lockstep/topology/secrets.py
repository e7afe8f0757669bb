"""Secrets, read where the configuration says, at the moment they are used, and kept by nobody here.

An error names the reference and never the value. A secret that is empty is refused: an empty key signs anything.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel

from lockstep import errors
from lockstep.topology import kinds
from lockstep.topology.model import Topology, local_path

_log = logging.getLogger(__name__)
# Kubernetes keeps a Secret within 1 MiB: a file that is larger is not one.
_MOST_BYTES = 2**20

ReadKubernetes: TypeAlias = Callable[[kinds.KubernetesSecretRef], bytes]
"""Reads a key of a Secret from the cluster that Lockstep runs in. Raises LockstepError."""


def title(ref: kinds.SecretRef) -> str:
    """A reference as a person would name it; it holds no secret."""
    if ref.env is not None:
        return f"the environment variable {ref.env}"
    if ref.file is not None:
        return f"the file {ref.file}"
    kubernetes = ref.kubernetes_secret
    assert kubernetes is not None  # noqa: S101 - the model has exactly one of the three
    where = f" in {kubernetes.namespace}" if kubernetes.namespace else ""
    return f"the key {kubernetes.key} of the Kubernetes Secret {kubernetes.name}{where}"


def files(topology: Topology) -> set[Path]:
    """Every file that a configuration takes a secret from: what strangers on this machine must not see. Pure."""
    found: set[Path] = set()
    left: list[object] = [*topology.documents]
    while left:
        part = left.pop()
        if isinstance(part, kinds.SecretRef):
            found.update({topology.path(str(part.file))} if part.file is not None else ())
        elif isinstance(part, BaseModel):
            left += [getattr(part, name) for name in type(part).model_fields]
        elif isinstance(part, Mapping):
            left += part.values()
        elif isinstance(part, tuple | list):
            left += part
    return found


class Reader:
    """Reads secrets by reference. Safe to share between threads.

    Args:
        directory: The configuration's directory, where relative paths start.
        environ: The environment, as the command line received it.
        kubernetes: How to read Kubernetes Secrets; None when Lockstep runs in no cluster.
    """

    def __init__(
        self, directory: Path, environ: Mapping[str, str], *, kubernetes: ReadKubernetes | None = None
    ) -> None:
        self._directory = directory
        self._environ = environ
        self._kubernetes = kubernetes
        self._warned: set[Path] = set()

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that Lockstep was started with: what a program that gives credentials is run with."""
        return self._environ

    def text(self, ref: kinds.SecretRef) -> str:
        """The secret as text; the newline that editors put at the end of a file is no part of it.

        Raises:
            NotFoundError: It is not there.
            ForbiddenError: The file may not be read.
            InputError: It is empty, too large or not text.
            UnsupportedError: It is in a Kubernetes Secret, and Lockstep runs in no cluster.
        """
        return self._as_text(ref, self.data(ref))

    def public(self, ref: kinds.SecretRef) -> str:
        """What stands where secrets do and is none: authorities, host keys, public keys. Anybody may read its file.

        Raises what ``text`` does.
        """
        return self._as_text(ref, self._data(ref, secret=False))

    def data(self, ref: kinds.SecretRef) -> bytes:
        """The secret's bytes, as they are. Raises what ``text`` does."""
        data = self._data(ref)
        if not data:
            raise _empty(ref)
        return data

    def _as_text(self, ref: kinds.SecretRef, data: bytes) -> str:
        try:
            text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise errors.InputError(f"{_begin(ref)} is not text.", remedy="Store it as UTF-8.") from None
        if not text:
            raise _empty(ref)
        return text

    def _data(self, ref: kinds.SecretRef, *, secret: bool = True) -> bytes:
        if ref.env is not None:
            value = self._environ.get(ref.env)
            if value is None:
                raise errors.NotFoundError(f"{_begin(ref)} is not set.", remedy="Set it where Lockstep is started.")
            return os.fsencode(value)
        if ref.file is not None:
            return self._file(ref, local_path(self._directory, ref.file), secret=secret)
        assert ref.kubernetes_secret is not None  # noqa: S101 - the model has exactly one of the three
        if self._kubernetes is None:
            raise errors.UnsupportedError(
                f"{_begin(ref)} cannot be read from here.",
                remedy="Mount the Secret as a file and refer to that, or run Lockstep in the cluster.",
            )
        return self._kubernetes(ref.kubernetes_secret)

    def _file(self, ref: kinds.SecretRef, path: Path, *, secret: bool) -> bytes:
        try:
            # Not blocking: somebody could have put a pipe there.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError as error:
            raise errors.ForbiddenError(
                f"{_begin(ref)} may not be read.", remedy="Let Lockstep's user, and nobody else, read it."
            ) from error
        except OSError as error:
            raise errors.NotFoundError(
                f"{_begin(ref)} cannot be read: {(error.strerror or 'unknown error').lower()}.",
                remedy=f"Put it at {path}.",
            ) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise errors.InputError(f"{_begin(ref)} is not a file.", remedy="Refer to the file itself.")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(_MOST_BYTES + 1)
        finally:
            os.close(descriptor)
        if len(data) > _MOST_BYTES:
            raise errors.InputError(f"{_begin(ref)} is larger than 1 MiB.", remedy="Refer to the secret itself.")
        if secret:
            self._warn(path, status.st_mode)
        return data

    def _warn(self, path: Path, mode: int) -> None:
        """Say once for each file that others may read it, as a Kubernetes mount lets them unless told otherwise."""
        if mode & stat.S_IROTH and path not in self._warned:
            self._warned.add(path)
            _log.warning(
                "The secret in %s can be read by every user of this machine: chmod o-r, or defaultMode 0440.", path
            )


def _begin(ref: kinds.SecretRef) -> str:
    text = title(ref)
    return text[:1].upper() + text[1:]


def _empty(ref: kinds.SecretRef) -> errors.InputError:
    return errors.InputError(f"{_begin(ref)} is empty.", remedy="Write the secret into it.")
