"""``lockstep diff CONTEXT CONTEXT``: two real servers compared whole, without git and without a configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.cli import frame
from console.cli.main import group
from lockstep.values import Json
from tests.support import apiserver, crds

pytestmark = pytest.mark.cluster

_GROUP = "two-contexts.example"
_NAME = "two-contexts"


@pytest.fixture(scope="module")
def both(server: apiserver.Server, other_server: apiserver.Server) -> Iterator[tuple[apiserver.Admin, apiserver.Admin]]:
    """The same application at two servers."""
    admins = (apiserver.Admin(server), apiserver.Admin(other_server))
    for admin in admins:
        definition = crds.definition(group=_GROUP)
        admin.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        crds.wait_established(admin, definition)
        admin.create("/api/v1/namespaces", {"metadata": {"name": _NAME}})
        for collection, manifest in _application():
            admin.create(collection, manifest)
    yield admins
    for admin in admins:
        admin.close()


def _application() -> list[tuple[str, dict[str, Json]]]:
    labels = {"app": "api"}
    container = {"name": "api", "image": "registry.example/api:1", "env": [{"name": "A", "value": "1"}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    core, apps = f"/api/v1/namespaces/{_NAME}", f"/apis/apps/v1/namespaces/{_NAME}"
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{_NAME}"
    return [
        (f"{core}/configmaps", {"metadata": {"name": "settings"}, "data": {"app.yaml": "a: 1\nb: 2\n"}}),
        (f"{core}/secrets", {"metadata": {"name": "keys"}, "stringData": {"password": "hunter2"}}),
        (f"{core}/services", {"metadata": {"name": "api"}, "spec": {"selector": labels, "ports": [{"port": 80}]}}),
        (f"{apps}/deployments", {"metadata": {"name": "api"}, "spec": deployment}),
        (f"{rbac}/roles", {"metadata": {"name": "reader"}, "rules": [rule]}),
        (
            f"/apis/{_GROUP}/v1/namespaces/{_NAME}/widgets",
            {
                "apiVersion": f"{_GROUP}/v1",
                "kind": "Widget",
                "metadata": {"name": "w"},
                "spec": {"size": 2, "colour": "red"},
            },
        ),
    ]


@pytest.fixture(scope="module")
def kubeconfig(
    server: apiserver.Server, other_server: apiserver.Server, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """One kubeconfig with the contexts ``seoul`` and ``sejong``."""
    whole: dict[str, Json] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for name, at in (("seoul", server), ("sejong", other_server)):
        one = json.loads(at.kubeconfig().read_text(encoding="utf-8"))
        whole["clusters"].append({"name": name, "cluster": one["clusters"][0]["cluster"]})
        whole["users"].append({"name": name, "user": one["users"][0]["user"]})
        whole["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    file = tmp_path_factory.mktemp("kube") / "config"
    file.write_text(json.dumps(whole), encoding="utf-8")
    return file


def _differences(capsys: pytest.CaptureFixture[str], kubeconfig: Path, *more: str) -> tuple[int, list[tuple[str, str]]]:
    arguments = ["diff", "seoul", "sejong", "--kubeconfig", str(kubeconfig), "-n", _NAME, "-o", "json", *more]
    code: int = group.main(arguments, standalone_mode=False)
    out = capsys.readouterr().out
    assert "hunter" not in out
    report = json.loads(out)
    assert set(report["scans"][0]["health"]) == set(report["scans"][0]["vitals"]) == {"seoul", "sejong"}
    assert "NotApplicable" not in report["scans"][0]["health"].values()
    return code, [(one["kind"], one["path"]) for one in report["differences"]]


def test_a_change_by_hand_in_any_kind_is_found_and_nothing_else(
    both: tuple[apiserver.Admin, apiserver.Admin], kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equal at first, although addresses, ids and times differ; then each change at its path, inside texts too."""
    assert _differences(capsys, kubeconfig) == (0, [])
    other = both[1]
    env = {"containers": [{"name": "api", "image": "registry.example/api:1", "env": [{"name": "A", "value": "2"}]}]}
    changes: list[tuple[str, dict[str, Json]]] = [
        (f"/api/v1/namespaces/{_NAME}/configmaps/settings", {"data": {"app.yaml": "a: 1\nb: 3\n"}}),
        (f"/api/v1/namespaces/{_NAME}/secrets/keys", {"stringData": {"password": "hunter3"}}),
        (f"/api/v1/namespaces/{_NAME}/services/api", {"spec": {"sessionAffinity": "ClientIP"}}),
        (f"/apis/apps/v1/namespaces/{_NAME}/deployments/api", {"spec": {"template": {"spec": env}}}),
        (f"/apis/rbac.authorization.k8s.io/v1/namespaces/{_NAME}/roles/reader", {"rules": []}),
        (f"/apis/{_GROUP}/v1/namespaces/{_NAME}/widgets/w", {"spec": {"size": 3}}),
    ]
    for path, patch in changes:
        other.merge(path, patch)
    code, found = _differences(capsys, kubeconfig)
    assert code == 1
    paths = dict(found)
    assert set(paths) == {"ConfigMap", "Secret", "Service", "Deployment", "Role", "Widget"}
    assert paths["Secret"] == "/data/password"
    assert paths["Deployment"] == "/spec/template/spec/containers/0/env/0/value"
    assert paths["Widget"] == "/spec/size"
    assert paths["ConfigMap"].startswith("/data/app.yaml")


def test_a_context_that_is_not_there_names_those_that_are(kubeconfig: Path) -> None:
    """Exit code 2: an error is never a verdict."""
    with pytest.raises(frame.CommandError, match="seoul, sejong") as caught:
        group.main(["diff", "seoul", "busan", "--kubeconfig", str(kubeconfig)], standalone_mode=False)
    assert caught.value.code == 2
