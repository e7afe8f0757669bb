"""What was seen at a registry, so that it is not asked again and again. Forgotten with the process.

A blob that was seen may be gone: whoever relies on this asks again when the registry contradicts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

# About 200 bytes for each.
_MOST_BLOBS = 100_000
_HOMES = 4
# A listing of tags stands for the repository this long.
_FRESH_SECONDS = 60.0
_MOST_LISTINGS = 64


@dataclass(slots=True, kw_only=True)
class Memory:
    """Which blobs were seen in which repositories, and the tags of some. Safe to share between threads."""

    now: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _homes: dict[str, dict[str, None]] = field(default_factory=dict)
    _tags: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict)

    def saw(self, repository: str, digest: str) -> None:
        """A blob is in a repository."""
        with self._lock:
            if len(self._homes) >= _MOST_BLOBS and digest not in self._homes:
                self._homes.pop(next(iter(self._homes)))
            homes = self._homes.setdefault(digest, {})
            if len(homes) >= _HOMES and repository not in homes:
                homes.pop(next(iter(homes)))
            homes[repository] = None

    def has(self, repository: str, digest: str) -> bool:
        """Whether a blob was seen in a repository."""
        return repository in self._homes.get(digest, ())

    def elsewhere(self, repository: str, digest: str) -> str:
        """Another repository that a blob was seen in; empty when there is none."""
        with self._lock:
            return next((home for home in self._homes.get(digest, ()) if home != repository), "")

    def doubt(self, repository: str) -> None:
        """The registry contradicted: nothing of this repository is taken for granted."""
        with self._lock:
            for homes in self._homes.values():
                homes.pop(repository, None)
            self._tags.pop(repository, None)

    def lost(self, repository: str, digest: str) -> None:
        """A blob is not in a repository."""
        with self._lock:
            self._homes.get(digest, {}).pop(repository, None)

    def listed(self, repository: str, tags: Iterable[str]) -> None:
        """The tags of a repository were listed."""
        with self._lock:
            if len(self._tags) >= _MOST_LISTINGS:
                self._tags.clear()
            self._tags[repository] = (self.now(), frozenset(tags))

    def tags(self, repository: str) -> frozenset[str] | None:
        """The tags of a repository, if they were listed a moment ago."""
        at, tags = self._tags.get(repository, (0.0, None))
        return tags if tags is not None and self.now() - at < _FRESH_SECONDS else None

    def changed(self, repository: str) -> None:
        """The tags of a repository are others now."""
        with self._lock:
            self._tags.pop(repository, None)
