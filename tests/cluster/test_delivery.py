"""``lockstep deploy`` to two real APIs, while the test plays the controllers."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from console import cli
from console.demo import forge, ground
from lockstep.values import Json
from tests.support import apiserver

pytestmark = pytest.mark.cluster

_SITES = ("seoul", "sejong")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A forge, a configuration of two sites that are API servers, and somebody who types."""

    ground: ground.Ground
    servers: dict[str, apiserver.Admin]
    namespace: str
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def types(self, *arguments: str) -> Said:
        """Run one ``lockstep`` command."""
        self.capsys.readouterr()
        places = ["--config", str(self.ground.config), "--state", str(self.ground.state)]
        self.monkeypatch.setattr(sys, "argv", ["lockstep", *places, *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self.capsys.readouterr()
        return Said(code=int(ended.value.code or 0), out=out, err=err)

    def push(self, *objects: dict[str, Json]) -> str:
        """Push these manifests, and nothing else; the commit."""
        text = yaml.safe_dump_all(objects)
        (self.ground.work / "app.yaml").write_text(text, encoding="utf-8")
        commit = forge.push(self.ground.work, message="A change")
        assert self.types("sync", "git").code == 0
        return commit

    def deploy(self, *arguments: str) -> Said:
        """Deploy what git says."""
        return self.types("deploy", self.ground.application, "--by", "lee", *arguments)

    def configure(self, **spec: Json) -> None:
        """Change the application's document."""
        file = self.ground.config / "application.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["spec"] |= spec
        file.write_text(yaml.safe_dump(document), encoding="utf-8")

    def path(self, kind: str, name: str) -> str:
        """Where an object of the application is."""
        group = "/apis/apps/v1" if kind == "deployments" else "/api/v1"
        return f"{group}/namespaces/{self.namespace}/{kind}/{name}"

    @contextlib.contextmanager
    def controllers(self, **behaviour: Callable[[dict[str, Json]], dict[str, Json]]) -> Iterator[None]:
        """Move the status of every Deployment at a site as its controller would, or as a test says for the site."""
        stop = threading.Event()

        def control(site: str) -> None:
            status = behaviour.get(site, well)
            while not stop.wait(0.1):
                for one in self.servers[site].get(self.path("deployments", "").rstrip("/"))["items"]:
                    moved = status(one)
                    if {name: one.get("status", {}).get(name) for name in moved} != moved:
                        self.servers[site].move(self.path("deployments", one["metadata"]["name"]), moved)

        with ThreadPoolExecutor(max_workers=len(_SITES)) as pool:
            running = [pool.submit(control, site) for site in _SITES]
            try:
                yield
            finally:
                stop.set()
            for one in running:
                one.result()


def well(deployment: dict[str, Json]) -> dict[str, Json]:
    """Everything runs."""
    count = deployment["spec"]["replicas"]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), count)
    progressing = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    return {**counts, "observedGeneration": deployment["metadata"]["generation"], "conditions": [progressing]}


def stuck(deployment: dict[str, Json]) -> dict[str, Json]:
    """The controller has given up on a version that does not start; the others run."""
    if "broken" not in deployment["spec"]["template"]["spec"]["containers"][0]["image"]:
        return well(deployment)
    progressing = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    return {"observedGeneration": deployment["metadata"]["generation"], "conditions": [progressing]}


@pytest.fixture
def bench(
    server: apiserver.Server,
    other_server: apiserver.Server,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Bench]:
    """Two sites with an API server each; the namespace is the application's, and there is one at the first already."""
    app = tmp_path / namespace
    app.mkdir()
    (app / "app.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n", encoding="utf-8")
    made, _ = ground.prepare(tmp_path / "ground", app=app)
    files = dict(zip(_SITES, (server, other_server), strict=True))
    _sites(made.config / "sites.yaml", {name: one.kubeconfig() for name, one in files.items()})
    admins = {name: apiserver.Admin(one) for name, one in files.items()}
    yield Bench(ground=made, servers=admins, namespace=namespace, monkeypatch=monkeypatch, capsys=capsys)
    for admin in admins.values():
        admin.close()


def _sites(file: Path, kubeconfigs: dict[str, Path]) -> None:
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    for one in documents:
        kubeconfig = kubeconfigs.get(one["metadata"]["name"])
        if kubeconfig is not None:
            one["spec"]["cluster"] = {"kubeconfig": {"file": str(kubeconfig)}}
    file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")


def _deployment(image: str = "registry.example/api:1", replicas: int = 3) -> dict[str, Json]:
    labels = {"app": "api"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "api", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": spec}


def _config(name: str = "settings", **data: str) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _namespace(bench: Bench) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": bench.namespace}}


def _image(bench: Bench, site: str) -> Any:
    found = bench.servers[site].get(bench.path("deployments", "api"))
    return found["spec"]["template"]["spec"]["containers"][0]["image"]


def test_a_deploy_reaches_both_sites_and_a_second_one_changes_nothing(bench: Bench) -> None:
    """The standby runs at its floor; not one ``resourceVersion`` moves, and what git drops is pruned at both."""
    bench.push(_namespace(bench), _deployment(), _config(a="1"), _config("other"))
    with bench.controllers():
        said = bench.deploy()
        assert said.code == 0, said
        replicas = {site: admin.get(bench.path("deployments", "api"))["spec"]["replicas"]
                    for site, admin in bench.servers.items()}  # fmt: skip
        assert replicas == {"seoul": 3, "sejong": 1}
        before = _versions(bench)
        assert bench.deploy("--dry-run").code == 0
        assert bench.deploy().code == 0
        assert _versions(bench) == before
        bench.configure(deletion={"most": "50%"})
        bench.push(_namespace(bench), _deployment(), _config(a="1"))
        assert bench.deploy().code == 0
    assert not any(admin.answers(bench.path("configmaps", "other")) for admin in bench.servers.values())


def _versions(bench: Bench) -> list[str]:
    paths = [bench.path("deployments", "api"), bench.path("configmaps", "settings")]
    return [admin.get(path)["metadata"]["resourceVersion"] for admin in bench.servers.values() for path in paths]


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
    assert [_image(bench, site) for site in _SITES] == ["registry.example/api:2"] * 2


def test_a_rollout_that_fails_at_the_standby_is_rolled_back_at_both(bench: Bench) -> None:
    """Where the configuration asks for it: the sites stay in step."""
    bench.configure(rollout={"onFailure": "rollBack"})
    bench.push(_namespace(bench), _deployment("registry.example/api:1"))
    with bench.controllers(sejong=stuck):
        assert bench.deploy().code == 0
        bench.push(_namespace(bench), _deployment("registry.example/broken:2"))
        said = bench.deploy()
    assert said.code == 1
    assert "rolled back to" in said.err
    assert [_image(bench, site) for site in _SITES] == ["registry.example/api:1"] * 2


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
    _sites(bench.ground.config / "sites.yaml", {"sejong": tmp_path / "gone"})
    bench.push(_namespace(bench), _deployment("registry.example/api:2"))
    with bench.controllers():
        said = bench.deploy()
    assert said.code == 1
    assert "sejong: failed" in said.err
    assert [_image(bench, site) for site in _SITES] == ["registry.example/api:2", "registry.example/api:1"]
