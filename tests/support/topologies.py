"""Configurations for tests, from documents as people write them and without files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from lockstep.topology.kinds import API_VERSION, KINDS, Document
from lockstep.topology.model import Topology

_FIELDS = {
    "Site": "sites",
    "Pair": "pairs",
    "Application": "applications",
    "GitMirror": "git_mirrors",
    "ImageMirror": "image_mirrors",
    "Webhook": "webhooks",
    "ExpectedDifference": "expected_differences",
    "Drill": "drills",
    "Notification": "notifications",
}


def topology(*documents: tuple[str, str, dict[str, Any]], directory: Path = Path("/configuration")) -> Topology:
    """A configuration of these documents, each a kind, a name and a spec; references are not checked."""
    found: dict[str, dict[str, Document]] = {field: {} for field in _FIELDS.values()}
    for kind, name, spec in documents:
        whole = {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
        # As JSON, because strict models take lists for tuples and text for dates only there.
        found[_FIELDS[kind]][name] = KINDS[kind].model_validate_json(orjson.dumps(whole))
    fields: dict[str, Any] = found
    return Topology(directory=directory, digest="made for a test", tekton={}, **fields)
