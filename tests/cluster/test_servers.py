"""The ground of the suite: a server that knows its admin, and nobody else without a role."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.support import apiserver

pytestmark = pytest.mark.cluster


def test_the_admin_makes_things_and_moves_their_status(admin: apiserver.Admin, namespace: str) -> None:
    """There are no controllers: what a status says, a test has said."""
    path = f"/api/v1/namespaces/{namespace}/pods/api"
    spec = {"containers": [{"name": "api", "image": "registry.example/api:1"}]}
    admin.create(f"/api/v1/namespaces/{namespace}/pods", {"metadata": {"name": "api"}, "spec": spec})
    admin.move(path, {"phase": "Running"})
    admin.merge(path, {"metadata": {"labels": {"by": "hand"}}})
    found = admin.get(path)
    assert found["status"]["phase"] == "Running"
    assert found["metadata"]["labels"] == {"by": "hand"}


def test_anybody_else_is_known_and_may_do_nothing(server: apiserver.Server, namespace: str) -> None:
    """Rights come from RBAC objects, as they do on every cluster."""
    assert json.loads(server.kubeconfig("somebody").read_text())["current-context"] == "somebody"
    stranger = apiserver.Admin(server, user="somebody")
    with pytest.raises(AssertionError, match=r'403 .*User \\"somebody\\" cannot list resource \\"pods\\"'):
        stranger.get(f"/api/v1/namespaces/{namespace}/pods")
    stranger.close()


def test_nobody_without_credentials_gets_anything(server: apiserver.Server, namespace: str) -> None:
    """Not even by not saying who they are."""
    answer = httpx.get(f"{server.url}/api/v1/namespaces/{namespace}/pods", verify=False, trust_env=False)  # noqa: S501 - nothing is believed here
    assert answer.status_code in (401, 403)
