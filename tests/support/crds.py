"""A definition of a custom resource, and when it has come into force."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lockstep.values import Json
from tests.support import apiserver

_SECONDS = 30.0


def definition(*, group: str, kind: str = "Widget") -> dict[str, Json]:
    """Widgets: of a size, which is 1 by default, and of a state that a controller writes down."""
    plural = f"{kind.lower()}s"
    properties = {
        "spec": {
            "type": "object",
            "properties": {"size": {"type": "integer", "default": 1}, "colour": {"type": "string"}},
        },
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }


def wait_established(admin: apiserver.Admin, manifest: Mapping[str, Json]) -> None:
    """Wait until a server serves what is defined, to whoever asks for it."""
    spec = manifest["spec"]
    end = time.monotonic() + _SECONDS
    path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
    while not admin.answers(path):
        assert time.monotonic() < end, f"{manifest['metadata']['name']} is not served"
        time.sleep(0.05)
