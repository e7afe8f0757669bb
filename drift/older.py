"""Older renderings, by which it is known that a site is behind; looked for only when something differs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from drift.examine import Manifest
from lockstep.values import ObjectKey

Rendered: TypeAlias = Mapping[ObjectKey, Manifest]
"""The objects of one rendering."""

MOST = 20
"""How many commits back a site may be and still be called behind."""


class Older:
    """The older renderings of an application for the truth and for its follower. Safe to share between threads.

    Args:
        load: Hands on the renderings for both, the newest first; asked at most once.
    """

    def __init__(self, load: Callable[[], tuple[Sequence[Rendered], Sequence[Rendered]]]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._loaded: tuple[Sequence[Rendered], Sequence[Rendered]] | None = None

    def __call__(self, key: ObjectKey) -> tuple[list[Manifest], list[Manifest]]:
        """An object in the older renderings that have it."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
        truth, follower = self._loaded
        return [one[key] for one in truth if key in one], [one[key] for one in follower if key in one]


def revisions(head: str, *, deployed: Sequence[str], history: Sequence[str]) -> list[str]:
    """The commits that a site may still have: none when the newest that was deployed there is git's own.

    A value of an older commit at a site that has been deployed since is nobody's delay: somebody put it back.

    Args:
        head: The commit that git means now.
        deployed: What was deployed to the site, the newest first; empty when nobody knows.
        history: The commits before ``head``, the newest first.
    """
    if deployed and deployed[0] == head:
        return []
    before = history[: history.index(deployed[0]) + 1] if deployed and deployed[0] in history else history
    known = dict.fromkeys([*deployed[:1], *before])
    return [revision for revision in known if revision != head][:MOST]
