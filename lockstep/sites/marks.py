"""What Lockstep writes down at a site itself: the stance of its pairs.

A ConfigMap ``stance.<pair>`` in the namespace ``lockstep-system`` of the site's cluster, or of its archive
when it has no cluster that can be written to. A person who stands at the DR site with nothing but ``kubectl``
can read it.
"""

from __future__ import annotations

from lockstep import errors
from lockstep.sites import ends
from lockstep.topology.stances import Record, Remembered
from lockstep.values import Json, ObjectKey

NAMESPACE = "lockstep-system"


def read_stance(cluster: ends.Cluster, pair: str, *, site: str) -> Remembered:
    """What a site remembers of a pair. An unreadable site is said, never taken for an empty one."""
    try:
        mark = cluster.get(_key(pair), api_version="v1")
    except errors.LockstepError as error:
        return Remembered(place=site, record=None, problem=error.message)
    if mark is None:
        return Remembered(place=site, record=None)
    try:
        return Remembered(place=site, record=Record.from_json(mark.get("data") or {}))
    except (KeyError, ValueError) as error:
        return Remembered(place=site, record=None, problem=f"its ConfigMap {_key(pair).name} is damaged: {error}")


def write_stance(cluster: ends.Cluster, pair: str, record: Record) -> None:
    """Write a record down at a site.

    Raises:
        LockstepError: The site does not take it; it is told again later.
    """
    namespace: dict[str, Json] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.apply(namespace)
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": _key(pair).name, "namespace": NAMESPACE},
            "data": record.to_json(),
        }
    )


def _key(pair: str) -> ObjectKey:
    return ObjectKey(group="", kind="ConfigMap", namespace=NAMESPACE, name=f"stance.{pair}")
