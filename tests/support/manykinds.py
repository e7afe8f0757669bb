"""Manifests of many kinds, as people write them: defaults left out, quantities and texts written in several ways.

They stand for applications that nobody here has seen. What a server or a controller adds to them differs from
cluster to cluster, and none of it is drift.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from lockstep.values import Json

_FILE = Path(__file__).with_suffix(".yaml")


def manifests(namespace: str) -> list[dict[str, Json]]:
    """All of them, in an order in which they can be applied; names beside namespaces begin with the namespace's."""
    text = _FILE.read_text(encoding="utf-8").replace("NAMESPACE", namespace)
    return [one for one in yaml.safe_load_all(text) if one]
