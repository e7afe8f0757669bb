"""What ``lockstep demo --exit -o json`` promises to print."""

from __future__ import annotations

import json
from typing import Any

SITES = {"seoul", "sejong", "daegu"}


def check(printed: str) -> dict[str, Any]:
    """The object, once it is what the walk must have seen: all delivered, both changes found, all healed."""
    seen: dict[str, Any] = json.loads(printed)
    assert list(seen) == ["deliveries", "git", "images", "run", "deployed", "drift", "seconds"]
    assert seen["deliveries"] == 2
    assert set(seen["git"]) == SITES
    assert len(set(seen["git"].values())) == 1
    assert set(seen["images"]) == SITES
    assert len({tuple(digests) for digests in seen["images"].values()}) == 1
    assert all(digest.startswith("sha256:") for digest in seen["images"]["seoul"])
    assert seen["run"]["reason"] == "Succeeded"
    assert list(seen["run"]["tasks"]) == ["fetch", "validate", "build", "image", "push", "approve", "deploy"]
    assert set(seen["deployed"]) == SITES
    drift = seen["drift"]
    assert (drift["before"], drift["healed"]) == ([], [])
    assert {(row["verdict"], row["site"]) for row in drift["after"]} == {
        ("PrimaryHotfix", "seoul"),
        ("StandbyDrift", "sejong"),
    }
    return seen
