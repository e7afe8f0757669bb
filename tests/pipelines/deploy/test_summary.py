"""A plan as people and programs read it."""

from __future__ import annotations

import json

from lockstep.sites.ends import Gap
from pipelines.deploy import summary
from pipelines.deploy.models import Hotfix
from tests.pipelines.deploy.deploying import config, deploy, key, planned, request, thing
from tests.support.clusters import MemoryCluster

SECRET = {**thing("Secret", "token"), "stringData": {"token": "hunter2"}}


def test_a_plan_is_told_in_lines() -> None:
    """Its numbers, each object with its fields, what stays, and what has to be approved."""
    cluster = MemoryCluster()
    deploy(request(config(a="1"), config("old"), config("same"), thing("PersistentVolume", "disk")), cluster)
    fix = Hotfix(key=key("ConfigMap", "settings"), pointer="/data/a")
    job = thing("Job", "smoke", "batch/v1", annotations={"helm.sh/hook": "test"})
    what = planned(request(config(a="2"), config("same"), SECRET, job, hotfixes=(fix,)), cluster)
    assert summary.text(what).splitlines() == [
        "pay at seoul: 1 to create, 1 to change, 1 to delete, 1 unchanged",
        "  + Secret pay/token",
        "  ~ ConfigMap pay/settings: /data/a",
        "  - ConfigMap pay/old",
        "  ! PersistentVolume disk stays: it is only deleted when deletion.allow names PersistentVolume/disk.",
        "  ! Job smoke is a hook (helm.sh/hook): left out.",
        "  ? needs approval: it would delete many objects: 1 of 4.",
        "  ? needs approval: it would overwrite an open hot fix: ConfigMap pay/settings /data/a.",
    ]


def test_nothing_to_do_is_said() -> None:
    """The record of the deploy itself counts for nothing."""
    cluster = MemoryCluster()
    deploy(request(config()), cluster)
    again = planned(request(config(), revision="2" * 40), cluster)
    assert not again.empty
    assert summary.text(again) == "pay at seoul: nothing to do, 1 unchanged"


def test_many_fields_are_cut() -> None:
    """Enough to know what it is about."""
    cluster = MemoryCluster()
    deploy(request(config(**{f"k{index}": "1" for index in range(9)})), cluster)
    what = planned(request(config(**{f"k{index}": "2" for index in range(9)})), cluster)
    assert "/data/k0, /data/k1, /data/k2, /data/k3, /data/k4 and 4 more" in summary.text(what)


def test_a_refusal_is_told() -> None:
    """With the sentence that says what to do."""
    cluster = MemoryCluster()
    deploy(request(config(), name="shop"), cluster)
    assert "  x refused: ConfigMap pay/settings: it belongs to the application shop." in summary.text(
        planned(request(config()), cluster)
    )


def test_what_programs_get_holds_no_secret() -> None:
    """Objects and fields by name, never their values."""
    gap = Gap(what="pay/Secret.core/token.yaml", why="not YAML.", kind="Secret", namespace="pay", name="token")
    told = summary.to_json(planned(request(SECRET), MemoryCluster(gaps=(gap,))))
    assert "hunter2" not in json.dumps(told)
    assert told["steps"] == [{"action": "create", "object": "Secret pay/token", "fields": []}]
    assert told["approvals"] == [
        {"why": "unreadable", "what": "Secret pay/token (pay/Secret.core/token.yaml: not YAML.)"}
    ]
