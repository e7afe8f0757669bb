"""Documents of the configuration, made in a test as its YAML would make them."""

from __future__ import annotations

import json
from typing import Any

from lockstep.topology import kinds
from lockstep.values import Json


def application(name: str = "pay", **spec: Json) -> kinds.Application:
    """An application in the namespace ``pay``, protected by a pair ``seoul-sejong``."""
    defaults: dict[str, Json] = {
        "source": {"repository": "bank/pay"},
        "namespace": "pay",
        "protection": {"seoul-sejong": {"tier": "active"}},
    }
    return kinds.Application.model_validate_json(_document("Application", name, {**defaults, **spec}))


def protection(**fields: Json) -> kinds.Protection:
    """How a pair protects an application."""
    return kinds.Protection.model_validate_json(json.dumps(fields))


def site(name: str, **spec: Json) -> kinds.Site:
    """A site with a registry of its own name and nothing else."""
    defaults = {"registry": {"url": f"https://registry.{name}.example", "imagePrefix": f"registry.{name}.example/prod"}}
    return kinds.Site.model_validate_json(_document("Site", name, {**defaults, **spec}))


def source(**fields: Json) -> kinds.Source:
    """Manifests in the repository ``bank/pay``."""
    return kinds.Source.model_validate_json(json.dumps({"repository": "bank/pay", **fields}))


def _document(kind: str, name: str, spec: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": kinds.API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec})
