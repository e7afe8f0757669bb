"""Which kinds that only a site's API server knows live in no namespace.

The kinds of Kubernetes are known, and so are those that a rendering defines itself. Of the others somebody else has
installed the definition: whoever serves them says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from lockstep import errors
from lockstep.manifests import scope
from lockstep.sites import ends
from lockstep.values import Json

# A site that did not know, or did not answer, is asked again after this.
_AGAIN_SECONDS = 30.0


class Scopes:
    """Asks sites about kinds, and remembers what they said. Safe to share between threads.

    Args:
        cluster: Opens a site's cluster.
        monotonic: Tells seconds that only ever grow.
    """

    def __init__(
        self, cluster: Callable[[str], ends.Cluster], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._scoped: dict[scope.GroupKind, bool] = {}
        self._asked: dict[tuple[str, scope.GroupKind], float] = {}

    def without_namespace(
        self, objects: Iterable[Mapping[str, Json]], sites: Iterable[str]
    ) -> frozenset[scope.GroupKind]:
        """Of the kinds of these objects that nobody here knows, those that have no namespace.

        Args:
            objects: A rendering.
            sites: Who is asked, in this order, until every kind is known.
        """
        foreign = scope.foreign(objects)
        for site in sites:
            if foreign <= self._scoped.keys():
                break
            # Who comes while a site is being asked waits for the answer, and for no other site's.
            with self._turn(site):
                left = self._unasked(site, foreign)
                self._scoped.update(self._ask(site, left) if left else {})
        return frozenset(kind for kind in foreign if self._scoped.get(kind))

    def _turn(self, site: str) -> threading.Lock:
        with self._lock:
            return self._turns.setdefault(site, threading.Lock())

    def _unasked(self, site: str, foreign: frozenset[scope.GroupKind]) -> frozenset[scope.GroupKind]:
        now = self._monotonic()
        left = frozenset(
            kind
            for kind in foreign
            if kind not in self._scoped and now - self._asked.get((site, kind), float("-inf")) >= _AGAIN_SECONDS
        )
        self._asked.update({(site, kind): now for kind in left})
        return left

    def _ask(self, site: str, kinds: frozenset[scope.GroupKind]) -> dict[scope.GroupKind, bool]:
        """What a site says of some kinds; nothing of those that it does not serve."""
        try:
            end = self._cluster(site)
            found = end.kinds() if isinstance(end, ends.Serving) else None
        except errors.LockstepError:
            return {}
        if found is None:
            return {}
        served = {scope.group_kind({"apiVersion": version, "kind": kind}) for version, kind in found.served}
        return {kind: kind in found.cluster_scoped for kind in kinds & served}
