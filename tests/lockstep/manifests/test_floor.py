"""How little of an application runs at a hot standby."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.manifests import floor
from lockstep.topology import kinds
from lockstep.values import Json
from tests.support import configured


def _workload(
    name: str, replicas: Json = "absent", *, kind: str = "Deployment", group: str = "apps"
) -> dict[str, Json]:
    spec = {} if replicas == "absent" else {"replicas": replicas}
    metadata = {"name": name, "namespace": "pay"}
    return {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, "metadata": metadata, "spec": spec}


def _scaler(target: str, *, most: int = 10, kind: str = "Deployment", **spec: Json) -> dict[str, Json]:
    reference = {"kind": kind, "name": target, "apiVersion": "apps/v1"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"{target}-scaler", "namespace": "pay"},
        "spec": {"scaleTargetRef": reference, "maxReplicas": most, **spec},
    }


def _cron_job(name: str, **spec: Json) -> dict[str, Json]:
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "namespace": "pay"}, "spec": spec}


def _hot(floors: dict[str, str], *cron_jobs: str) -> kinds.Protection:
    return configured.protection(tier="hot", floor=floors, runCronJobs=cron_jobs)


def _replicas(given_: list[dict[str, Json]], protection: kinds.Protection) -> list[Json]:
    return [manifest["spec"].get("replicas", "absent") for manifest in floor.apply(given_, protection).objects]


@pytest.mark.parametrize(
    ("replicas", "floors", "expected"),
    [
        (5, {}, 1),
        (5, {"default": "2"}, 2),
        (1, {"default": "2"}, 1),
        (0, {"default": "2"}, 0),
        ("absent", {}, "absent"),
        ("absent", {"default": "3"}, "absent"),
        ("absent", {"default": "0"}, 0),
        (5, {"default": "0"}, 0),
        (5, {"default": "50%"}, 3),
        (5, {"default": "100%"}, 5),
        (5, {"default": "0%"}, 0),
        (5, {"default": "1", "Deployment": "2"}, 2),
        (5, {"Deployment": "2", "Deployment/api": "3"}, 3),
        (5, {"Deployment.apps": "4", "Deployment": "2"}, 4),
        (5, {"Deployment/a*": "2", "Deployment/api": "3"}, 3),
        (5, {"Deployment/a*": "2", "Deployment.apps": "3"}, 2),
        (5, {"Deployment.apps/api": "4", "Deployment/api": "3"}, 4),
        (5, {"StatefulSet": "4"}, 1),
        ("5", {}, "5"),
        (True, {}, True),
        (-1, {}, -1),
    ],
)
def test_the_narrowest_floor_decides_and_never_raises(replicas: Json, floors: dict[str, str], expected: Json) -> None:
    """Numbers and shares; absent means one; what is no number is left for the API server to refuse."""
    assert _replicas([_workload("api", replicas)], _hot(floors)) == [expected]


def test_kinds_that_scale_have_a_floor_and_others_have_none() -> None:
    """Four kinds of Kubernetes; custom ones when a floor or an autoscaler says that they scale."""
    given_ = [
        _workload("a", 5, kind="StatefulSet"),
        _workload("b", 5, kind="ReplicaSet"),
        _workload("c", 5, kind="ReplicationController", group=""),
        _workload("d", 5, kind="Rollout", group="argoproj.io"),
        _workload("e", 5, kind="Cluster", group="acme.dev"),
        _workload("f", 5, kind="Widget", group="acme.dev"),
        {**_scaler("f", kind="Widget"), "spec": {"scaleTargetRef": {"kind": "Widget", "name": "f"}, "maxReplicas": 9}},
    ]
    protection = _hot({"Rollout.argoproj.io": "2"})
    assert _replicas(given_, protection)[:6] == [1, 1, 1, 2, 5, 1]


@pytest.mark.parametrize(
    ("replicas", "least", "floors", "workload", "scaler"),
    [
        ("absent", 3, {}, "absent", 1),
        ("absent", 3, {"default": "2"}, "absent", 2),
        ("absent", 3, {"default": "7"}, "absent", 3),
        ("absent", 4, {"default": "50%"}, "absent", 2),
        (6, 4, {"default": "50%"}, 3, 3),
        (50, 4, {"default": "50%"}, 5, 4),
        (6, 4, {"Deployment/api": "5"}, 5, 4),
        (6, "absent", {}, 1, "absent"),
        ("absent", 3, {"default": "0"}, 0, 1),
        (0, 3, {}, 0, 3),
    ],
)
def test_an_autoscaler_is_lowered_with_its_workload(
    replicas: Json, least: Json, floors: dict[str, str], workload: Json, scaler: Json
) -> None:
    """Full size is between its bounds; a field that it owns is not taken from it; at 0 the workload turns it off."""
    bounds = {} if least == "absent" else {"minReplicas": least}
    floored = floor.apply([_workload("api", replicas), _scaler("api", **bounds)], _hot(floors))
    assert floored.objects[0]["spec"].get("replicas", "absent") == workload
    assert floored.objects[1]["spec"].get("minReplicas", "absent") == scaler


def test_an_autoscaler_of_something_that_is_not_in_git_is_lowered_all_the_same() -> None:
    """Its own minimum is all that is known of the full size."""
    floored = floor.apply([_scaler("elsewhere", minReplicas=4)], _hot({"Deployment/elsewhere": "50%"}))
    assert floored.objects[0]["spec"]["minReplicas"] == 2


def test_what_was_lowered_is_handed_on() -> None:
    """Live between the floor and git's own count is in step: both numbers, and where they stand."""
    floored = floor.apply([_workload("api", 5), _scaler("api", minReplicas=3)], _hot({}))
    assert [(one.key.kind, one.pointer, one.full, one.floor) for one in floored.lowered] == [
        ("Deployment", "/spec/replicas", 5, 1),
        ("HorizontalPodAutoscaler", "/spec/minReplicas", 3, 1),
    ]


def test_cron_jobs_are_suspended_unless_they_are_named() -> None:
    """One that is suspended already says so in git, and is not counted."""
    given_ = [_cron_job("settle"), _cron_job("report"), _cron_job("off", suspend=True)]
    floored = floor.apply(given_, _hot({}, "report"))
    assert [manifest["spec"].get("suspend") for manifest in floored.objects] == [True, None, True]
    assert [key.name for key in floored.suspended] == ["settle"]


def test_a_setting_that_meets_nothing_is_said() -> None:
    """A mistyped name would silently leave an application at its default."""
    floored = floor.apply([_workload("api", 5)], _hot({"StatefulSet/ledger": "3", "Deployment/api": "2"}, "gone"))
    assert floored.notes == (
        "The floor StatefulSet/ledger meets no object in git.",
        "runCronJobs names gone, which git does not have.",
    )


_FLOORS = st.dictionaries(
    st.sampled_from(["default", "Deployment", "Deployment/api", "Deployment.apps/api"]),
    st.sampled_from(["0", "1", "3", "100", "0%", "30%", "100%"]),
)


@given(st.integers(0, 20), st.none() | st.integers(1, 20), st.integers(1, 20), _FLOORS)
def test_a_floor_only_ever_lowers_and_holds(count: int, least: int | None, most: int, floors: dict[str, str]) -> None:
    """Nothing is raised, autoscalers stay within their bounds, and numbers (not shares) change nothing twice."""
    given_ = [_workload("api", count)]
    if least is not None and least <= most:
        given_.append(_scaler("api", minReplicas=least, most=most))
    floored = floor.apply(given_, _hot(floors)).objects
    assert 0 <= floored[0]["spec"]["replicas"] <= count
    if len(given_) > 1 and least is not None:
        assert 1 <= floored[1]["spec"]["minReplicas"] <= least <= most
    if not any("%" in share for share in floors.values()):
        assert floor.apply(floored, _hot(floors)).objects == floored
