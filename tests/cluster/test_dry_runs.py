"""API servers are asked what they would make of git, where our rules call an object different."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from drift import scan
from drift.scanned import Scanned
from lockstep.sites import cluster
from lockstep.store.database import Database
from lockstep.values import Json
from tests.cluster.bench import Bench, sites
from tests.cluster.conftest import Door
from tests.drift.telling import PAIR, World
from tests.support import apiserver
from tests.support.kubernetes_double.double import Double

pytestmark = pytest.mark.cluster

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_RBAC = "rbac.authorization.k8s.io"
# How long a server may take to follow a policy that was made.
_PATIENCE_SECONDS = 60.0


def _config(namespace: str, name: str = "settings", **data: str) -> dict[str, Json]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@contextlib.contextmanager
def _policy(server: apiserver.Server, namespace: str) -> Iterator[None]:
    """A policy makes MODE of every ConfigMap in a namespace its own, while the block lasts."""
    if isinstance(server, Double):

        def admit(given: dict[str, Any]) -> dict[str, Any]:
            is_meant = given["kind"] == "ConfigMap" and given["metadata"].get("namespace") == namespace
            return {**given, "data": {**given["data"], "MODE": "policy"}} if is_meant else given

        server.api.policies.append(admit)
        yield
        server.api.policies.remove(admit)
        return
    with contextlib.closing(apiserver.Admin(server)) as admin:
        _make_policy(admin, namespace)
        yield
        for kind in ("mutatingadmissionpolicybindings", "mutatingadmissionpolicies"):
            admin.delete(f"{_ADMISSION}/{kind}/{namespace}")
        _until_modes_are(admin, namespace, "git")


def _make_policy(admin: apiserver.Admin, namespace: str) -> None:
    """Make a policy, and wait until the server follows it."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    patch = '[JSONPatch{op: "add", path: "/data/MODE", value: "policy"}]'
    spec: dict[str, Json] = {
        "matchConstraints": {
            "resourceRules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        },
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}],
    }
    admin.create(f"{_ADMISSION}/mutatingadmissionpolicies", {"metadata": {"name": namespace}, "spec": spec})
    binding: dict[str, Json] = {"metadata": {"name": namespace}, "spec": {"policyName": namespace}}
    admin.create(f"{_ADMISSION}/mutatingadmissionpolicybindings", binding)
    _until_modes_are(admin, namespace, "policy")


def _until_modes_are(admin: apiserver.Admin, namespace: str, mode: str) -> None:
    """Wait until the server makes this of what would be created: it follows its policies a moment later."""
    tried: dict[str, Json] = {"metadata": {"name": "tried"}, "data": {"MODE": "git"}}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    path = f"/api/v1/namespaces/{namespace}/configmaps?dryRun=All"
    while admin.create(path, tried)["data"]["MODE"] != mode:
        assert time.monotonic() < deadline, "the server does not follow the policy"


def _drift(bench: Bench) -> dict[str, Json]:
    said = bench.types("drift", "seoul-sejong", "-o", "json")
    report: dict[str, Json] = json.loads(said.out)
    return report


def _told(report: Mapping[str, Json], name: str = "differences") -> list[tuple[str, str, str]]:
    return [(one["verdict"], one["path"], one["method"]) for one in report[name]]


def _asked(report: Mapping[str, Json], site: str) -> dict[str, Json]:
    return {name: told for name, told in report["coverage"][0]["sites"][site]["dryRun"].items() if told}


def _both(bench: Bench, *manifests: dict[str, Json]) -> None:
    """Git and both sites have these."""
    for admin in bench.servers.values():
        if not admin.answers(f"/api/v1/namespaces/{bench.namespace}"):
            admin.create("/api/v1/namespaces", {"metadata": {"name": bench.namespace}})
    bench.push(*manifests)
    said = bench.deploy()
    assert said.code == 0, said


def test_what_an_admission_policy_makes_so_is_no_drift_and_a_change_by_hand_is(
    bench: Bench, server: apiserver.Server, other_server: apiserver.Server
) -> None:
    """Explained at both sites, told at one; a changed field and an added one are found beside it."""
    _both(bench, _config(bench.namespace, MODE="git", LEVEL="info"))
    path = bench.path("configmaps", "settings")
    with _policy(server, bench.namespace), _policy(other_server, bench.namespace):
        for admin in bench.servers.values():
            admin.merge(path, {"metadata": {"labels": {"touched": "yes"}}})
        report = _drift(bench)
        assert _told(report) == []
        assert ("InSync", "/data/MODE", "rules and dry run") in _told(report, "explained")
        assert _asked(report, "seoul") == {"when": "whenDifferent", "asked": 1}
        bench.servers["seoul"].merge(path, {"data": {"LEVEL": "debug", "EXTRA": "by hand"}})
        assert _told(_drift(bench)) == [
            ("PrimaryHotfix", "/data/EXTRA", "rules and dry run"),
            ("PrimaryHotfix", "/data/LEVEL", "rules and dry run"),
        ]
        if isinstance(server, Double):
            server.faults.fail(meant=lambda request: "dryRun" in request.query)
            report = _drift(bench)
            server.faults.clear()
            # A field that git does not name is found all the same, and what was found before stays open.
            assert [one[:2] for one in _told(report)] == [
                ("PrimaryHotfix", "/data/EXTRA"),
                ("PrimaryHotfix", "/data/LEVEL"),
                ("Unknown", "/data/LEVEL"),
                ("Unknown", "/data/MODE"),
            ]
            assert _asked(report, "seoul") == {"when": "whenDifferent", "failed": 1}
            assert report["verdict"] == "Unknown"
    # Where the policy is gone, applying git would change it: both sites were edited alike.
    bench.servers["seoul"].merge(path, {"data": {"LEVEL": "info", "EXTRA": None}})
    assert _told(_drift(bench)) == [("EditedAtBoth", "/data/MODE", "rules and dry run")]


def test_a_dry_run_speaks_of_what_git_names_and_only_where_we_may_ask(
    bench: Bench, server: apiserver.Server, namespace: str, tmp_path: Path
) -> None:
    """A default that was changed by hand is found without one; what is immutable is proved to differ by its refusal.

    Who may not patch compares by rules alone, which doctor names.
    """
    admin, path = bench.servers["seoul"], bench.path("configmaps", "settings")
    ports: dict[str, Json] = {"selector": {"app": "door"}, "ports": [{"port": 80}]}
    door: dict[str, Json] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door"}, "spec": ports}
    _both(bench, door, _config(bench.namespace, MODE="git"))
    admin.merge(bench.path("services", "door"), {"spec": {"sessionAffinity": "ClientIP"}})
    admin.merge(path, {"data": {"MODE": "changed"}, "immutable": True})
    report = _drift(bench)
    found = {one["path"]: one for one in report["differences"]}
    assert found["/spec/sessionAffinity"]["verdict"] == "PrimaryHotfix"
    assert found["/spec/sessionAffinity"]["method"] == "rules"
    fixed = found["/data/MODE"]
    assert (fixed["verdict"], fixed["method"]) == ("PrimaryHotfix", "rules and dry run")
    assert "the server of seoul would refuse to change it" in fixed["note"]
    _read_only(bench, server, f"only-reading-{namespace}", tmp_path / "reading.kubeconfig")
    report = _drift(bench)
    assert ("PrimaryHotfix", "/data/MODE", "rules") in _told(report)
    assert _asked(report, "seoul") == {"when": "whenDifferent", "notPermitted": 1}
    assert "which a dry run needs" in bench.types("doctor", "seoul").out
    documents = list(yaml.safe_load_all((bench.ground.config / "sites.yaml").read_text(encoding="utf-8")))
    (seoul,) = [one for one in documents if one["metadata"]["name"] == "seoul"]
    seoul["spec"]["cluster"]["serverSideDryRun"] = "never"
    (bench.ground.config / "sites.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    assert _drift(bench)["coverage"][0]["sites"]["seoul"]["dryRun"]["when"] == "never"


def _read_only(bench: Bench, server: apiserver.Server, user: str, file: Path) -> None:
    """From now on seoul is seen by somebody who may read everything and write nothing."""
    admin = bench.servers["seoul"]
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    admin.create(f"/apis/{_RBAC}/v1/clusterroles", {"metadata": {"name": user}, "rules": rules})
    binding = {
        "metadata": {"name": user},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": user},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": user}],
    }
    admin.create(f"/apis/{_RBAC}/v1/clusterrolebindings", binding)
    file.touch(mode=0o600)
    file.write_bytes(server.kubeconfig(user).read_bytes())
    sites(bench.ground.config / "sites.yaml", {"seoul": file})


class _Sites:
    """Both sites are one server, in two namespaces; every question is counted."""

    def __init__(self, opened: cluster.KubernetesCluster) -> None:
        self._opened = opened

    def cluster(self, _site: str) -> cluster.KubernetesCluster:
        """The server."""
        return self._opened

    def archive(self, _site: str) -> None:
        """None."""


def test_a_server_is_asked_once_and_again_when_something_changed(
    admin: apiserver.Admin,
    namespace: str,
    door: Door,
    file_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By each comparison of one process; nothing is written, whatever is asked."""
    asked: list[str] = []
    foresee = cluster.KubernetesCluster.foresee

    def counted(self: cluster.KubernetesCluster, manifest: Mapping[str, Json], *, seconds: float) -> dict[str, Json]:
        asked.append(manifest["metadata"]["name"])
        return foresee(self, manifest, seconds=seconds)

    monkeypatch.setattr(cluster.KubernetesCluster, "foresee", counted)
    world = World.make(tmp_path, file_database)
    topology = world.scanning.topology()
    shop = topology.applications["shop"]
    spec = shop.spec.model_copy(update={"namespace": namespace})
    application = shop.model_copy(update={"spec": spec})
    end = door()
    world.scanning = replace(world.scanning, sites=_Sites(end), watched=None)
    monkeypatch.setattr("drift.identity.shared", lambda *_: "")
    world.git.commits["first"] = [_config(namespace, name, MODE="git") for name in "abc"]
    for name in "abc":
        end.apply(_config(namespace, name, MODE="git"))

    def compare() -> Scanned:
        return scan.scan(world.scanning, application, topology.pairs[PAIR])

    compare()
    assert asked == []
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    before = admin.merge(f"{path}/a", {"data": {"MODE": "hand"}})
    first = compare()
    assert sorted(set(asked)) == ["a"]
    asked.clear()
    assert compare().rows == first.rows
    assert asked == []
    assert admin.get(f"{path}/a")["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    admin.merge(f"{path}/a", {"metadata": {"labels": {"touched": "yes"}}})
    compare()
    assert set(asked) == {"a"}
    asked.clear()
    world.git.commits["second"] = [_config(namespace, name, MODE="newer" if name == "b" else "git") for name in "abc"]
    compare()
    assert set(asked) == {"b"}
