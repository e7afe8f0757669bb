"""Reading every namespace at once, without naming one."""

from __future__ import annotations

from lockstep.sites import ends
from lockstep.sites.cluster import reading
from lockstep.sites.cluster.discovery import Resource, Served
from lockstep.values import Json, ObjectKey
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Asked, Reply, said

_VERBS = frozenset({"get", "list"})
_SERVED = Served(
    resources=(
        Resource(group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True, verbs=_VERBS),
        Resource(group="", version="v1", kind="Secret", plural="secrets", namespaced=True, verbs=_VERBS),
    )
)


def _answer(asked: Asked) -> Reply:
    if asked.path.endswith("/secrets"):
        return said(calling.status(403, "secrets is forbidden"), 403)
    items: list[dict[str, Json]] = [{"metadata": {"name": "settings", "namespace": one}} for one in ("pay", "shop")]
    return said({"kind": "ConfigMapList", "metadata": {"resourceVersion": "1"}, "items": items})


def test_every_namespace_is_read_with_one_list() -> None:
    """A kind that may not be listed is a gap in which an object of any namespace may hide."""
    with scripted.serving(_answer) as server:
        found = reading.read(calling.api(server), _SERVED, ends.EVERYTHING)
    assert [one["metadata"]["namespace"] for one in found.objects] == ["pay", "shop"]
    assert sorted(asked.path for asked in server.asked) == ["/api/v1/configmaps", "/api/v1/secrets"]
    (gap,) = found.gaps
    assert gap.hides(ObjectKey(group="", kind="Secret", namespace="anywhere", name="any"))
    assert not gap.hides(ObjectKey(group="", kind="ConfigMap", namespace="pay", name="settings"))
