"""Which registries pull secrets are for: hosts, and nothing else of them."""

from __future__ import annotations

import base64
import json

import pytest

from drift import inventory, pulling
from lockstep.sites import ends
from lockstep.sites.registry.credentials import Credential, PullSecret
from lockstep.values import Json
from tests.drift import golden
from tests.support import drifting

ENTRY = {"auth": base64.b64encode(b"kim:hush").decode()}


def secret(value: Json, *, old: bool = False) -> dict[str, Json]:
    """A pull secret; ``old`` is the form before there was a config.json."""
    kind, key = ("dockercfg", ".dockercfg") if old else ("dockerconfigjson", ".dockerconfigjson")
    text = value if isinstance(value, str) else json.dumps(value)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": f"kubernetes.io/{kind}",
        "metadata": {"name": "pull", "namespace": "pay"},
        "data": {key: base64.b64encode(text.encode()).decode()},
    }


@pytest.mark.parametrize(
    ("manifest", "hosts"),
    [
        (secret({"auths": {"registry.example:5000": ENTRY, "https://b.example/v2/": {}}}),
         ("b.example", "registry.example:5000")),
        (secret({"a.example": ENTRY}, old=True), ("a.example",)),
        (secret({"auths": []}), ()),
        (secret([]), ()),
        (secret("{"), ()),
        (secret({"auths": {"//[": ENTRY}}), ("",)),
        ({**secret({}), "data": {".dockerconfigjson": "%"}}, ()),
        ({**secret({}), "data": None}, ()),
    ],
)  # fmt: skip
def test_a_pull_secret_is_for_the_hosts_that_it_names(manifest: dict[str, Json], hosts: tuple[str, ...]) -> None:
    """What cannot be read is for none."""
    (found,) = pulling.of_manifests([manifest])
    assert (found.namespace, found.name, found.hosts) == ("pay", "pull", hosts)


def test_another_secret_is_none_and_a_reading_keeps_no_value() -> None:
    """The values are sealed all the same."""
    assert not list(pulling.of_manifests([{**secret({}), "type": "Opaque"}]))
    inventory_ = ends.Inventory(objects=(secret({"auths": {"a.example": ENTRY}}),), read_at=drifting.NOW, method="list")
    read = inventory.index(inventory_, site="sejong", sealer=golden.SEALER)
    assert "hush" not in repr(read)
    assert ENTRY["auth"] not in repr(read)
    assert read.pull_secrets[0].hosts == ("a.example",)


def test_a_pull_secret_opens_its_own_registry_and_runs_no_program() -> None:
    """Whoever may write a Secret may not name a credential helper that is run here."""
    data = secret({"auths": {"a.example": ENTRY}, "credsStore": "evil", "credHelpers": {"b.example": "evil"}})["data"]
    assert PullSecret(data=data, host="a.example")() == Credential(username="kim", password="hush")
    assert PullSecret(data=data, host="b.example")() is None
    assert PullSecret(data=secret({"a.example": ENTRY}, old=True)["data"], host="a.example")() is not None
