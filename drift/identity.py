"""Whether two ends are one cluster: comparing a cluster with itself proves nothing. Pure.

A server gives every object an id that no other cluster has (documentation of Kubernetes, "Object Names and IDs",
UIDs). Only a cluster that was restored from the other's etcd has the same ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from drift.normalise import reading
from lockstep.values import Json, ObjectKey

REMEDY = (
    "Name two clusters. Where one was restored from the other's etcd, compare a dump of it: kubectl get -A -o json."
)


_ENOUGH = 16


def shared(left: Mapping[ObjectKey, Mapping[str, Json]], right: Mapping[ObjectKey, Mapping[str, Json]]) -> str:
    """An object that both ends have with the same id, in words; ``""`` when there is none.

    A few that both have are enough: in one cluster each of them is the same, but for those that were just made anew.
    """
    both = itertools.islice((key for key in left if key in right), _ENOUGH)
    same = (key for key in both if (own := _id(left[key])) and own == _id(right[key]))
    return str(next(same, ""))


def _id(manifest: Mapping[str, Json]) -> str:
    return reading.text(manifest, "metadata", "uid")
