"""``lockstep diff CONTEXT CONTEXT`` finds a change by hand in any field of any kind, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from console.cli.main import group
from lockstep.values import Json
from tests.cluster.bench import contexts
from tests.support import apiserver, crds, kubectl, manykinds

pytestmark = pytest.mark.cluster

_NAME = "any-field"
_HOME = f"/namespaces/{_NAME}"
_CONTAINER = "/spec/template/spec/containers/0"
_APPS = f"/apis/apps/v1{_HOME}"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"

# Where an object is, the field that somebody changes there, and to what.
_CHANGES: list[tuple[str, str, Json]] = [
    (f"/api/v1{_HOME}/configmaps/settings", "/data/number", "8"),
    (f"/api/v1{_HOME}/configmaps/settings", "/binaryData/blob", "AAECBA=="),
    (f"/api/v1{_HOME}/configmaps/settings", "/immutable", True),
    (f"/api/v1{_HOME}/secrets/plain", "/data/empty", "eA=="),
    (f"/api/v1{_HOME}/serviceaccounts/ledger", "/imagePullSecrets/0/name", "other"),
    (f"/api/v1{_HOME}/resourcequotas/most", "/spec/hard/requests.memory", "65Gi"),
    (f"/api/v1{_HOME}/limitranges/each", "/spec/limits/0/maxLimitRequestRatio", {"cpu": "10"}),
    (f"/api/v1{_HOME}/services/door", "/spec/ports/1/targetPort", 8444),
    (f"/api/v1{_HOME}/services/front", "/spec/externalTrafficPolicy", "Cluster"),
    (f"/api/v1{_HOME}/services/elsewhere", "/spec/externalName", "db.example.org"),
    (f"{_APPS}/deployments/api", "/spec/replicas", 4),
    (f"{_APPS}/deployments/api", "/spec/strategy/rollingUpdate/maxSurge", "30%"),
    (f"{_APPS}/deployments/api", f"{_CONTAINER}/image", "registry.example/api:2"),
    (f"{_APPS}/deployments/api", f"{_CONTAINER}/resources/limits/cpu", "1100m"),
    (f"{_APPS}/deployments/api", f"{_CONTAINER}/readinessProbe/periodSeconds", 11),
    (f"{_APPS}/deployments/api", f"{_CONTAINER}/env/0/value", "full"),
    (f"{_APPS}/deployments/api", "/spec/template/spec/topologySpreadConstraints/0/maxSkew", 2),
    (f"{_APPS}/deployments/api", "/metadata/labels", {"by": "hand"}),
    (f"{_APPS}/statefulsets/ledger", "/spec/updateStrategy/rollingUpdate/partition", 1),
    (f"{_APPS}/daemonsets/agent", "/spec/template/spec/tolerations/0/effect", "NoSchedule"),
    (f"/apis/batch/v1{_HOME}/cronjobs/settle", "/spec/schedule", "*/6 * * * *"),
    (f"/apis/batch/v1{_HOME}/jobs/migrate", "/spec/backoffLimit", 5),
    (f"/apis/autoscaling/v2{_HOME}/horizontalpodautoscalers/settle", "/spec/maxReplicas", 6),
    (f"/apis/policy/v1{_HOME}/poddisruptionbudgets/ledger", "/spec/minAvailable", "60%"),
    (f"/apis/networking.k8s.io/v1{_HOME}/networkpolicies/ledger", "/spec/ingress/0/ports/0/port", 5433),
    (f"/apis/networking.k8s.io/v1{_HOME}/ingresses/door", "/spec/rules/0/host", "api.bank.test"),
    (f"{_RBAC}{_HOME}/roles/leader", "/rules/0/verbs/0", "get"),
    (f"{_RBAC}{_HOME}/rolebindings/leader", "/subjects/0/name", "other"),
    (f"{_RBAC}/clusterroles/{_NAME}-reader", "/rules/0/resources/0", "nodes"),
    (f"{_RBAC}/clusterrolebindings/{_NAME}-reader", "/subjects/1/name", "others"),
    (f"/apis/scheduling.k8s.io/v1/priorityclasses/{_NAME}-high", "/description", "changed"),
    (f"/apis/{_NAME}.example/v1{_HOME}/gauges/steam", "/spec/limits/high", 12.5),
    (f"/apis/{_NAME}.example/v1{_HOME}/gauges/steam", "/spec/probes/0/every", "31s"),
    (f"/apis/{_NAME}.example/v1{_HOME}/gauges/steam", "/spec/free/anything/1/goes", False),
    (f"/apis/{_NAME}.example/v1{_HOME}/gauges/water", "/spec/unit", "pascal"),
    (
        f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gauges.{_NAME}.example",
        "/spec/versions/0/additionalPrinterColumns/0/name",
        "Units",
    ),
    (
        f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{_NAME}",
        "/webhooks/0/timeoutSeconds",
        9,
    ),
]

# What a person is told, where it is said more exactly, or of the element of a list that has become another.
_TOLD = {
    "/imagePullSecrets/0/name": "/imagePullSecrets/0",
    "/metadata/labels": "/metadata/labels/by",
    "/spec/limits/0/maxLimitRequestRatio": "/spec/limits/0/maxLimitRequestRatio/cpu",
}


@pytest.fixture
def both(
    server: apiserver.Server, other_server: apiserver.Server, tmp_path: Path
) -> Iterator[tuple[apiserver.Admin, apiserver.Admin]]:
    """The same manifests at two servers."""
    manifests = manykinds.manifests(_NAME)
    first = [one for one in manifests if one["kind"] in ("Namespace", "CustomResourceDefinition")]
    admins = (apiserver.Admin(server), apiserver.Admin(other_server))
    for at, admin in zip((server, other_server), admins, strict=True):
        for some in (first, manifests):
            (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(some), encoding="utf-8")
            words = ("apply", "--server-side", "-f", str(tmp_path / "all.yaml"))
            kubectl.runs(*words, kubeconfig=at.kubeconfig(), folder=tmp_path)
            crds.wait_established(admin, first[1])
    yield admins
    for admin in admins:
        admin.close()


def test_a_change_by_hand_is_found_in_any_field_of_any_kind(
    both: tuple[apiserver.Admin, apiserver.Admin],
    server: apiserver.Server,
    other_server: apiserver.Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Custom resources, their definitions and what lies beside namespaces included; each at its path, and no more."""
    file = contexts(tmp_path / "kubeconfig", {"seoul": server, "sejong": other_server})
    assert _differences(file, capsys) == set()
    for path, pointer, value in _CHANGES:
        change = [{"op": "add", "path": pointer, "value": value}]
        kind = "application/json-patch+json"
        both[1].ask("PATCH", f"{path}?fieldManager=somebody", change, content_type=kind)
    expected = {(path.split("/")[-1], _TOLD.get(pointer, pointer)) for path, pointer, _ in _CHANGES}
    assert _differences(file, capsys) == expected


def _differences(file: Path, capsys: pytest.CaptureFixture[str]) -> set[tuple[str, str]]:
    """Names and paths of what differs in the test's namespace, or carries its name."""
    capsys.readouterr()
    group.main(["diff", "seoul", "sejong", "--kubeconfig", str(file), "-o", "json"], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)["differences"]
    ours = [one for one in found if one["namespace"] == _NAME or _NAME in one["name"]]
    return {(one["name"], one["path"]) for one in ours}
