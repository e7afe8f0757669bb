"""Who set a field: what the server wrote down, and nothing that it did not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import causes, redact
from drift.align import Into, Step
from lockstep.store.database import Database
from lockstep.values import Json
from tests.drift import world
from tests.drift.world import PAIR, World


def steps(*names: str) -> tuple[Step, ...]:
    """A path: ``[web]`` is an entry, ``#`` goes into a text, ``~`` into an order, anything else is a key."""
    return tuple(
        Step(name=name, into=Into.TEXT if name == "#" else Into.ORDER)
        if name in ("#", "~")
        else Step(name=name[1:-1], into=Into.ENTRY, index=0)
        if name.startswith("[")
        else Step(name=name)
        for name in names
    )


def entry(manager: str, time: str, fields: Json, **more: Json) -> dict[str, Json]:
    """An entry of managedFields."""
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields, **more}


def live(*entries: Json) -> dict[str, Json]:
    """A live object."""
    return {"metadata": {"managedFields": list(entries), "creationTimestamp": "2026-01-01T00:00:00Z"}}


CONTAINER: Json = {
    "f:spec": {
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"web"}': {
                        ".": {},
                        "f:image": {},
                        "f:args": {},
                        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                    }
                }
            }
        }
    }
}
INSIDE = ("spec", "template", "spec", "containers", "[web]")


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ((*INSIDE, "image"), True),
        ((*INSIDE, "args", "[0]"), True),
        ((*INSIDE, "args"), True),
        ((*INSIDE, "ports", "[80/TCP]", "containerPort"), True),
        ((*INSIDE, "ports", "[81/TCP]", "containerPort"), False),
        ((*INSIDE, "ports", "[80/TCP]", "hostPort"), False),
        (INSIDE, True),
        ((*INSIDE, "env", "[A]"), False),
        (("spec", "replicas"), False),
    ],
)
def test_a_field_belongs_to_whom_the_server_says(path: tuple[str, ...], known: bool) -> None:
    """Entries are found by their keys; a list that the server does not look into belongs to its manager whole."""
    found = causes.of_field(live(entry("kubectl-edit", "2026-11-22T09:00:00Z", CONTAINER)), steps(*path))
    wanted = {"by": "kubectl-edit", "kind": "Update", "at": "2026-11-22T09:00:00Z"}
    assert found == (wanted if known else {})


def test_the_order_of_a_list_belongs_to_nobody_who_owns_its_entries() -> None:
    """Who turned it round wrote none of them, and the server keeps no trace; a list that is one whole has an owner."""
    applied = live(entry("lockstep", "2026-11-22T09:00:00Z", CONTAINER, operation="Apply"))
    assert causes.of_field(applied, steps("spec", "template", "spec", "containers", "~")) == causes.NOBODY
    assert causes.of_field(applied, steps(*INSIDE, "ports", "~")) == causes.NOBODY
    assert causes.of_field(applied, steps(*INSIDE, "args", "~"))["by"] == "lockstep"


def test_the_last_who_spoke_is_named() -> None:
    """Of several managers of one field; a status is nobody's field."""
    fields: Json = {"f:data": {"f:app.yaml": {}}}
    found = causes.of_field(
        live(
            entry("first", "2026-01-01T00:00:00Z", fields),
            entry("last", "2026-02-01T00:00:00Z", fields),
            entry("controller", "2026-03-01T00:00:00Z", fields, subresource="status"),
        ),
        steps("data", "app.yaml", "#", "db", "host"),
    )
    assert found["by"] == "last"


def test_an_object_was_made_by_whom_spoke_first() -> None:
    """At the moment that the server noted."""
    made = live(entry("last", "2026-02-01T00:00:00Z", {}), entry("first", "2026-01-01T00:00:05Z", {}))
    assert causes.of_object(made) == {"by": "first", "kind": "Update", "at": "2026-01-01T00:00:00Z"}
    assert causes.of_object({"metadata": {}}) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("k:{"), inner, max_size=3),
)


@given(JSON, st.lists(st.text(max_size=5), max_size=4))
def test_whatever_stands_there_nothing_falls(managed: Json, path: list[str]) -> None:
    """Notes of a broken server say nothing."""
    manifest = {"metadata": {"managedFields": managed}}
    assert isinstance(causes.of_field(manifest, steps(*path)), Mapping)
    assert isinstance(causes.of_object(manifest), Mapping)
    assert isinstance(causes.of_field(live(entry("a", "b", managed)), steps(*path)), Mapping)


def test_a_finding_says_who_changed_it(tmp_path: Path, file_database: Database) -> None:
    """From the object as it lives at the site that deviates; what git deployed is nobody's change."""
    shop = World.make(tmp_path, file_database)
    shop.commit("a", world.deployment(), world.config(mode="live"))
    shop.deploy("seoul")
    shop.deploy("sejong")

    def edit(manifest: dict[str, Json]) -> None:
        manifest["spec"]["paused"] = True
        fields: Json = {"f:spec": {"f:paused": {}}}
        manifest["metadata"]["managedFields"] = [entry("kubectl-edit", "2026-11-22T09:00:00Z", fields)]

    shop.edit("sejong", "Deployment", "web", edit)
    shop.scan(PAIR)
    (found,) = shop.findings()
    assert (found.path, found.cause) == (
        "/spec/paused",
        {"by": "kubectl-edit", "kind": "Update", "at": "2026-11-22T09:00:00Z"},
    )


def test_a_sealed_secret_keeps_its_notes() -> None:
    """They name keys, never values."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "data": {"a": "YQ=="},
        **live(entry("m", "t", {"f:data": {"f:a": {}}})),
    }
    sealed = redact.Sealer(b"a key of this installation").seal(secret)
    assert causes.of_field(sealed, steps("data", "a"))["by"] == "m"
