"""Whether what was deployed runs: what is waited for, what is final, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lockstep import errors
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey
from pipelines.deploy import rollout
from pipelines.deploy.rollout import Progress
from tests.pipelines.deploy.deploying import config, key, request, thing
from tests.support.clusters import MemoryCluster

_WELL = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}
_STUCK = {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}], "observedGeneration": 1}


def _api(**status: Json) -> dict[str, Json]:
    return {**thing("Deployment", "api", "apps/v1", namespace="pay", generation=1), "status": status}


def _judged(*objects: dict[str, Json], gaps: tuple[ends.Gap, ...] = ()) -> rollout.Rollout:
    inventory = ends.Inventory(objects=objects, read_at=datetime.now(UTC), method="test", gaps=gaps)
    return rollout.judge(inventory, frozenset({key("Deployment", "api", group="apps")}), standby=False)


def test_a_deploy_waits_for_workloads_and_not_for_addresses() -> None:
    """A cluster without a load balancer would never have one."""
    asked = request(
        config(),
        thing("Service", "api"),
        thing("Deployment", "api", "apps/v1"),
        thing("PersistentVolumeClaim", "data"),
        thing("Widget", "one", "shop.example/v1"),
    )
    assert {found.kind for found in rollout.awaited(asked)} == {"Deployment", "Widget"}


@pytest.mark.parametrize(
    ("status", "progress"),
    [(_WELL, Progress.OVER), ({}, Progress.GOING), (_STUCK, Progress.FAILED)],
)
def test_a_workload_runs_or_is_waited_for_or_was_given_up(status: dict[str, Json], progress: Progress) -> None:
    """What its controller says is final only where it has given up."""
    assert _judged(_api(**status)).progress is progress


def test_what_is_not_known_is_waited_for() -> None:
    """Neither what is not there yet nor what could not be read has failed."""
    gap = ends.Gap(what="deployments", why="we may not", kind="Deployment", group="apps")
    assert _judged(gaps=(gap,)) == rollout.Rollout(progress=Progress.GOING, why="we may not")
    assert _judged() == rollout.Rollout(progress=Progress.GOING, why="Deployment.apps pay/api is not there")


def test_a_site_that_does_not_answer_is_waited_for() -> None:
    """It may be back before the deadline."""

    class Gone(MemoryCluster):
        def read(self, selection: ends.Selection) -> ends.Inventory:
            raise errors.UnreachableError(f"gone, with {selection.namespaces}")

    asked = request(thing("Deployment", "api", "apps/v1"))
    assert rollout.look(Gone(runs=True), asked, standby=True).progress is Progress.GOING


def test_what_runs_nothing_is_over_at_once() -> None:
    """A directory has no health."""
    asked = request(thing("Deployment", "api", "apps/v1"))
    assert rollout.look(MemoryCluster(), asked, standby=False).progress is Progress.OVER
    assert rollout.look(MemoryCluster(runs=True), request(config()), standby=False).progress is Progress.OVER


def test_only_what_was_deployed_is_looked_at() -> None:
    """Another application's trouble in the same namespace is not ours."""
    asked = request(thing("Deployment", "api", "apps/v1"))
    other = {**thing("Deployment", "other", "apps/v1", namespace="pay", generation=1), "status": _STUCK}
    objects = {ObjectKey.of(one): one for one in (_api(**_WELL), other)}
    assert rollout.look(MemoryCluster(objects=objects, runs=True), asked, standby=False).progress is Progress.OVER
