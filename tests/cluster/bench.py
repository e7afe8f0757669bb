"""Somebody who types ``lockstep`` commands for two sites that are API servers, while a test plays the controllers."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from console.demo import forge, ground
from lockstep.values import Json
from tests.support import apiserver, hands

SITES = ("seoul", "sejong")
_IMPATIENT = {"timeout": "1s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A forge, a configuration of two sites that are API servers, and somebody who types."""

    ground: ground.Ground
    servers: dict[str, apiserver.Admin]
    namespace: str
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def types(self, *arguments: str) -> hands.Said:
        """Run one ``lockstep`` command."""
        return hands.Hands(self.ground, self.monkeypatch, self.capsys).types(*arguments)

    def push(self, *objects: dict[str, Json]) -> str:
        """Push these manifests, and nothing else; the commit."""
        return self.push_files({"app.yaml": yaml.safe_dump_all(objects)})

    def push_files(self, files: Mapping[str, str]) -> str:
        """Push these files, and nothing else; the commit."""
        for old in self.ground.work.iterdir():
            if old.name != ".git":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for name, text in files.items():
            (self.ground.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.ground.work / name).write_text(text, encoding="utf-8")
        commit = forge.push(self.ground.work, message="A change")
        assert self.types("sync", "git").code == 0
        return commit

    def deploy(self, *arguments: str) -> hands.Said:
        """Deploy what git says."""
        return self.types("deploy", self.ground.application, "--by", "lee", *arguments)

    def configure(self, **spec: Json) -> None:
        """Change the application's document."""
        file = self.ground.config / "application.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["spec"] |= spec
        file.write_text(yaml.safe_dump(document), encoding="utf-8")

    def hurry(self) -> None:
        """Let calls to every API server be given up soon, so that nobody waits long for one that never answers."""
        file = self.ground.config / "sites.yaml"
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        for one in documents:
            if "kubeconfig" in one["spec"].get("cluster", {}):
                one["spec"]["cluster"]["limits"] = _IMPATIENT
        file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")

    def path(self, kind: str, name: str) -> str:
        """Where an object of the application is."""
        group = "/apis/apps/v1" if kind == "deployments" else "/api/v1"
        return f"{group}/namespaces/{self.namespace}/{kind}/{name}"

    def _move(self, site: str, one: dict[str, Json], moved: dict[str, Json]) -> None:
        if {name: one.get("status", {}).get(name) for name in moved} == moved:
            return
        path = self.path("deployments", one["metadata"]["name"])
        try:
            self.servers[site].move(path, moved)
        except AssertionError:
            if self.servers[site].answers(path):  # else it was deleted in the meantime
                raise

    @contextlib.contextmanager
    def controllers(self, **behaviour: Callable[[dict[str, Json]], dict[str, Json]]) -> Iterator[None]:
        """Move the status of every Deployment at a site as its controller would, or as a test says for the site."""
        stop = threading.Event()

        def control(site: str) -> None:
            status = behaviour.get(site, well)
            while not stop.wait(0.1):
                for one in self.servers[site].get(self.path("deployments", "").rstrip("/"))["items"]:
                    self._move(site, one, status(one))

        with ThreadPoolExecutor(max_workers=len(SITES)) as pool:
            running = [pool.submit(control, site) for site in self.servers]
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


def sites(file: Path, kubeconfigs: Mapping[str, Path]) -> None:
    """Make some sites of a configuration those that kubeconfigs lead to."""
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    for one in documents:
        kubeconfig = kubeconfigs.get(one["metadata"]["name"])
        if kubeconfig is not None:
            one["spec"]["cluster"] = {"kubeconfig": {"file": str(kubeconfig)}}
    file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")


def contexts(file: Path, servers: Mapping[str, apiserver.Server]) -> Path:
    """Write one kubeconfig with a context for each server."""
    whole: dict[str, Json] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for name, at in servers.items():
        one = json.loads(at.kubeconfig().read_text(encoding="utf-8"))
        whole["clusters"].append({"name": name, "cluster": one["clusters"][0]["cluster"]})
        whole["users"].append({"name": name, "user": one["users"][0]["user"]})
        whole["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    file.touch(mode=0o600)
    file.write_text(json.dumps(whole), encoding="utf-8")
    return file
