"""What a deploy would do: what is created, changed, deleted, kept, approved and refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.manifests import applyset
from lockstep.sites.ends import Gap
from lockstep.topology import direction
from lockstep.values import Json, ObjectKey, Stance
from pipelines.deploy import plan
from pipelines.deploy.models import Action, Approval, Hotfix, Kept, Plan, Why
from tests.pipelines.deploy.deploying import config, deploy, key, place, planned, request, thing
from tests.support.clusters import MemoryCluster


def _keys(what: Plan, action: Action) -> list[ObjectKey]:
    return [step.key for step in what.steps(action)]


def test_the_first_deploy_creates_everything_in_stages_around_its_record() -> None:
    """The namespace, then the record, then the rest; at the end the record says that the deploy is whole."""
    raw = [thing("Deployment", "api", "apps/v1"), config(), thing("Namespace", "pay")]
    what = planned(request(*raw), MemoryCluster())
    assert [[str(step.key) for step in stage] for stage in what.stages] == [
        ["Namespace pay"],
        ["ConfigMap pay/lockstep.pay"],
        ["ConfigMap pay/settings"],
        ["Deployment.apps pay/api"],
        ["ConfigMap pay/lockstep.pay"],
    ]
    first, last = what.stages[1][0].manifest, what.stages[-1][0].manifest
    assert first is not None
    assert last is not None
    assert first["data"] == {"application": "pay", "revision": "", "deploying": "1" * 40}
    assert last["data"] == {"application": "pay", "revision": "1" * 40, "deploying": ""}
    assert len(what.steps(Action.CREATE)) == 3
    assert (what.approvals, what.refusals, what.kept) == ((), (), ())


def test_a_change_names_the_fields_that_it_touches() -> None:
    """As JSON Pointers, as deep as can be told; what is equal is only counted."""
    cluster = MemoryCluster()
    deploy(request(config(a="1", b="2"), config("same")), cluster)
    (step,) = planned(request(config(a="1", b="3", c="4"), config("same")), cluster).steps(Action.CHANGE)
    assert step.fields == ("/data/b", "/data/c")
    assert planned(request(config(a="1", b="3"), config("same")), cluster).unchanged == 1


def test_what_git_no_longer_has_is_deleted_last_and_backwards() -> None:
    """Workloads before what they stand on, a namespace never by itself, and the record forgets their kinds."""
    cluster = MemoryCluster()
    gone = [thing("Service", "api"), thing("Deployment", "api", "apps/v1"), thing("Widget", "w", "acme.dev/v1")]
    deploy(request(config(a="1"), thing("Namespace", "pay"), *gone), cluster)
    what = planned(request(config(a="2")), cluster)
    assert [[(step.action.value, step.key.kind) for step in stage] for stage in what.stages] == [
        [("change", "ConfigMap")],
        [("change", "ConfigMap")],
        [("delete", "Widget")],
        [("delete", "Deployment")],
        [("delete", "Service")],
        [("change", "ConfigMap")],
    ]
    record = what.stages[-1][0].manifest
    assert record is not None
    assert record["metadata"]["annotations"][applyset.KINDS] == "ConfigMap,Namespace"


@pytest.mark.parametrize(
    "manifest",
    [
        thing("Namespace", "extra"),
        thing("PersistentVolumeClaim", "data"),
        thing("PersistentVolume", "disk"),
        thing("CustomResourceDefinition", "widgets.acme.dev", "apiextensions.k8s.io/v1"),
    ],
)
def test_what_takes_more_along_is_only_deleted_by_name(manifest: dict[str, Json]) -> None:
    """Namespaces, volumes, claims and definitions stay, and why is said, until deletion.allow names them."""
    cluster = MemoryCluster()
    deploy(request(config(), manifest), cluster)
    (kept,) = planned(request(config()), cluster).kept
    assert (kept.key.kind, kept.key.name) == (manifest["kind"], manifest["metadata"]["name"])
    assert "deletion.allow" in kept.why
    name = f"{manifest['kind']}/{manifest['metadata']['name']}"
    allowed = planned(request(config(), deletion={"allow": [name]}), cluster)
    assert allowed.kept == ()
    assert [step.key.name for step in allowed.steps(Action.DELETE)] == [manifest["metadata"]["name"]]


@pytest.mark.parametrize(
    "annotations",
    [
        {"lockstep.dev/prune": "false"},
        {"argocd.argoproj.io/sync-options": "Validate=false, Prune=false"},
        {"helm.sh/resource-policy": "keep"},
        {"kustomize.toolkit.fluxcd.io/prune": "disabled"},
    ],
)
def test_an_object_can_ask_to_be_kept(annotations: dict[str, str]) -> None:
    """In the words of this tool and of the others."""
    cluster = MemoryCluster()
    deploy(request(config(), thing("Secret", "s", annotations=annotations)), cluster)
    what = planned(request(config()), cluster)
    assert [one.key.name for one in what.kept] == ["s"]
    assert what.steps(Action.DELETE) == ()


def test_nothing_is_pruned_at_a_standby_that_has_become_the_truth() -> None:
    """A person starts it by name; what git has lost since is looked at on a calmer day."""
    cluster = MemoryCluster()
    deploy(request(config(), config("old")), cluster)
    switched = direction.Direction(
        pair="seoul-sejong", stance=Stance.SWITCHED, truth="seoul", follower="sejong", held=frozenset({"seoul"})
    )
    what = planned(request(config(), at=place(None, switched).named()), cluster)
    assert [(one.key.name, one.why) for one in what.kept] == [
        ("old", "the pair seoul-sejong is in the stance switched")
    ]
    assert (what.refusals, what.held, what.steps(Action.DELETE)) == ((), False, ())


def test_pruning_can_be_off() -> None:
    """Then everything stays, and is said."""
    cluster = MemoryCluster()
    deploy(request(config(), config("old")), cluster)
    what = planned(request(config(), deletion={"prune": False}), cluster)
    assert what.kept == (Kept(key=key("ConfigMap", "old"), why="deletion.prune is off"),)


def test_what_controllers_made_of_an_object_is_not_taken_for_deployed() -> None:
    """They copy labels: an EndpointSlice has an owner, an Endpoints has not even that."""
    cluster = MemoryCluster()
    deploy(request(thing("Service", "api")), cluster)
    labels = cluster.objects[key("Service", "api")]["metadata"]["labels"]
    copies = [
        thing("Endpoints", "api", namespace="pay", labels=labels),
        thing("EndpointSlice", "api-x", "discovery.k8s.io/v1", namespace="pay", labels=labels),
        thing("ReplicaSet", "r", "apps/v1", namespace="pay", labels=labels, ownerReferences=[{"name": "api"}]),
    ]
    for manifest in copies:
        cluster.apply(manifest)
    assert planned(request(thing("Service", "api")), cluster).empty


@pytest.mark.parametrize(
    ("before", "after", "most", "waits"),
    [
        (20, 18, "10%", False),
        (20, 17, "10%", True),
        (9, 8, "10%", True),
        (10, 9, "10%", False),
        (3, 1, "2", False),
        (3, 0, "2", True),
        (3, 2, "0%", True),
        (3, 0, "100%", False),
    ],
)
def test_many_deletes_wait_for_approval(before: int, after: int, most: str, *, waits: bool) -> None:
    """More than the share of what the application has, to the letter, or more than the number."""
    cluster = MemoryCluster()
    base = thing("Namespace", "pay")
    deploy(request(*(config(f"c{index}") for index in range(before))), cluster)
    what = planned(request(base, *(config(f"c{index}") for index in range(after)), deletion={"most": most}), cluster)
    wanted = (Approval(why=Why.DELETES, what=f"{before - after} of {before}"),)
    assert what.approvals == (wanted if waits else ())


def test_a_hot_fix_that_would_be_overwritten_waits_for_approval() -> None:
    """The very field, a part of it or the whole of it; another field of the same object does not wait."""
    cluster = MemoryCluster()
    deploy(request(config(a="1", b="2")), cluster)
    cluster.apply({**cluster.objects[key("ConfigMap", "settings")], "data": {"a": "fixed", "b": "2"}})
    settings = key("ConfigMap", "settings")
    for pointer, waits in (("/data/a", True), ("/data", True), ("", True), ("/data/b", False), ("/metadata", False)):
        fix = Hotfix(key=settings, pointer=pointer)
        what = planned(request(config(a="1", b="2"), hotfixes=(fix,)), cluster)
        reasons = (Approval(why=Why.HOTFIX, what=f"ConfigMap pay/settings {pointer}".rstrip()),)
        assert what.approvals == (reasons if waits else ())


def test_a_hot_fix_that_git_has_now_does_not_wait() -> None:
    """Committing it is how it is healed; other fields may change along."""
    cluster = MemoryCluster()
    deploy(request(config(a="fixed", b="2")), cluster)
    fix = Hotfix(key=key("ConfigMap", "settings"), pointer="/data/a")
    assert planned(request(config(a="fixed", b="3"), hotfixes=(fix,)), cluster).approvals == ()


@pytest.mark.parametrize("pointer", ["/data/[name=a]/x", "data", "/~3"])
def test_a_hot_fix_whose_place_is_not_understood_waits_when_its_object_changes(pointer: str) -> None:
    """Better asked once too often."""
    cluster = MemoryCluster()
    deploy(request(config(a="1")), cluster)
    fix = Hotfix(key=key("ConfigMap", "settings"), pointer=pointer)
    assert planned(request(config(a="2"), hotfixes=(fix,)), cluster).approvals
    assert not planned(request(config(a="1"), hotfixes=(fix,)), cluster).approvals


def test_deleting_or_creating_anew_what_was_fixed_by_hand_waits() -> None:
    """Whichever field the fix was in."""
    cluster = MemoryCluster()
    deploy(request(config(), config("old")), cluster)
    fix = Hotfix(key=key("ConfigMap", "old"), pointer="/data/a")
    lenient = {"most": "100%"}
    assert planned(request(config(), hotfixes=(fix,), deletion=lenient), cluster).approvals
    cluster.delete(key("ConfigMap", "old"), api_version="v1")
    whole = Hotfix(key=key("ConfigMap", "old"), pointer="")
    assert planned(request(config(), config("old"), hotfixes=(whole,)), cluster).approvals


def test_what_could_not_be_read_is_not_overwritten_without_approval() -> None:
    """A broken file may hold a hot fix. A gap that is about other kinds stops nothing."""
    broken = Gap(
        what="pay/ConfigMap.core/settings.yaml", why="not YAML.", kind="ConfigMap", namespace="pay", name="settings"
    )
    elsewhere = Gap(what="stray.yaml", why="it does not belong here.")
    cluster = MemoryCluster(gaps=(broken, elsewhere))
    (approval,) = planned(request(config(), config("other")), cluster).approvals
    assert approval.why is Why.UNREADABLE
    assert approval.what == "ConfigMap pay/settings (pay/ConfigMap.core/settings.yaml: not YAML.)"


def test_an_object_of_another_application_is_refused_by_its_name() -> None:
    """Two applications cannot both have it, and nothing of the plan is done."""
    cluster = MemoryCluster()
    deploy(request(config("shared"), name="shop"), cluster)
    (refusal,) = planned(request(config("shared"), config("own")), cluster).refused
    assert refusal == "ConfigMap pay/shared: it belongs to the application shop. Keep it in one of the two."


def test_a_record_that_another_tool_manages_is_refused() -> None:
    """As the specification of ApplySets has tools respect each other."""
    cluster = MemoryCluster()
    deploy(request(config()), cluster)
    record = cluster.objects[key("ConfigMap", "lockstep.pay")]
    record["metadata"]["annotations"][applyset.TOOLING] = "kubectl/v1.36"
    assert "managed by kubectl/v1.36" in planned(request(config()), cluster).refused[0]


def test_a_site_that_a_stance_holds_is_refused() -> None:
    """The pair and its stance are named."""
    held = direction.Direction(
        pair="seoul-sejong", stance=Stance.SWITCHED, truth="sejong", follower="seoul", held=frozenset({"sejong"})
    )
    what = planned(request(config(), at=place("hot", held)), MemoryCluster())
    assert what.held
    assert what.refused == ("sejong is held: the pair seoul-sejong is in the stance switched.",)


def test_a_rendering_with_problems_is_refused() -> None:
    """Each of them is said."""
    pod = {**thing("Pod", "api"), "spec": {"containers": [{"name": "c", "image": "elsewhere/api"}]}}
    (refusal,) = planned(request(pod, unmirrored="refuse"), MemoryCluster()).refused
    assert refusal.startswith("Pod pay/api: container c: elsewhere/api is not mirrored.")


def test_a_warm_standby_gets_the_full_size() -> None:
    """Nothing runs there, so nothing needs a floor."""
    workload = {**thing("Deployment", "api", "apps/v1"), "spec": {"replicas": 4}}
    for tier, replicas in (("warm", 4), ("hot", 1), ("active", 4)):
        (step,) = planned(request(workload, at=place(tier)), MemoryCluster()).steps(Action.CREATE)
        assert step.manifest is not None
        assert step.manifest["spec"]["replicas"] == replicas


def test_what_an_application_had_in_another_namespace_is_pruned_too() -> None:
    """The record remembers the namespaces, so that moving an object leaves nothing behind."""
    cluster = MemoryCluster()
    deploy(request(config("a", "dmz"), config("b")), cluster)
    what = planned(request(config("a"), config("b"), deletion={"most": "100%"}), cluster)
    assert _keys(what, Action.DELETE) == [key("ConfigMap", "a", "dmz")]


def test_an_object_that_is_there_already_is_taken_over() -> None:
    """Made by hand or by another tool: it becomes a member of the set."""
    cluster = MemoryCluster()
    cluster.apply(config(a="1"))
    (step,) = planned(request(config(a="1")), cluster).steps(Action.CHANGE)
    assert step.fields == ("/metadata/labels",)


def test_the_digest_is_of_what_will_be_there() -> None:
    """The same from wherever the deploy starts, another for other contents, another site or something kept."""
    empty, cluster = MemoryCluster(), MemoryCluster()
    deploy(request(config(a="1"), config("old")), cluster)
    wanted = request(config(a="2"), config("b"))
    digest = planned(wanted, empty).digest
    assert planned(wanted, cluster).digest == digest
    deploy(wanted, cluster)
    assert planned(wanted, cluster).digest == digest
    assert planned(request(config("b"), config(a="2"), revision="2" * 40), cluster).digest == digest
    assert planned(request(config(a="3"), config("b")), cluster).digest != digest
    assert planned(request(config(a="2"), config("b"), at=place("active")), cluster).digest != digest
    deploy(request(config(a="2"), config("b"), thing("PersistentVolumeClaim", "data")), cluster)
    assert planned(wanted, cluster).digest != digest


def test_the_digest_of_several_sites_does_not_depend_on_their_order() -> None:
    """One approval binds them all."""
    one = planned(request(config()), MemoryCluster())
    other = planned(request(config(), at=place("hot")), MemoryCluster())
    assert plan.digest_of([one, other]) == plan.digest_of([other, one]) != plan.digest_of([one])


def test_a_server_that_adds_fields_of_its_own_is_not_changed_for_them() -> None:
    """Where an apply sets only what the manifest names, only that is compared; a list is compared whole."""
    cluster = MemoryCluster(runs=True)
    workload = {**thing("Deployment", "api", "apps/v1"), "spec": {"replicas": 2, "ports": [1, 2]}}
    deploy(request(workload), cluster)
    there = cluster.objects[key("Deployment", "api", group="apps")]
    there["spec"]["strategy"] = {"type": "RollingUpdate"}
    there["metadata"]["uid"] = "x"
    assert planned(request(workload), cluster).empty
    there["spec"]["ports"].append(3)
    (step,) = planned(request(workload), cluster).steps(Action.CHANGE)
    assert step.fields == ("/spec/ports",)


_NAMES = st.sampled_from(["a", "b", "c"])
_OBJECTS = st.one_of(
    st.builds(config, _NAMES, st.sampled_from(["pay", "dmz"]), a=st.sampled_from(["1", "2"])),
    st.builds(thing, st.sampled_from(["Namespace", "PersistentVolumeClaim", "Secret", "Service"]), _NAMES),
    st.builds(thing, st.just("Deployment"), _NAMES, st.just("apps/v1")),
    st.builds(thing, st.sampled_from(["ClusterRole", "Role"]), _NAMES, st.just("rbac.authorization.k8s.io/v1")),
)


def _key_in_pay(manifest: dict[str, Json]) -> tuple[str, str, str]:
    return manifest["kind"], manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


_RENDERINGS = st.lists(_OBJECTS, max_size=6, unique_by=_key_in_pay)


@settings(max_examples=60)
@given(st.lists(_RENDERINGS, min_size=1, max_size=4))
def test_applying_a_plan_leaves_an_empty_plan(renderings: list[list[dict[str, Json]]]) -> None:
    """Whatever was there before; and every object is as its manifest has it."""
    cluster = MemoryCluster()
    for rendering in renderings:
        asked = request(*rendering)
        assert deploy(asked, cluster).whole
        assert planned(asked, cluster).empty
        for manifest in asked.wanted.objects:
            assert cluster.objects[ObjectKey.of(manifest)] == manifest


@settings(max_examples=60)
@given(_RENDERINGS, _RENDERINGS, _RENDERINGS)
def test_nothing_of_another_application_is_ever_touched(
    theirs: list[dict[str, Json]], ours: list[dict[str, Json]], later: list[dict[str, Json]]
) -> None:
    """Neither deleted nor changed, whatever two deploys of ours do; what was made by hand stays too."""
    cluster = MemoryCluster()
    by_hand = {**config("by-hand"), "metadata": {"name": "by-hand", "namespace": "pay", "labels": {"a": "b"}}}
    cluster.apply(by_hand)
    deploy(request(*theirs, name="shop"), cluster)
    before = {name: dict(manifest) for name, manifest in cluster.objects.items()}
    for rendering in (ours, later):
        asked = request(*rendering)
        what = planned(asked, cluster)
        if not what.refusals:
            deploy(asked, cluster)
    kept = {name: manifest for name, manifest in cluster.objects.items() if name in before}
    assert kept == before
