"""What a real API refuses of a Pod, and lets pass as a Deployment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lockstep.sites.archive import Archive
from lockstep.values import Json
from pipelines.deploy import site
from tests.cluster.conftest import Door
from tests.pipelines.deploy.deploying import place, request
from tests.support import apiserver

pytestmark = pytest.mark.cluster


def _deployment(name: str, **spec: Json) -> dict[str, Json]:
    labels = {"app": name}
    container = {"name": "x", "image": "registry.example/x:1", **spec.pop("container", {})}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def test_a_pod_that_could_not_start_is_named_and_nothing_runs(
    admin: apiserver.Admin, namespace: str, door: Door, tmp_path: Path
) -> None:
    """A class and an account that are not there, and a Pod that Pod security would not have."""
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}
    admin.merge(f"/api/v1/namespaces/{namespace}", label)
    raw = [
        _deployment("fine"),
        _deployment("nobody", serviceAccountName="missing"),
        _deployment("proud", priorityClassName="missing"),
        _deployment("root", container={"securityContext": {"privileged": True}}),
    ]
    at = site.Ends(cluster=door(), archive=Archive(root=tmp_path))
    asked = site.fitted(request(*raw, namespace=namespace, at=place("warm")), at)
    report = site.deploy(asked, site.plan(asked, at), at, now=datetime(2030, 1, 1, tzinfo=UTC))
    assert [one.partition(" could")[0].rpartition("/")[2] for one in report.unfit] == ["nobody", "proud", "root"]
    nobody, proud, root = report.unfit
    assert ("serviceaccount" in nobody, "PriorityClass" in proud, "PodSecurity" in root) == (True, True, True)
    assert admin.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"] == []
    assert admin.get(f"/api/v1/namespaces/{namespace}/pods")["items"] == []
    assert report.failed == ()
