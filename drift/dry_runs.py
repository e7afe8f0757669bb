"""Whose server is asked in a comparison what it would make of git, and what is told of that."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from drift import inventory
from drift.answers import Said
from drift.asking import Asking
from drift.comparison import Comparison
from drift.examine import Manifest
from drift.ledger import Sums
from lockstep import errors
from lockstep.values import Json, ObjectKey


def asking(comparison: Comparison, revision: str) -> Asking:
    """Who may be asked, about git as it is at a commit."""
    scanning = comparison.scanning
    truth, follower = (comparison.server(site) for site in comparison.sites)
    return Asking(
        answers=scanning.answers,
        sealer=scanning.sealer,
        ends=(truth, follower),
        unsealed=_Unsealed(comparison, revision),
    )


def told(comparison: Comparison, side: int, sums: Sums) -> dict[str, Json]:
    """What is told of the server of a side: ``{"when": "whenDifferent", "never" or "files", "asked": 3, ...}``.

    The others count objects, of those that our rules call different in what git names: what a server answered or failed
    to, what we may not ask, what it does not serve, and those that are left to our rules.
    """
    site = comparison.sites[side]
    spec = comparison.topology.site(site).spec.cluster
    when = spec.server_side_dry_run if spec is not None and comparison.has_server(site) else "files"
    return {"when": when, **{said.value: sums.heard.get((side, said), 0) for said in Said}}


class _Unsealed:
    """The Secrets that git has for both sides, rendered again when somebody asks: nobody keeps them before.

    Safe to share between threads.
    """

    def __init__(self, comparison: Comparison, revision: str) -> None:
        self._comparison = comparison
        self._revision = revision
        self._lock = threading.Lock()
        self._rendered: dict[int, Mapping[ObjectKey, Manifest]] = {}

    def __call__(self, side: int, key: ObjectKey) -> Manifest | None:
        """A Secret of git for a side, with its values; None when nobody can render it."""
        with self._lock:
            if side not in self._rendered:
                self._rendered[side] = self._render(side)
        return self._rendered[side].get(key)

    def _render(self, side: int) -> Mapping[ObjectKey, Manifest]:
        comparison = self._comparison
        place = comparison.places[comparison.sites[side]]
        try:
            found = comparison.scanning.renderer.desired(comparison.application, place, self._revision)
        except errors.LockstepError:
            return {}
        secrets = [one for one in found.objects if one["kind"] == "Secret"]
        return {key: one for one in secrets if (key := inventory.key_of(one)) is not None}
