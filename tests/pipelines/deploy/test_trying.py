"""Asking a server beforehand: what is asked, what cannot be, and what follows from the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from lockstep import errors
from lockstep.sites.ends import Applied, Change
from lockstep.values import Json, ObjectKey
from pipelines.deploy import models, plan, site, trying
from tests.pipelines.deploy.deploying import config, key, place, request, thing
from tests.support.clusters import MemoryCluster

OWNED = errors.OwnedError("x", owned=[errors.Owned(manager="hand", field=".data.a")])


@dataclass(slots=True)
class _Server(MemoryCluster):
    """Answers what a test says, by name; ``asked`` are the dry runs."""

    answers: dict[str, errors.LockstepError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def apply(
        self,
        manifest: Mapping[str, Json],
        *,
        dry_run: bool = False,
        force: bool = False,
        before: Mapping[str, Json] | None = None,
    ) -> Applied:
        name = str(manifest["metadata"]["name"])
        if not dry_run:
            return MemoryCluster.apply(self, manifest)
        self.asked.append(name)
        answer = self.answers.get(name)
        if answer is not None and not (force and isinstance(answer, errors.OwnedError)):
            raise answer
        return Applied(change=Change.CHANGED, object=dict(manifest))


def _plan(server: _Server, *raw: dict[str, Json], **more: Json) -> models.Plan:
    return site.plan(request(*raw, **more), site.Ends(cluster=server, archive=None))


def _server(**answers: errors.LockstepError) -> _Server:
    return _Server(runs=True, answers=answers)


def test_what_the_server_refuses_refuses_the_plan() -> None:
    """With its own words, and without anything done."""
    server = _server(bad=errors.InvalidError("data is odd.", remedy="Correct it."), good=OWNED)
    what = _plan(server, config("bad"), config("good"))
    refused, owned = what.refused
    assert refused == "ConfigMap pay/bad: data is odd. Correct it."
    assert owned.startswith("ConfigMap pay/good: .data.a belongs to hand. Take it out of git")
    assert server.done == []


@pytest.mark.parametrize(
    "more", [{"takeOver": ["ConfigMap/*"]}, {"hotfixes": (models.Hotfix(key=key("ConfigMap", "x"), pointer=""),)}]
)
def test_fields_of_others_are_taken_over_where_somebody_said_so(more: dict[str, Json]) -> None:
    """The configuration, or a person who approves to overwrite a hot fix."""
    server = _server(x=OWNED)
    server.objects[key("ConfigMap", "x")] = config("x", a="by hand")
    what = _plan(server, config("x", a="2"), **more)
    assert what.refusals == ()
    assert [step.force for step in what.steps(models.Action.CHANGE)] == [True]


def test_what_somebody_changed_at_a_standby_is_taken_over_when_it_is_healed() -> None:
    """And nothing else is: a field of somebody else in another object refuses as before."""
    server = _server(x=OWNED, y=OWNED)
    for name in ("x", "y"):
        server.objects[key("ConfigMap", name)] = config(name, a="by hand")
    asked = replace(
        request(config("x", a="2"), config("y", a="2"), at=place("hot")), heals=frozenset([str(key("ConfigMap", "x"))])
    )
    what = site.plan(asked, site.Ends(cluster=server, archive=None))
    assert [str(one.key) for one in what.refusals] == ["ConfigMap pay/y"]
    assert {step.key.name: step.force for step in what.steps(models.Action.CHANGE)} == {"x": True, "y": False}


def test_what_stands_in_the_way_of_another_object_holds_up_no_narrowed_deploy() -> None:
    """One field of somebody else must not keep every other object of the application from being healed."""
    server = _server(x=OWNED, y=errors.InvalidError("data is odd."))
    for name in ("x", "y", "z"):
        server.objects[key("ConfigMap", name)] = config(name, a="by hand")
    asked = [config(name, a="2") for name in ("x", "y", "z")]
    fix = models.Hotfix(key=key("ConfigMap", "y"), pointer="/data/a")
    whole = site.plan(replace(request(*asked), hotfixes=(fix,)), site.Ends(cluster=server, archive=None))
    assert (len(whole.refusals), len(whole.approvals)) == (2, 1)
    narrow = plan.narrowed(whole, [str(key("ConfigMap", "z"))])
    assert (narrow.refusals, narrow.approvals) == ((), ())
    assert [step.key.name for stage in narrow.stages for step in stage] == ["z"]
    assert [str(one.key) for one in plan.narrowed(whole, [str(key("ConfigMap", "x"))]).refusals] == ["ConfigMap pay/x"]


def test_what_holds_a_site_as_a_whole_holds_every_part_of_a_deploy() -> None:
    """A refusal that is about no object stays, however few objects are meant."""
    held = models.Refusal(why="sejong is held.")
    whole = replace(_plan(_server(), config("x")), refusals=(held,))
    assert plan.narrowed(whole, [str(key("ConfigMap", "x"))]).refusals == (held,)


def test_one_reason_that_refuses_many_objects_is_said_once_with_their_number() -> None:
    """A namespace that is not there is not told object by object."""
    gone = errors.NotFoundError("seoul has no namespace pay.", remedy="Let the manifests or somebody create it.")
    names = ("a", "b", "c", "d")
    what = _plan(_server(**dict.fromkeys(names, gone)), *map(config, names))
    (said,) = what.refused
    assert said.startswith("4 objects (ConfigMap pay/a, ConfigMap pay/b, ConfigMap pay/c, ...): seoul has no")


def test_nobody_is_asked_about_what_the_same_deploy_makes_possible() -> None:
    """The namespace or the definition is not there yet."""
    definition = thing("CustomResourceDefinition", "ws.shop.example", "apiextensions.k8s.io/v1")
    definition["spec"] = {"group": "shop.example", "names": {"kind": "W"}}
    raw = [
        thing("Namespace", "more"),
        config("there", "more"),
        definition,
        thing("W", "w", "shop.example/v1"),
        config("c"),
    ]
    server = _server()
    what = _plan(server, *raw)
    assert sorted(server.asked) == ["c", "more", "ws.shop.example"]
    assert len(what.steps(models.Action.CREATE)) == 5


def test_a_webhook_that_cannot_be_asked_leaves_the_manifest_to_say() -> None:
    """It is no reason to refuse."""
    error = errors.InputError('admission webhook "x" does not support dry run')
    server = _server(settings=error)
    server.objects[key("ConfigMap", "settings")] = config(a="1")
    what = _plan(server, config(a="2"))
    (step,) = what.steps(models.Action.CHANGE)
    assert (what.refusals, step.fields) == ((), ("/data/a", "/metadata/labels"))


def test_a_server_that_does_not_answer_makes_the_whole_plan_unknown() -> None:
    """It is no plan at all."""
    with pytest.raises(errors.UnreachableError):
        _plan(_server(c=errors.UnreachableError("gone")), config("c"))


def test_what_runs_nothing_is_not_asked() -> None:
    """A directory has no mind of its own."""
    server = _Server()
    live = models.Live(objects={})
    assert trying.tried(server, [config()], live) is live
    assert server.asked == []


def test_a_dry_run_that_changes_nothing_is_no_step() -> None:
    """However differently the manifest and the server write it."""
    kept = {**config(a="1"), "status": {"x": 1}}
    kept["metadata"] = {**kept["metadata"], "resourceVersion": "7", "uid": "u"}
    after = {**kept, "status": {"x": 2}, "metadata": {**kept["metadata"], "resourceVersion": "8", "managedFields": []}}
    object_key = ObjectKey.of(kept)
    live = models.Live(objects={object_key: kept}, exact=False, trials={object_key: models.Trial(after=after)})
    asked = request(config(a="one, as people write it"))
    assert plan.plan(asked, live).steps(models.Action.CHANGE) == ()
