"""What is equal before anybody looks at lists."""

from __future__ import annotations

import pytest

from drift import normalise
from lockstep.values import Json


def deployment(**spec: Json) -> dict[str, Json]:
    """A Deployment with one container."""
    container = {"name": "web", "image": "web:1", "resources": {}} if spec else {"name": "web", "image": "web:1"}
    pod = {"containers": [container], **spec}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": template}}


def bytes_of(manifest: dict[str, Json]) -> bytes:
    """Of a manifest with its defaults."""
    return normalise.filled(normalise.slim(manifest)).encoded


def test_what_a_server_makes_of_a_deployment_is_equal_by_its_bytes() -> None:
    """With its defaults, and with what it writes empty: most of what lives needs no second look."""
    lives = deployment(securityContext={}, dnsPolicy="ClusterFirst", restartPolicy="Always", hostNetwork=None)
    assert bytes_of(lives) == bytes_of(deployment())


@pytest.mark.parametrize("security", [{"runAsNonRoot": True}, {"supplementalGroups": [0]}, [], ""])
def test_a_security_context_that_says_something_is_kept(security: Json) -> None:
    """Or one of a type that it cannot be."""
    assert bytes_of(deployment(securityContext=security)) != bytes_of(deployment())
