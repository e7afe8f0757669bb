"""Applying and deleting on the server's side."""

from __future__ import annotations

import base64

import pytest

from lockstep import errors
from lockstep.sites.ends import Change, Selection
from lockstep.values import Json, ObjectKey
from tests.cluster.conftest import Door
from tests.support import apiserver, crds

pytestmark = pytest.mark.cluster


def _config(namespace: str, name: str = "settings", **data: str) -> dict[str, Json]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def _deployment(namespace: str, **spec: Json) -> dict[str, Json]:
    labels = {"app": "api"}
    template = {
        "metadata": {"labels": labels},
        "spec": {
            "containers": [{"name": "api", "image": "registry.example/api:1", "env": [{"name": "A", "value": "1"}]}]
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": namespace},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def _path(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/api"


def test_an_apply_creates_changes_and_leaves_alone(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """What is as it should be keeps its resourceVersion: nobody who watches it hears a thing."""
    door_ = door()
    assert door_.apply(_deployment(namespace)).change is Change.CREATED
    version = admin.get(_path(namespace))["metadata"]["resourceVersion"]
    assert door_.apply(_deployment(namespace)).change is Change.UNCHANGED
    assert admin.get(_path(namespace))["metadata"]["resourceVersion"] == version
    applied = door_.apply(_deployment(namespace, replicas=3))
    assert (applied.change, applied.object["spec"]["replicas"]) == (Change.CHANGED, 3)
    assert admin.get(_path(namespace))["spec"]["replicas"] == 3


def test_what_a_server_would_make_of_an_object_is_told_and_nothing_is_written(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """Fields of others are taken over in what is told; what cannot be changed any more is told apart."""
    door_ = door()
    door_.apply(_deployment(namespace))
    changed = {"replicas": 7, "template": {"metadata": {"annotations": {"by": "hand"}}}}
    lives = admin.merge(_path(namespace), {"spec": changed})
    found = door_.foresee(_deployment(namespace), seconds=30.0)
    assert found["spec"]["replicas"] == 2
    assert found["spec"]["template"]["metadata"]["annotations"] == {"by": "hand"}
    assert admin.get(_path(namespace))["metadata"]["resourceVersion"] == lives["metadata"]["resourceVersion"]
    other = {"matchLabels": {"app": "other"}}
    fixed = _deployment(namespace, selector=other)
    fixed["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(errors.FixedError):
        door_.foresee(fixed, seconds=30.0)


def test_what_git_no_longer_sets_goes_and_what_others_set_stays(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """Fields belong to those who set them."""
    door_ = door()
    door_.apply(_config(namespace, a="1", b="2"))
    path = f"/api/v1/namespaces/{namespace}/configmaps/settings"
    admin.merge(path, {"data": {"hand": "made"}})
    door_.apply(_config(namespace, a="1"))
    assert admin.get(path)["data"] == {"a": "1", "hand": "made"}


def test_what_was_read_before_spares_a_question_and_the_answer_is_the_same(namespace: str, door: Door) -> None:
    """A deploy has just read everything."""
    door_ = door()
    door_.apply(_config(namespace, a="1"))
    (before,) = door_.read(Selection(namespaces=frozenset({namespace}), kinds=frozenset({("", "ConfigMap")}))).objects
    for dry_run in (True, False):
        assert door_.apply(_config(namespace, a="1"), before=before, dry_run=dry_run).change is Change.UNCHANGED
        assert door_.apply(_config(namespace, a="2"), before=before, dry_run=dry_run).change is Change.CHANGED


def test_a_dry_run_shows_what_would_be_and_writes_nothing(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """The server's defaults are in what it shows."""
    door_ = door()
    shown = door_.apply(_deployment(namespace), dry_run=True)
    assert shown.change is Change.CREATED
    assert shown.object["spec"]["progressDeadlineSeconds"] == 600
    with pytest.raises(AssertionError, match="404"):
        admin.get(_path(namespace))
    door_.apply(_deployment(namespace))
    assert door_.apply(_deployment(namespace), dry_run=True).change is Change.UNCHANGED
    assert door_.apply(_deployment(namespace, replicas=5), dry_run=True).change is Change.CHANGED
    assert admin.get(_path(namespace))["spec"]["replicas"] == 2


def test_a_field_of_somebody_else_is_named_with_its_owner_and_taken_only_when_told(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """The one who set it may have had a reason."""
    door_ = door()
    door_.apply(_deployment(namespace))
    admin.merge(_path(namespace), {"spec": {"replicas": 7}})
    with pytest.raises(errors.OwnedError) as caught:
        door_.apply(_deployment(namespace))
    assert caught.value.owned == (errors.Owned(manager="somebody", field=".spec.replicas"),)
    assert admin.get(_path(namespace))["spec"]["replicas"] == 7
    assert door_.apply(_deployment(namespace), force=True).change is Change.CHANGED
    assert admin.get(_path(namespace))["spec"]["replicas"] == 2


@pytest.mark.parametrize(
    ("spec", "field"),
    [({"replicaz": 3}, ".spec.replicaz"), ({"replicas": "two"}, ".spec.replicas"), ({"replicas": -1}, "spec.replicas")],
)
def test_what_the_server_calls_invalid_is_our_fault_and_names_the_field(
    namespace: str, door: Door, spec: dict[str, Json], field: str
) -> None:
    """Although it answers 500 to some of it: trying again would change nothing."""
    with pytest.raises(errors.InvalidError) as caught:
        door().apply(_deployment(namespace, **spec))
    assert [fault.field for fault in caught.value.faults] == [field]


def test_a_field_that_cannot_change_is_invalid_too(namespace: str, door: Door) -> None:
    """It takes a new object, and a person who says so."""
    door_ = door()
    door_.apply(_deployment(namespace))
    changed = _deployment(namespace, selector={"matchLabels": {"app": "other"}})
    with pytest.raises(errors.InvalidError, match="immutable"):
        door_.apply(changed)


def test_an_object_needs_its_namespace(door: Door) -> None:
    """And the error says which one."""
    with pytest.raises(errors.NotFoundError, match="no namespace nowhere"):
        door().apply(_config("nowhere", a="1"))


def test_the_plain_text_of_a_secret_becomes_its_data(admin: apiserver.Admin, namespace: str, door: Door) -> None:
    """Otherwise a key that git drops would stay at the site for ever."""
    door_ = door()
    secret: dict[str, Json] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys", "namespace": namespace},
        "stringData": {"a": "plain", "b": "gone soon"},
    }
    door_.apply(secret)
    door_.apply({**secret, "stringData": {"a": "plain"}})
    data = admin.get(f"/api/v1/namespaces/{namespace}/secrets/keys")["data"]
    assert {name: base64.b64decode(value) for name, value in data.items()} == {"a": b"plain"}


def test_what_is_wrong_with_a_secret_is_told_without_quoting_it(namespace: str, door: Door) -> None:
    """A message ends in logs, on pages and in reports."""
    secret: dict[str, Json] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys", "namespace": namespace},
        "data": {"password": "hunter2!"},
    }
    with pytest.raises(errors.InputError) as caught:
        door().apply(secret)
    assert "hunter2" not in f"{caught.value} {caught.value.remedy} {getattr(caught.value, 'faults', '')}"


@pytest.mark.parametrize("text", ["\x7f\x85\u2028\ufeff", "a: {b", "\t- x\n...\n---\n", "\U0001f512", "1e3", "~"])
def test_every_text_arrives_as_it_is(admin: apiserver.Admin, namespace: str, door: Door, text: str) -> None:
    """What is applied is read as YAML, which has its own mind about some characters."""
    door().apply(_config(namespace, text=text))
    assert admin.get(f"/api/v1/namespaces/{namespace}/configmaps/settings")["data"] == {"text": text}


def test_a_custom_resource_is_applied_as_soon_as_its_definition_is_established(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """What the server serves is asked again when somebody has just defined more."""
    door_ = door()
    group = f"{namespace}.example"
    widget = {
        "apiVersion": f"{group}/v1",
        "kind": "Widget",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {"size": 1},
    }
    with pytest.raises(errors.NotServedError):
        door_.apply(widget)
    definition = crds.definition(group=group)
    door_.apply(definition)
    crds.wait_established(admin, definition)
    assert door_.apply(widget).change is Change.CREATED
    assert door_.apply(widget).change is Change.UNCHANGED


def test_a_delete_says_whether_anything_was_there(namespace: str, door: Door) -> None:
    """Twice is no error."""
    door_ = door()
    door_.apply(_config(namespace, a="1"))
    key = ObjectKey.of(_config(namespace))
    assert door_.delete(key, api_version="v1")
    assert not door_.delete(key, api_version="v1")
    assert door_.get(key, api_version="v1") is None


def test_a_delete_spares_what_only_has_the_same_name(namespace: str, door: Door) -> None:
    """Between our look and our write somebody made a new one."""
    door_ = door()
    uid = door_.apply(_config(namespace, a="1")).object["metadata"]["uid"]
    key = ObjectKey.of(_config(namespace))
    door_.delete(key, api_version="v1")
    door_.apply(_config(namespace, a="2"))
    with pytest.raises(errors.ConflictError):
        door_.delete(key, api_version="v1", uid=uid)
    assert door_.get(key, api_version="v1") is not None


def test_without_the_right_to_patch_nothing_is_applied(namespace: str, door: Door) -> None:
    """The error names the right, so that its owner can be asked for it."""
    with pytest.raises(errors.ForbiddenError) as caught:
        door(user="nobody").apply(_config(namespace, a="1"), before={})
    assert caught.value.right == errors.Right(verb="patch", resource="configmaps", namespace=namespace, name="settings")


def test_what_the_server_warns_of_is_handed_on(namespace: str, door: Door) -> None:
    """It says what will stop working one day."""
    annotation = "container.apparmor.security.beta.kubernetes.io/api"
    pod: dict[str, Json] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "api", "namespace": namespace, "annotations": {annotation: "runtime/default"}},
        "spec": {"containers": [{"name": "api", "image": "registry.example/api:1"}]},
    }  # fmt: skip
    assert any("apparmor" in warning for warning in door().apply(pod, dry_run=True).warnings)


def test_an_object_whose_owners_were_forgotten_is_read_and_said_to_belong_to_others(
    admin: apiserver.Admin, namespace: str, door: Door
) -> None:
    """Somebody cleared ``managedFields``, as Kubernetes lets them: what stands there is nobody's in particular then."""
    door_ = door()
    door_.apply(_config(namespace, a="1", b="2"))
    path = f"/api/v1/namespaces/{namespace}/configmaps/settings"
    admin.merge(path, {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in admin.get(path)["metadata"]
    key = ObjectKey.of(_config(namespace))
    alone = door_.get(key, api_version="v1")
    assert alone is not None
    selection = Selection(namespaces=frozenset({namespace}), kinds=frozenset({("", "ConfigMap")}))
    assert [one["data"] for one in door_.read(selection).objects] == [{"a": "1", "b": "2"}]
    with pytest.raises(errors.OwnedError, match="before-first-apply"):
        door_.apply(_config(namespace, a="3"), before=alone)
    assert door_.apply(_config(namespace, a="3"), before=alone, force=True).change is Change.CHANGED
    assert admin.get(path)["data"] == {"a": "3", "b": "2"}
