"""An image store that counts what it is asked, and fails or waits where a test says so."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from lockstep.sites import ends

Hook = Callable[[str, str], None]
"""Called with the name of the method and what it is about, before it is done; may raise or wait."""


def _nothing(_method: str, _about: str) -> None:
    """Let it happen."""


@dataclass
class Watched:
    """A store around another."""

    inner: ends.ImageStore
    hook: Hook = _nothing
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    order: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(number for (name, _), number in self.calls.items() if name == method)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was written, in order."""
        return [call for call in self.order if call[0] in ("commit", "write_manifest", "untag")]

    @property
    def address(self) -> str:
        """The inner store's."""
        return self.inner.address

    @property
    def lists_digests(self) -> bool:
        """As the inner store."""
        return self.inner.lists_digests

    def repositories(self) -> list[str]:
        """Counted."""
        self._note("repositories", "")
        return self.inner.repositories()

    def tags(self, repository: str) -> dict[str, str] | None:
        """Counted."""
        self._note("tags", repository)
        return self.inner.tags(repository)

    def resolve(self, repository: str, reference: str) -> ends.Descriptor | None:
        """Counted."""
        self._note("resolve", reference)
        return self.inner.resolve(repository, reference)

    def manifest(self, repository: str, digest: str) -> ends.Manifest | None:
        """Counted."""
        self._note("manifest", digest)
        return self.inner.manifest(repository, digest)

    def referrers(self, repository: str, digest: str) -> list[ends.Descriptor]:
        """Counted."""
        self._note("referrers", digest)
        return self.inner.referrers(repository, digest)

    def has_blob(self, repository: str, descriptor: ends.Descriptor, *, recall: bool = False) -> bool:
        """Counted."""
        self._note("has_blob", descriptor.digest)
        return self.inner.has_blob(repository, descriptor, recall=recall)

    @contextlib.contextmanager
    def read_blob(self, repository: str, descriptor: ends.Descriptor) -> Iterator[Iterator[bytes]]:
        """Counted; each chunk passes the hook as ``read``."""
        self._note("read_blob", descriptor.digest)
        with self.inner.read_blob(repository, descriptor) as chunks:
            yield self._passing(chunks, descriptor.digest)

    @contextlib.contextmanager
    def writing(self, repository: str) -> Iterator[None]:
        """Counted."""
        self._note("writing", repository)
        with self.inner.writing(repository):
            yield

    def mount_blob(self, repository: str, descriptor: ends.Descriptor, *, origin: str = "") -> bool:
        """Counted."""
        self._note("mount_blob", descriptor.digest)
        return self.inner.mount_blob(repository, descriptor, origin=origin)

    def write_blob(self, repository: str, descriptor: ends.Descriptor, chunks: Iterable[bytes]) -> None:
        """Counted; each chunk passes the hook as ``write``, and the end of them as ``commit``."""
        self._note("write_blob", descriptor.digest)
        self.inner.write_blob(repository, descriptor, self._passed(chunks, descriptor.digest))

    def write_manifest(self, repository: str, manifest: ends.Manifest, *, tag: str = "", child: bool = False) -> None:
        """Counted, by tag or else by digest."""
        self._note("write_manifest", tag or manifest.digest)
        self.inner.write_manifest(repository, manifest, tag=tag, child=child)

    def untag(self, repository: str, tag: str) -> bool:
        """Counted."""
        self._note("untag", tag)
        return self.inner.untag(repository, tag)

    def _note(self, method: str, about: str) -> None:
        self.hook(method, about)
        with self._lock:
            self.calls[method, about] += 1
            self.order.append((method, about))

    def _passing(self, chunks: Iterator[bytes], digest: str) -> Iterator[bytes]:
        for chunk in chunks:
            self.hook("read", digest)
            yield chunk

    def _passed(self, chunks: Iterable[bytes], digest: str) -> Iterator[bytes]:
        for chunk in chunks:
            self.hook("write", digest)
            yield chunk
        self._note("commit", digest)
