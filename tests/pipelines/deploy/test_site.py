"""Deploying to a site: its cluster, its archive, or both."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.manifests import applyset
from lockstep.sites.archive import Archive
from lockstep.sites.directory import DirectoryCluster
from lockstep.sites.ends import Selection
from lockstep.values import Json, ObjectKey
from pipelines.deploy import apply, models, site
from tests.pipelines.deploy.deploying import REVISION, config, key, place, request, thing
from tests.support.clusters import MemoryCluster

NOW = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
WORKLOAD = {**thing("Deployment", "api", "apps/v1"), "spec": {"replicas": 4}}
PAY = Selection(namespaces=frozenset({"pay"}), cluster_scoped=None)


def _deploy(at: site.Ends, *raw: dict[str, Json], tier: str | None = "warm") -> apply.Report:
    asked = request(*raw, at=place(tier))
    what = site.plan(asked, at)
    return site.deploy(asked, what, at, now=NOW, approved=what.approvals)


def test_a_warm_site_without_a_cluster_is_deployed_to_its_archive(tmp_path: Path) -> None:
    """Planned against what the archive holds, at full size, with its record; the second time there is nothing to do."""
    at = site.Ends(cluster=None, archive=Archive(root=tmp_path))
    report = _deploy(at, WORKLOAD, config())
    assert report.whole
    assert {result.key.kind for result in report.results} == {"ConfigMap", "Deployment"}
    kept = Archive(root=tmp_path).rendering("pay").read(PAY).objects
    assert [ObjectKey.of(manifest).name for manifest in kept] == ["lockstep.pay", "settings", "api"]
    assert applyset.revision_of(kept[0]) == REVISION
    assert kept[2]["spec"]["replicas"] == 4
    assert site.plan(request(WORKLOAD, config(), at=place("warm")), at).empty
    (step,) = site.plan(request(WORKLOAD, config(a="2"), at=place("warm")), at).steps(models.Action.CHANGE)
    assert step.fields == ("/data/a",)


def test_a_hot_site_runs_at_its_floor_and_keeps_the_full_size(tmp_path: Path) -> None:
    """Both ends of it are written."""
    (tmp_path / "cluster").mkdir()
    (tmp_path / "archive").mkdir()
    cluster = DirectoryCluster(root=tmp_path / "cluster")
    at = site.Ends(cluster=cluster, archive=Archive(root=tmp_path / "archive"))
    assert _deploy(at, WORKLOAD, tier="hot").whole
    api = key("Deployment", "api", group="apps")
    running = cluster.get(api, api_version="apps/v1")
    kept = Archive(root=tmp_path / "archive").rendering("pay").get(api, api_version="apps/v1")
    assert running is not None
    assert kept is not None
    assert (running["spec"]["replicas"], kept["spec"]["replicas"]) == (1, 4)


def test_an_archive_that_cannot_be_written_makes_the_deploy_incomplete(tmp_path: Path) -> None:
    """The cluster has everything, and the report says what has not."""
    cluster = MemoryCluster()
    at = site.Ends(cluster=cluster, archive=Archive(root=tmp_path / "gone"))
    report = _deploy(at, config(), tier="hot")
    assert not report.whole
    assert "Mount its disk" in report.archive_error
    assert key("ConfigMap", "settings") in cluster.objects


def test_an_archive_is_left_as_it_is_while_its_cluster_is_half_deployed(tmp_path: Path) -> None:
    """What is kept is what was deployed whole."""
    at = site.Ends(cluster=MemoryCluster(failing=frozenset({"settings"})), archive=Archive(root=tmp_path))
    assert not _deploy(at, config(), tier="hot").whole
    assert Archive(root=tmp_path).record("pay") is None


def test_an_archive_waits_for_approval_as_a_cluster_does(tmp_path: Path) -> None:
    """Deleting much of a warm site's rendering is no smaller thing."""
    at = site.Ends(cluster=None, archive=Archive(root=tmp_path))
    _deploy(at, config("a"), config("b"))
    asked = request(config("a"), at=place("warm"))
    what = site.plan(asked, at)
    with pytest.raises(errors.HeldError, match="it would delete many objects: 1 of 2"):
        site.deploy(asked, what, at, now=NOW)
    assert len(Archive(root=tmp_path).rendering("pay").read(PAY).objects) == 3
    assert site.deploy(asked, what, at, now=NOW, approved=what.approvals).whole


def test_an_archive_keeps_nothing_that_git_no_longer_has(tmp_path: Path) -> None:
    """A manifest in a file is no data: what a cluster would be asked to keep is told as deleted, and is."""
    at = site.Ends(cluster=None, archive=Archive(root=tmp_path))
    _deploy(at, config(), thing("PersistentVolumeClaim", "data"))
    what = site.plan(request(config(), at=place("warm")), at)
    assert what.kept == ()
    assert [step.key.name for step in what.steps(models.Action.DELETE)] == ["data"]
    _deploy(at, config())
    assert site.plan(request(config(), at=place("warm")), at).empty


def test_an_archive_that_fails_leaves_everything(tmp_path: Path) -> None:
    """A warm site is written whole or not at all."""
    asked = request(config(), at=place("warm"))
    what = site.plan(asked, site.Ends(cluster=None, archive=Archive(root=tmp_path)))
    report = site.deploy(asked, what, site.Ends(cluster=None, archive=Archive(root=tmp_path / "gone")), now=NOW)
    assert not report.whole
    assert report.results == ()
    assert key("ConfigMap", "settings") in report.left


def test_a_site_with_neither_is_said() -> None:
    """There is nowhere to deploy to."""
    with pytest.raises(errors.UnsupportedError, match="sejong has neither a cluster nor an archive"):
        site.plan(request(config(), at=place("warm")), site.Ends(cluster=None, archive=None))
