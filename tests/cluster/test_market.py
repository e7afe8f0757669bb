"""An application of many services through ``lockstep deploy`` at two sites, from its first day to a bad one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from console.demo import foreign
from lockstep.values import Json
from tests.cluster.bench import SITES, Bench, contexts, stuck
from tests.support import apiserver, market

pytestmark = pytest.mark.cluster

_NAMED = os.environ.get("LOCKSTEP_TEST_APPLICATION", "")
# What a server changes by itself, and what it makes up when it is asked.
_RESTLESS = ("componentstatuses", "events", "ipaddresses", "leases")


def _everything(admin: apiserver.Admin, *, namespace: str = "") -> dict[str, Json]:
    """Every object of a server, or of one namespace, by its path."""
    groups = [one["preferredVersion"]["groupVersion"] for one in admin.get("/apis")["groups"]]
    found: dict[str, Json] = {}
    for prefix in ("/api/v1", *(f"/apis/{one}" for one in groups)):
        for kind in admin.get(prefix)["resources"]:
            if "list" not in kind["verbs"] or kind["name"] in _RESTLESS or (namespace and not kind["namespaced"]):
                continue
            where = f"{prefix}/namespaces/{namespace}/{kind['name']}" if namespace else f"{prefix}/{kind['name']}"
            for one in admin.get(where)["items"]:
                found[f"{prefix}/{kind['name']} {one['metadata'].get('namespace')}/{one['metadata']['name']}"] = one
    return found


def _versions(bench: Bench, *, namespace: str = "") -> dict[str, str]:
    return {
        f"{site} {path}": one["metadata"]["resourceVersion"]
        for site, admin in bench.servers.items()
        for path, one in _everything(admin, namespace=namespace).items()
    }


def _replicas(bench: Bench, site: str) -> int:
    return int(bench.servers[site].get(bench.path("deployments", "front"))["spec"]["replicas"])


def _count(bench: Bench, what: str) -> dict[str, int]:
    return {
        site: sum(f"/{what} " in path for path in _everything(admin, namespace=bench.namespace))
        for site, admin in bench.servers.items()
    }


def test_an_application_lives_at_two_sites(bench: Bench) -> None:
    """Deployed, at its floor at one; again without a trace; pruned of what git drops; rolled back from what fails."""
    bench.configure(rollout={"onFailure": "rollBack"})
    bench.push_files(market.files(bench.namespace))
    with bench.controllers():
        said = bench.deploy()
        assert said.code == 0, said.err
        assert _count(bench, "deployments") == {"seoul": 11, "sejong": 11}
        assert _count(bench, "services") == {"seoul": 11, "sejong": 11}
        assert {site: _replicas(bench, site) for site in SITES} == {"seoul": 3, "sejong": 1}
        before = _versions(bench)
        assert bench.deploy("--dry-run").code == 0
        assert bench.deploy().code == 0
        assert _versions(bench) == before
        bench.push_files(market.files(bench.namespace, without="parcels"))
        assert bench.deploy().code == 0
        good = _versions(bench, namespace=bench.namespace)
        gone = {path for path in before if f" {bench.namespace}/" in path} - set(good)
        assert {path.partition("v1/")[2] for path in gone} == {
            f"{kind} {bench.namespace}/parcels" for kind in ("deployments", "serviceaccounts", "services")
        }
    with bench.controllers(sejong=stuck):
        bench.push_files(market.files(bench.namespace, without="parcels", broken="till"))
        said = bench.deploy()
    assert said.code == 1
    assert "till made no progress within its deadline; rolled back to" in said.err
    images = {
        one["spec"]["template"]["spec"]["containers"][0]["image"]
        for admin in bench.servers.values()
        for one in admin.get(bench.path("deployments", "").rstrip("/"))["items"]
    }
    assert "registry.example/market/till:v1.4" in images
    assert not any("broken" in image for image in images)
    moved = {path for path, version in _versions(bench, namespace=bench.namespace).items() if good.get(path) != version}
    assert {path.rpartition("/")[2] for path in moved} == {"till", f"lockstep.{bench.ground.application}"}


@pytest.mark.skipif(not _NAMED, reason="LOCKSTEP_TEST_APPLICATION names no directory of manifests")
def test_an_application_of_ones_own_lives_at_two_sites(
    bench: Bench, server: apiserver.Server, other_server: apiserver.Server, tmp_path: Path
) -> None:
    """The manifests or the kustomization of a directory that somebody names."""
    shutil.rmtree(bench.ground.work / "app.yaml", ignore_errors=True)
    foreign.adopt(Path(_NAMED), work=bench.ground.work, config=tmp_path, name=bench.ground.application)
    document = (tmp_path / "application.yaml").read_text(encoding="utf-8")
    (bench.ground.config / "application.yaml").write_text(document, encoding="utf-8")
    bench.push_files(_files(bench.ground.work))
    bench.servers["sejong"].create("/api/v1/namespaces", {"metadata": {"name": bench.namespace}})
    with bench.controllers():
        said = bench.deploy()
        assert said.code == 0, said.err
        before = _versions(bench)
        assert bench.deploy().code == 0
    assert _versions(bench) == before
    file = contexts(tmp_path / "kubeconfig", {"seoul": server, "sejong": other_server})
    said = bench.types("diff", "seoul", "sejong", "--kubeconfig", str(file), "-n", bench.namespace, "-o", "json")
    found = {one["path"] for one in json.loads(said.out)["differences"]}
    assert found <= {"/spec/replicas", "/spec/minReplicas"}


def _files(folder: Path) -> dict[str, str]:
    found = [file for file in folder.rglob("*") if file.is_file() and ".git" not in file.parts]
    return {str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in found}
