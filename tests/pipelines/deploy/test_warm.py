"""A warm site that has a cluster: the ground is there, and what would stand on it is rehearsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from lockstep import errors
from lockstep.sites.archive import Archive
from lockstep.sites.ends import Applied, Change
from lockstep.values import Json
from pipelines.deploy import apply, site, warm
from tests.pipelines.deploy.deploying import config, place, request, thing
from tests.support.clusters import MemoryCluster

_POD = {"metadata": {"labels": {"app": "db"}, "name": "ignored"}, "spec": {"containers": [{"name": "db"}]}}


def _workload(kind: str, name: str, api_version: str = "apps/v1", **spec: Json) -> dict[str, Json]:
    return {**thing(kind, name, api_version, namespace="pay"), "spec": {"template": _POD, **spec}}


def test_a_workload_is_rehearsed_as_its_pod() -> None:
    """With the labels that quotas and policies look at, under a name that no controller gives."""
    (found,) = warm.rehearsals([_workload("Deployment", "db"), config(), thing("Service", "db")])
    assert str(found.workload) == "Deployment.apps pay/db"
    assert found.pod == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "db-rehearsal", "namespace": "pay", "labels": {"app": "db"}},
        "spec": _POD["spec"],
    }


def test_claims_and_jobs_of_cron_jobs_are_found() -> None:
    """A StatefulSet's volumes are made by its controller, and a CronJob's template is a step deeper."""
    claims = [{"metadata": {"name": "data"}}]
    cron = {**thing("CronJob", "nightly", "batch/v1"), "spec": {"jobTemplate": {"spec": {"template": _POD}}}}
    stateful, nightly = warm.rehearsals([_workload("StatefulSet", "db", volumeClaimTemplates=claims), cron])
    assert stateful.pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]
    assert nightly.pod["metadata"]["name"] == "nightly-rehearsal"


def test_odd_templates_are_passed_over() -> None:
    """The server says what is wrong with them when they are applied; nobody trips over them here."""
    odd = [{**thing("Deployment", "x", "apps/v1"), "spec": spec} for spec in ({}, {"template": "x"}, None)]
    assert list(warm.rehearsals(odd)) == []


@dataclass(slots=True)
class _Strict(MemoryCluster):
    """Refuses every Pod, and keeps the rest."""

    tried: list[str] = field(default_factory=list)

    def apply(
        self,
        manifest: Mapping[str, Json],
        *,
        dry_run: bool = False,
        force: bool = False,
        before: Mapping[str, Json] | None = None,
    ) -> Applied:
        if manifest["kind"] == "Pod":
            self.tried.append(str(manifest["metadata"]["name"]))
            raise errors.ForbiddenError("violates PodSecurity.")
        if dry_run:
            return Applied(change=Change.CREATED, object=dict(manifest))
        return MemoryCluster.apply(self, manifest)


def test_a_warm_site_has_the_ground_and_says_what_could_not_start(tmp_path: Path) -> None:
    """Nothing runs there; its archive has everything all the same."""
    cluster = _Strict(runs=True)
    at = site.Ends(cluster=cluster, archive=Archive(root=tmp_path))
    raw = [thing("Namespace", "pay"), thing("ServiceAccount", "api"), config(), _workload("Deployment", "db")]
    asked = site.fitted(request(*raw, at=place("warm")), at)
    report: apply.Report = site.deploy(asked, site.plan(asked, at), at, now=datetime(2030, 1, 1, tzinfo=UTC))
    assert sorted(key.kind for key in cluster.objects) == ["ConfigMap", "Namespace", "ServiceAccount"]
    assert report.unfit == ("Deployment.apps pay/db could not start here: violates PodSecurity.",)
    assert not report.whole
    assert cluster.tried == ["db-rehearsal"]
    assert list(tmp_path.rglob("Deployment.apps/db.yaml"))
