"""Doing what a plan says."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites.directory import DirectoryCluster
from lockstep.topology import direction, kinds
from lockstep.values import Stance
from pipelines.deploy import apply, models
from tests.pipelines.deploy.deploying import config, deploy, key, place, planned, request, thing
from tests.support import trees
from tests.support.clusters import MemoryCluster

RAW = [thing("Namespace", "pay"), config(a="1"), thing("Service", "api"), thing("Deployment", "api", "apps/v1")]


def test_every_object_is_told_as_it_is_done(tmp_path: Path) -> None:
    """In the order of the stages, on a real directory; the report is whole."""
    cluster = DirectoryCluster(root=tmp_path)
    told: list[apply.Result] = []
    report = apply.apply(planned(request(*RAW), cluster), cluster, progress=told.append)
    assert report.whole
    assert tuple(told) == report.results
    assert [result.key.kind for result in told] == [
        "Namespace",
        "ConfigMap",
        "ConfigMap",
        "Service",
        "Deployment",
        "ConfigMap",
    ]
    assert planned(request(*RAW), cluster).empty


def test_a_failing_stage_is_the_last_and_what_is_left_is_said() -> None:
    """The others of the stage are done; the next deploy goes on there, and then the record is whole."""
    cluster = MemoryCluster(failing=frozenset({"bad"}))
    asked = request(*RAW, config("bad"), config("good"))
    report = deploy(asked, cluster)
    assert not report.whole
    assert [(result.key.name, result.error) for result in report.failed] == [
        ("bad", "ConfigMap pay/bad may not be written. Ask for the right.")
    ]
    assert key("ConfigMap", "good") in cluster.objects
    assert [str(left) for left in report.left] == [
        "Service pay/api",
        "Deployment.apps pay/api",
        "ConfigMap pay/lockstep.pay",
    ]
    record = cluster.objects[key("ConfigMap", "lockstep.pay")]
    assert record["data"] == {"application": "pay", "revision": "", "deploying": "1" * 40}
    cluster.failing = frozenset()
    assert deploy(asked, cluster).whole
    assert cluster.objects[key("ConfigMap", "lockstep.pay")]["data"]["deploying"] == ""


def test_nothing_is_done_before_it_is_approved() -> None:
    """Approving one reason does not approve another."""
    cluster = MemoryCluster()
    deploy(request(*(config(f"c{index}") for index in range(5))), cluster)
    what = planned(request(config("c0")), cluster)
    done = list(cluster.done)
    other = models.Approval(why=models.Why.DELETES, what="1 of 5")
    with pytest.raises(errors.HeldError, match=r"it would delete many objects: 4 of 5\. Approve it"):
        apply.apply(what, cluster, approved=[other])
    assert cluster.done == done
    assert apply.apply(what, cluster, approved=what.approvals).whole


def test_a_plan_that_is_refused_or_held_does_nothing() -> None:
    """What a person may change by the stance is held; what is wrong with the input is said."""
    cluster = MemoryCluster()
    held = direction.direction_of(_pair(), Stance.UNKNOWN)
    with pytest.raises(errors.HeldError, match="in the stance unknown"):
        deploy(request(config(), at=place("hot", held)), cluster)
    pod = {**thing("Pod", "api"), "spec": {"containers": [{"name": "c", "image": "elsewhere/api"}]}}
    with pytest.raises(errors.InputError, match="is not mirrored"):
        deploy(request(pod, unmirrored="refuse"), cluster)
    assert cluster.done == []


def _pair() -> kinds.Pair:
    return kinds.Pair.model_validate_json(
        '{"apiVersion": "lockstep.dev/v1alpha1", "kind": "Pair", "metadata": {"name": "seoul-sejong"},'
        ' "spec": {"primary": "seoul", "standby": "sejong"}}'
    )


def test_a_backup_is_not_deployed_to() -> None:
    """Unless there is nothing to do."""
    cluster = MemoryCluster(writable=False)
    with pytest.raises(errors.UnsupportedError, match="Nothing can be written to memory"):
        deploy(request(config()), cluster)
    written = MemoryCluster()
    deploy(request(config()), written)
    written.writable = False
    assert deploy(request(config()), written).whole


def test_what_a_listener_raises_ends_the_deploy() -> None:
    """A job whose lease is gone stops at once."""
    cluster = MemoryCluster()

    def lost(result: apply.Result) -> None:
        raise errors.LostWorkError("The lease is gone.")

    with pytest.raises(errors.LostWorkError):
        apply.apply(planned(request(*RAW), cluster), cluster, progress=lost)
    assert key("Service", "api") not in cluster.objects


_KILLED = """
import sys
from pathlib import Path
from lockstep import crash
from lockstep.sites.directory import DirectoryCluster
from tests.pipelines.deploy import deploying
from tests.pipelines.deploy.test_apply import RAW
crash.arm("in-deploy")
deploying.deploy(deploying.request(*RAW), DirectoryCluster(root=Path(sys.argv[1])))
"""


def test_a_deploy_that_is_killed_goes_on_where_it_ended(tmp_path: Path) -> None:
    """SIGKILL after the first object: the plan's digest is the same, and doing it leaves nothing to do."""
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(trees.read(tmp_path)) == ["_cluster/Namespace.core/pay.yaml"]
    cluster = DirectoryCluster(root=tmp_path)
    what = planned(request(*RAW), cluster)
    assert what.unchanged == 1
    assert what.digest == planned(request(*RAW), MemoryCluster()).digest
    assert deploy(request(*RAW), cluster).whole
    assert planned(request(*RAW), cluster).empty


def test_ten_thousand_objects_are_planned_and_applied() -> None:
    """The record stays small: it names kinds and namespaces, not objects."""
    cluster = MemoryCluster()
    asked = request(*(config(f"c{index}", a="x" * 50) for index in range(10_000)))
    assert deploy(asked, cluster).whole
    assert planned(asked, cluster).empty
    record = cluster.objects[key("ConfigMap", "lockstep.pay")]
    assert len(str(record)) < 1000
