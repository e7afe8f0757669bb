"""Who follows what changes: for each comparison that is kept true, what changed of it since somebody looked.

In a storm nobody is asked for a comparison that was asked for and has not begun: what changes meanwhile comes with it.
Safe to share between threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lockstep.sites import ends
from lockstep.values import ObjectKey

# A comparison that was asked for and has not begun after this is asked for again. Seconds.
_PATIENCE_SECONDS = 5.0

Tell: TypeAlias = Callable[[str], None]
"""Is told the name of an application that is to be compared."""


@dataclass(slots=True, kw_only=True)
class _Follower:
    """A comparison that is kept true: what it selects at which sites, and what changed of that meanwhile."""

    sites: tuple[str, str]
    selection: ends.Selection
    changed: dict[str, set[ObjectKey]] = field(default_factory=dict)

    def note(self, site: str, keys: Iterable[ObjectKey]) -> bool:
        """Note what changed at a site; whether any of it belongs to the comparison."""
        mine = {key for key in keys if self.selection.covers(key)} if site in self.sites else set()
        if mine:
            self.changed.setdefault(site, set()).update(mine)
        return bool(mine)


class Followers:
    """The comparisons that are kept true, by application and pair.

    Args:
        tell: Is told each application that is to be compared.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._all: dict[tuple[str, str], _Follower] = {}
        self._asked: dict[str, float] = {}
        self._owed: set[str] = set()

    def follow(self, application: str, pair: str, *, sites: tuple[str, str], selection: ends.Selection) -> None:
        """From this moment on note what changes, of what a comparison selects, at its sites."""
        with self._lock:
            self._all[application, pair] = _Follower(sites=sites, selection=selection)
            self._began(application)

    def changes(self, application: str, pair: str) -> Mapping[str, frozenset[ObjectKey]]:
        """What changed at each site since this was asked last, or since it is noted."""
        with self._lock:
            self._began(application)
            follower = self._all.get((application, pair))
            if follower is None:
                return {}
            taken, follower.changed = follower.changed, {}
        return {site: frozenset(keys) for site, keys in taken.items()}

    def note(self, site: str, changed: Collection[ObjectKey]) -> set[str]:
        """Note what changed at a site; the applications whose comparisons it is a part of."""
        with self._lock:
            return {application for (application, _), one in self._all.items() if one.note(site, changed)}

    def has(self, application: str, pairs: Iterable[str]) -> bool:
        """Whether these comparisons of an application are all kept true."""
        with self._lock:
            return all((application, pair) in self._all for pair in pairs)

    def keep(self, applications: Collection[str]) -> None:
        """Forget all applications but these."""
        with self._lock:
            self._all = {key: one for key, one in self._all.items() if key[0] in applications}

    def ask(self, applications: Iterable[str]) -> None:
        """Ask for comparisons, except those that were asked for and have not begun."""
        now = time.monotonic()
        with self._lock:
            self._owed.update(applications)
            due = {name for name in self._owed if now - self._asked.get(name, float("-inf")) > _PATIENCE_SECONDS}
            self._owed -= due
            self._asked.update(dict.fromkeys(due, now))
        for name in sorted(due):
            self._tell(name)

    def _began(self, application: str) -> None:
        """Somebody compares it now: what changed until this moment needs nobody else."""
        self._asked.pop(application, None)
        self._owed.discard(application)
