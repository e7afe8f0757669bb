"""``lockstep deploy`` to two real APIs, while the test plays the controllers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lockstep.values import Json
from tests.cluster.bench import SITES, Bench, sites, stuck
from tests.support import apiserver, crds

pytestmark = pytest.mark.cluster


def _deployment(image: str = "registry.example/api:1", replicas: int = 3) -> dict[str, Json]:
    labels = {"app": "api"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "api", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": spec}


def _namespace(bench: Bench) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": bench.namespace}}


def _image(bench: Bench, site: str) -> Any:
    found = bench.servers[site].get(bench.path("deployments", "api"))
    return found["spec"]["template"]["spec"]["containers"][0]["image"]


def test_what_does_not_run_at_the_primary_does_not_reach_the_standby(bench: Bench) -> None:
    """The result says which site, and why; the next deploy goes on."""
    bench.push(_namespace(bench), _deployment("registry.example/broken:1"))
    with bench.controllers(seoul=stuck):
        said = bench.deploy()
    assert said.code == 1
    assert "made no progress within its deadline" in said.err
    assert not bench.servers["sejong"].answers(bench.path("deployments", "api"))
    bench.push(_namespace(bench), _deployment("registry.example/api:2"))
    with bench.controllers(seoul=stuck):
        assert bench.deploy().code == 0
    assert [_image(bench, site) for site in SITES] == ["registry.example/api:2"] * 2


def test_a_site_that_does_not_run_in_time_has_failed(bench: Bench) -> None:
    """A deadline is one; nobody plays the controller here."""
    bench.configure(rollout={"deadline": "1s"})
    bench.push(_namespace(bench), _deployment())
    said = bench.deploy("-o", "json")
    assert said.code == 1
    assert "it does not run after 0:00:01" in json.dumps(json.loads(said.out))


def test_a_standby_that_cannot_be_reached_is_said_and_holds_up_nobody(bench: Bench, tmp_path: Path) -> None:
    """The primary has what git says all the same."""
    bench.push(_namespace(bench), _deployment())
    with bench.controllers():
        assert bench.deploy().code == 0
    gone = apiserver.kubeconfig("gone", cluster={"server": "https://127.0.0.1:1"}, user={"token": "t"})
    (tmp_path / "gone").touch(mode=0o600)
    (tmp_path / "gone").write_text(json.dumps(gone))
    sites(bench.ground.config / "sites.yaml", {"sejong": tmp_path / "gone"})
    bench.hurry()
    bench.push(_namespace(bench), _deployment("registry.example/api:2"))
    with bench.controllers():
        said = bench.deploy()
    assert said.code == 1
    assert "sejong: failed" in said.err
    assert [_image(bench, site) for site in SITES] == ["registry.example/api:2", "registry.example/api:1"]


def test_what_somebody_else_defined_beside_namespaces_is_deployed_once_and_kept(bench: Bench) -> None:
    """Neither Kubernetes nor git says that the kind has no namespace; the servers do. It is pruned like any other."""
    group = f"{bench.namespace}.example"
    definition = crds.definition(group=group)
    definition["spec"]["scope"] = "Cluster"
    for admin in bench.servers.values():
        admin.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        crds.wait_established(admin, definition)
    one: dict[str, Json] = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": {}}
    path = f"/apis/{group}/v1/widgets/one"
    bench.configure(deletion={"most": "100%"})
    bench.push(_namespace(bench), one)
    assert bench.deploy().code == 0
    assert all(admin.answers(path) for admin in bench.servers.values())
    assert bench.deploy("--dry-run").code == 0
    assert bench.types("drift", "seoul-sejong").code == 0
    bench.push(_namespace(bench))
    assert bench.deploy().code == 0
    assert not any(admin.answers(path) for admin in bench.servers.values())
