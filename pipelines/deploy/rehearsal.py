"""Asking a server whether it would admit an application, and nothing else: for whoever must know beforehand.

Where the application runs, every object is tried as it would be applied. Where only its ground is, the ground is
tried, and every workload as the Pod that it would become.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from lockstep import errors
from lockstep.manifests import desired
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey
from pipelines.deploy import look, trying, warm

_AT_ONCE = 8


def rehearse(cluster: ends.Cluster, wanted: desired.Desired, *, runs: bool) -> dict[ObjectKey, str]:
    """Why the server would not take each object; empty for what it would take. Nothing is written.

    What the same deploy would have to make room for first (a name space, a definition) is left out.

    Args:
        cluster: The server.
        wanted: What the site is to have.
        runs: Whether the application runs there; else its ground, and its workloads as Pods.

    Raises:
        TemporaryError: It does not say.
    """
    if runs:
        return _tried(cluster, wanted, wanted.objects)
    return {**_tried(cluster, wanted, warm.ground(wanted.full)), **_rehearsed(cluster, wanted)}


def _tried(
    cluster: ends.Cluster, wanted: desired.Desired, manifests: Sequence[dict[str, Json]]
) -> dict[ObjectKey, str]:
    found = trying.tried(cluster, manifests, look.look(cluster, wanted)).trials
    return {
        key: trial.problem or ", ".join(f"{one.field} belongs to {one.manager}" for one in trial.owned)
        for key, trial in found.items()
    }


def _rehearsed(cluster: ends.Cluster, wanted: desired.Desired) -> dict[ObjectKey, str]:
    def one(rehearsal: warm.Rehearsal) -> tuple[ObjectKey, str]:
        try:
            cluster.apply(rehearsal.pod, dry_run=True, before={})
        except errors.TemporaryError:
            raise
        except errors.LockstepError as error:
            return rehearsal.workload, f"as a Pod: {error}"
        return rehearsal.workload, ""

    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="rehearsal") as pool:
        return dict(pool.map(one, warm.rehearsals(wanted.full)))
