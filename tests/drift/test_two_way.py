"""Two ends without git."""

from __future__ import annotations

from datetime import UTC, datetime

from drift import two_way
from drift.expected import Rules
from lockstep.sites import ends
from lockstep.values import Json, Verdict
from tests.drift import golden


def inventory(*manifests: dict[str, Json]) -> ends.Inventory:
    """What one end has."""
    return ends.Inventory(objects=manifests, read_at=datetime(2026, 11, 22, tzinfo=UTC), method="dump")


def config(name: str, value: str, namespace: str = "shop") -> dict[str, Json]:
    """A ConfigMap."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": value}}


def role(name: str, verb: str) -> dict[str, Json]:
    """A ClusterRole."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }


def test_two_ends_are_compared_both_ways() -> None:
    """What only one has, and what both have differently; objects without a name space too."""
    left = inventory(config("a", "1"), config("only-left", "1"), role("r", "get"), config("x", "1", "kube-system"))
    right = inventory(config("a", "2"), config("only-right", "1"), role("r", "list"), config("x", "2", "kube-system"))
    found = two_way.diff(left, right, Rules([], today=golden.TODAY), sealer=golden.SEALER)
    assert [(one.verdict.value, one.key.name) for one in found.differences] == [
        ("Diverged", "a"),
        ("MissingAtStandby", "only-left"),
        ("MissingAtPrimary", "only-right"),
        ("PrimaryHotfix", "r"),
        ("StandbyDrift", "r"),
    ]
    assert not any(one.managed for one in found.differences)


def test_an_end_compared_with_itself_is_in_step() -> None:
    """Whatever is in it."""
    end = inventory(config("a", "1"), role("r", "get"))
    found = two_way.diff(end, end, Rules([], today=golden.TODAY), sealer=golden.SEALER)
    assert (found.verdict, found.differences, found.objects) == (Verdict.IN_SYNC, (), 2)


def test_a_gap_at_either_end_is_unknown() -> None:
    """Nothing reads equal that was not read."""
    gap = ends.Gap(what="page 2", why="cut off")
    partial = ends.Inventory(
        objects=(config("a", "1"),), read_at=datetime(2026, 11, 22, tzinfo=UTC), method="dump", gaps=(gap,)
    )
    found = two_way.diff(partial, inventory(config("a", "1")), Rules([], today=golden.TODAY), sealer=golden.SEALER)
    assert found.verdict is Verdict.UNKNOWN
