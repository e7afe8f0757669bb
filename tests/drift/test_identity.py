"""Two ends that are one cluster are known by the ids of its objects."""

from __future__ import annotations

from drift import identity
from lockstep.values import Json, ObjectKey


def _end(**ids: str) -> dict[ObjectKey, dict[str, Json]]:
    manifests = [{"metadata": {"name": name, "uid": uid}} for name, uid in ids.items()]
    keys = [ObjectKey(group="", kind="ConfigMap", namespace="pay", name=name) for name in ids]
    return dict(zip(keys, manifests, strict=True))


def test_one_object_at_both_ends_makes_them_one_cluster() -> None:
    """It is named, so that people can look; others may have been made anew between the two readings."""
    assert identity.shared(_end(a="1", b="2"), _end(a="3", b="2")) == "ConfigMap pay/b"


def test_the_same_names_are_no_identity_and_neither_is_none() -> None:
    """Two sites have the same objects; a directory and a rendering have no ids at all."""
    assert identity.shared(_end(a="1"), _end(a="2")) == ""
    assert identity.shared(_end(a="1"), _end(b="1")) == ""
    assert identity.shared(_end(a=""), _end(a="")) == ""
    assert identity.shared({}, {}) == ""
