"""The double and a real server are sent the same requests: where they differ, the double is wrong."""

from __future__ import annotations

import difflib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drift.mutation import described, filling
from tests.kubernetes_double.asking import Asker, Said, steady
from tests.kubernetes_double.scenarios import Scenario, Step, applying, asking_and_rights, custom, kinds, refusals
from tests.support import apiserver, kubernetes_double
from tests.support.kubernetes_double import gathering, openapi

_ASSETS = Path(os.environ.get("KUBEBUILDER_ASSETS") or "/nonexistent")
_SCENARIOS = [
    scenario for module in (applying, asking_and_rights, custom, kinds, refusals) for scenario in module.SCENARIOS
]
_PATIENCE = 30.0
# What Go says of its own types and of its readers, or what counts revisions: nobody reads it.
_GO = (
    (re.compile(r"\n@@.*", re.DOTALL), ""),
    (re.compile(r"Invalid value: [{\[].*?[}\]]+: "), "Invalid value: *: "),
    (re.compile(r"(json: cannot unmarshal|error decoding YAML:).*", re.DOTALL), r"\1 *"),
    (re.compile(r"(Available representations:).*"), r"\1 *"),
    (re.compile(r"supported values: .*?(?=, spec\.|, roleRef\.|\]$|$)"), "supported values: *"),
    (re.compile(r"resourceVersion=\d+|current: \d+"), "revision"),
)

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.needs("openssl"),
    pytest.mark.skipif(not apiserver.is_there(_ASSETS), reason="KUBEBUILDER_ASSETS names no real server"),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apiserver.Server]:
    """A real server, for all of them."""
    with apiserver.started(_ASSETS, tmp_path_factory.mktemp("real")) as running:
        yield running


@pytest.mark.parametrize("scenario", _SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_double_answers_as_the_real_server_does(
    scenario: Scenario, real: apiserver.Server, double: kubernetes_double.Double
) -> None:
    """Status, reason, and every field of the body that is not different from run to run."""
    name = f"n{uuid.uuid4().hex[:7]}"
    steps = scenario(name)
    theirs, ours = (_answers(server, steps) for server in (real, double))
    found = [_difference(*three) for three in zip(steps, theirs, ours, strict=True)]
    assert not any(found), "\n".join(one for one in found if one)


def test_the_facts_are_those_of_the_real_server(real: apiserver.Server) -> None:
    """Kinds, verbs, fields and keys of lists are as it describes them; what only Go's types say is left out."""
    admin = apiserver.Admin(real)
    described, kinds = gathering.gathered(admin, {})
    admin.close()
    types, resources = (json.loads((gathering.FACTS / f"{name}.json").read_text()) for name in ("types", "resources"))
    assert _described(types) == _described(described)
    assert resources == [one for one in kinds if not one["group"].endswith(".example")]  # what scenarios define


def _described(types: dict[str, Any]) -> dict[str, Any]:
    of_go = {"shown", "pointers"}
    return {name: {key: one for key, one in facts.items() if key not in of_go} for name, facts in types.items()}


def _answers(server: apiserver.Server, steps: list[Step]) -> list[Said]:
    asker = Asker(server)
    try:
        return [_answer(asker, step) for step in steps]
    finally:
        asker.close()


def _answer(asker: Asker, step: Step) -> Said:
    until = time.monotonic() + _PATIENCE
    while True:
        answer = asker.ask(step.method, step.path, step.body, headers=step.headers)
        if not step.until or answer.status == step.until or time.monotonic() > until:
            return answer


def _difference(step: Step, theirs: Said, ours: Said) -> str:
    shown = [_shown(answer) for answer in (theirs, ours)]
    if shown[0] == shown[1]:
        return ""
    theirs_lines, our_lines = (text.splitlines() for text in shown)
    lines = difflib.unified_diff(theirs_lines, our_lines, "real", "double", lineterm="", n=1)
    return f"{step.method} {step.path} {json.dumps(step.body)[:200]}\n" + "\n".join(lines)


def _shown(answer: Said) -> str:
    body = steady(answer.body)
    if isinstance(body, dict):
        body = _plain(body)
    return json.dumps({"status": answer.status, "body": body}, indent=1, sort_keys=True)


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("kind") == "Status" and body.get("status") == "Failure":
        body["message"] = _without_go(body["message"])
        for cause in (body.get("details") or {}).get("causes", ()):
            cause["message"] = _without_go(cause["message"])
        causes = (body.get("details") or {}).get("causes", [])
        causes.sort(key=lambda one: json.dumps(one, sort_keys=True))
        if len(causes) > 1:
            body["message"] = body["message"].partition("is invalid:")[0]  # the rest are the causes, in some order
    if "groups" in body:
        body.pop("groups")  # what other scenarios have defined is there too
    if body.get("kind", "").endswith("Review"):
        body.pop("metadata")
        body["status"].pop("nonResourceRules", None)  # some distributions show more paths to everybody
    _drop_distribution(body)
    return body


def _drop_distribution(value: Any) -> None:
    """Some distributions give Pods one more certificate."""
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _drop_distribution(one)
    if isinstance(value, dict) and isinstance(value.get("sources"), list):
        value["sources"] = [one for one in value["sources"] if "openshift" not in json.dumps(one)]
    for name, one in value.items() if isinstance(value, dict) else ():
        if isinstance(one, str) and one.startswith("kube-api-access-"):
            value[name] = "kube-api-access-*"


def _without_go(message: str) -> str:
    for pattern, other in _GO:
        message = pattern.sub(other, message)
    return message


def test_the_double_describes_every_field_as_the_real_server_does(real: apiserver.Server) -> None:
    """Every kind that is served, with every place in it and what each is: what is tried of one is tried of both."""
    admin = apiserver.Admin(real)
    theirs = described.served(admin.get)
    admin.close()
    ours = described.served(openapi.told)
    assert [kind.title for kind in ours.kinds] == [kind.title for kind in theirs.kinds]
    assert (ours.excluded, ours.undescribed) == (theirs.excluded, theirs.undescribed)
    for one, other in zip(ours.kinds, theirs.kinds, strict=True):
        assert {(place.path, place.what) for place in one.whole[1] if not _is_keyed(place.path)} == {
            (place.path, place.what) for place in other.whole[1] if not _is_keyed(place.path)
        }, one.title


def _is_keyed(path: filling.Path) -> bool:
    """Whether a place is under a key that was made up, by the number that it had in the order of the schema."""
    return any(isinstance(step, str) and step.startswith(("key-", "odd.example/")) for step in path)
