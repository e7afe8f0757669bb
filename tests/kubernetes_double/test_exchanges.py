"""What a real 1.36.2 server was recorded to answer, the double answers too; also with other names and values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes_double.asking import KINDS, Asker, Said, steady
from tests.support import kubernetes_double

_EXCHANGES = sorted(Path(__file__).with_name("exchanges").glob("*.json"))
_MANAGER = "kube-controller-manager"
_REVISION = "deployment.kubernetes.io/revision"
# Everything in the recordings that a writer chose, and something else in its place.
_OTHERS = {
    r"\brec\b": "pay-7",
    r"\bweb\b": "ledger",
    r"\blockstep\b": "syncer",
    r"\bsomebody\b": "rival",
    r"registry\.example": "hub.example",
    r"\bcm-(?=\d)": "conf-",
    r"shop\.example": "toys.example",
    r"\bwidget": "gadget",
    r"\bWidget": "Gadget",
    r"\breader\b": "auditor",
    r"\breplicaz\b": "replicazz",
    r'"1000m"': '"3000m"',
    r'("requests": \{\s*"cpu": )"1"': r'\1"3"',
    r"\b80\b": "8080",
    r'("terminationGracePeriodSeconds": )7': r"\g<1>9",
    r'("replicas": )5': r"\g<1>8",
    r"\bhand\b": "palm",
}


def _recorded(renamed: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in _EXCHANGES:
        text = file.read_text()
        for pattern, other in _OTHERS.items() if renamed else ():
            text = re.sub(pattern, other, text)
        yield file.stem, json.loads(text)


class _Replay:
    """Sends what was sent, in order, and does what the controllers of the recorded cluster did in between."""

    def __init__(self, double: kubernetes_double.Double, exchanges: dict[str, dict[str, Any]]) -> None:
        self._double = double
        self._asker = Asker(double)
        self._nobody = Asker(double, user="nobody")
        self._nobody.client.headers.pop("Authorization")
        self._exchanges = exchanges
        self._continue = ""

    def close(self) -> None:
        self._asker.close()
        self._nobody.close()

    def said(self, name: str) -> Said:
        """The answer to one recorded request."""
        request = self._exchanges[name]["request"]
        if name == "39-watch-stream":
            return self._watched(request)
        path = self._path(request["path"])
        if "watch=1" in path:
            return Said(status=200, body=self._asker.lines(path), headers={})
        asker = self._nobody if "anonymous" in name else self._asker
        kind = request.get("headers", {}).get("Content-Type", "")
        word = next((word for word, known in KINDS.items() if known == kind), request["method"])
        answer = asker.ask(word, path, request["body"], headers=_as_recorded(request))
        if name == "32-list-page-1":
            self._continue = answer.body["metadata"]["continue"]
        return answer

    def _path(self, path: str) -> str:
        """A token is good only where it was given, and nobody waits for six seconds."""
        path = re.sub(r"continue=ey\w+", f"continue={self._continue}", path)
        return re.sub(r"timeoutSeconds=\d+", "timeoutSeconds=1", path)

    def _watched(self, request: dict[str, Any]) -> Said:
        """A watch from before a ConfigMap was made, changed and deleted."""
        where = request["path"].partition("?")[0]
        revision = self._asker.ask("GET", f"{where}?limit=1").body["metadata"]["resourceVersion"]
        agent = {"User-Agent": "python-httpx/0"}
        self._asker.ask("POST", where, {"metadata": {"name": "w"}, "data": {"k": "1"}}, headers=agent)
        self._asker.ask("MERGE", f"{where}/w", {"data": {"k": "2"}}, headers=agent)
        self._asker.ask("DELETE", f"{where}/w")
        lines = self._asker.lines(
            self._path(request["path"]).replace("resourceVersion=RV", f"resourceVersion={revision}")
        )
        return Said(status=200, body=lines, headers={})

    def controllers(self, name: str) -> None:
        """What was done between the recorded requests, by others."""
        deeds: dict[str, Callable[[], None]] = {
            "10-create-namespace-again-conflict": self._fill_namespace,
            "12-apply-same": self._count_revision,
            "28-unauthorised": self._make_config_maps,
            "49-replica-sets-owned": self._make_replica_sets,
            "53-rbac-role": self._fill_namespace,
            "59-self-subject-rules-review": self._show_issuer,
        }
        deeds.get(name, lambda: None)()

    def _fill_namespace(self) -> None:
        """Every namespace is given certificates, by a controller of the recorded cluster."""
        made = self._exchanges["55-impersonated-allowed"]["response"]["body"]["items"]
        for item in sorted(made, key=lambda one: one["metadata"]["name"], reverse=True):
            self._make("/api/v1/namespaces/{namespace}/configmaps", item)

    def _count_revision(self) -> None:
        """A Deployment is annotated with its revision, as part of its status."""
        where = self._exchanges["13-get-live"]["request"]["path"]
        patch = {"metadata": {"annotations": {_REVISION: "1"}}}
        assert self._asker.ask("MERGE", f"{where}/status?fieldManager={_MANAGER}", patch).status == 200

    def _show_issuer(self) -> None:
        """The recorded cluster has a role of its own that shows everybody who issues its tokens."""
        rules = [{"verbs": ["get"], "nonResourceURLs": ["/.well-known", "/.well-known/*"]}]
        role = {"metadata": {"name": "issuer"}, "rules": rules}
        subjects = [{"kind": "Group", "name": "system:authenticated"}]
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "issuer"}
        binding = {"metadata": {"name": "issuer"}, "roleRef": reference, "subjects": subjects}
        for plural, body in (("clusterroles", role), ("clusterrolebindings", binding)):
            assert self._asker.ask("POST", f"/apis/rbac.authorization.k8s.io/v1/{plural}", body).status == 201

    def _make_config_maps(self) -> None:
        """Something to list: the recording has it already."""
        for item in self._exchanges["34-list-from-watch-cache"]["response"]["body"]["items"]:
            if not item["metadata"].get("annotations"):
                self._make("/api/v1/namespaces/{namespace}/configmaps", item)

    def _make_replica_sets(self) -> None:
        for item in self._exchanges["49-replica-sets-owned"]["response"]["body"]["items"]:
            self._make("/apis/apps/v1/namespaces/{namespace}/replicasets", item)

    def _make(self, collection: str, item: dict[str, Any]) -> None:
        metadata = item["metadata"]
        kept = {key: one for key, one in metadata.items() if key not in {"managedFields", "resourceVersion", "uid"}}
        manager = metadata["managedFields"][0]["manager"]
        where = collection.format(namespace=metadata["namespace"])
        made = self._asker.ask("POST", f"{where}?fieldManager={manager}", item | {"metadata": kept})
        assert made.status == 201, made


def _as_recorded(request: dict[str, Any]) -> dict[str, str]:
    """The headers of the recording; whoever sent no content type sent none of ours either."""
    return {"User-Agent": "python-httpx/0", **request.get("headers", {})}


@pytest.fixture(params=[False, True], ids=["as recorded", "renamed"])
def replay(request: pytest.FixtureRequest, double: kubernetes_double.Double) -> Iterator[_Replay]:
    """The recording, and once more with everything named otherwise."""
    made = _Replay(double, dict(_recorded(request.param)))
    yield made
    made.close()


def test_every_recorded_request_is_answered_as_the_real_server_answered(
    replay: _Replay, double: kubernetes_double.Double
) -> None:
    """Status, reason and body, but for what differs from run to run and what controllers have written."""
    wrong = []
    for name in replay._exchanges:
        replay.controllers(name)
        if name == "42-crd-apply":
            with double.background.held():
                answers = [
                    (name, replay.said(name)),
                    ("43-cr-before-established", replay.said("43-cr-before-established")),
                ]
        elif name == "43-cr-before-established":
            _wait_until_established(double)
            continue
        else:
            answers = [(name, replay.said(name))]
        for which, answer in answers:
            wrong += [f"{which}: {one}" for one in _differences(which, answer, replay._exchanges[which]["response"])]
    assert not wrong, "\n".join(wrong)


def _wait_until_established(double: kubernetes_double.Double) -> None:
    with double.store.changed:
        bucket = ("apiextensions.k8s.io", "customresourcedefinitions")
        assert double.store.changed.wait_for(
            lambda: all((one.get("status") or {}).get("conditions") for _, one in double.store.listed(bucket)), 10
        )


def _differences(name: str, answer: Said, recorded: dict[str, Any]) -> Iterator[str]:
    if answer.status != recorded["status"]:
        yield f"{recorded['status']} is answered {answer.status}: {answer.body}"
        return
    if name in _LOOSE:
        yield from _LOOSE[name](answer.body, recorded["body"])
        return
    kind = recorded.get("headers", {}).get("content-type")
    if kind and answer.headers["content-type"] != kind:
        yield f"the content type is {answer.headers['content-type']}"
    ours, theirs = (_comparable(body) for body in (answer.body, recorded.get("body", recorded.get("lines"))))
    if ours != theirs:
        yield from _paths(ours, theirs, "")


def _paths(ours: Any, theirs: Any, at: str) -> Iterator[str]:
    """Where two bodies differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            yield from _paths(ours.get(key, "nothing"), theirs.get(key, "nothing"), f"{at}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from _paths(*pair, f"{at}[{index}]")
    elif ours != theirs:
        yield f"{at} is {ours!r} and was {theirs!r}"


def _comparable(body: Any) -> Any:
    """A body without what controllers have written into it, and with what is counted blanked out."""
    if isinstance(body, list):
        kept = [one for one in body if one["type"] != "BOOKMARK" or one["object"]["metadata"].get("annotations")]
        return [{"type": one["type"], "object": _comparable(one["object"])} for one in kept]
    if not isinstance(body, dict):
        return body
    if "items" in body:
        return {**steady(body), "items": [_comparable(one) for one in body["items"]]}
    shown = steady(_without_controllers(body))
    if shown.get("kind") == "SelfSubjectRulesReview":
        shown["status"]["nonResourceRules"].sort(key=str)
    if shown.get("kind") == "Status":
        shown["message"] = re.sub(r"current: \d+", "current: *", shown["message"])
    return shown


def _without_controllers(body: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(body.get("metadata") or {})
    annotations = {key: one for key, one in (metadata.pop("annotations", None) or {}).items() if key != _REVISION}
    managed = [
        one for one in metadata.pop("managedFields", ()) if one["manager"] != _MANAGER or "status" not in str(one)
    ]
    made = {
        **body,
        "metadata": metadata | ({"annotations": annotations} if annotations else {}) | {"managedFields": managed},
    }
    if body.get("kind") in {"Deployment", None} and "status" in body and "spec" in body:
        del made["status"]
    if metadata.get("ownerReferences"):
        del made["metadata"]["generation"]  # it was scaled, nobody knows how often
    return made


def _same_version(ours: Any, theirs: Any) -> Iterator[str]:
    for key in theirs:
        if key != "gitCommit" and ours.get(key) != theirs[key]:
            yield f"{key} is {ours.get(key)}"


def _same_but_address(ours: Any, theirs: Any) -> Iterator[str]:
    if [ours[key] for key in ("kind", "versions")] != [theirs[key] for key in ("kind", "versions")]:
        yield f"{ours}"


def _every_group_described(ours: Any, theirs: Any) -> Iterator[str]:
    """The description of each group is found; those of the paths around them are not made."""
    for path in theirs["paths"]:
        described = "serverRelativeURL" in ours["paths"].get(path, {})
        if not described and (path == "api/v1" or (path.startswith("apis/") and path.count("/") == 2)):
            yield f"{path} is not described"


_LOOSE: dict[str, Callable[[Any, Any], Iterator[str]]] = {
    "01-version": _same_version,
    "02-api-versions": _same_but_address,
    "08-openapi-v3-index": _every_group_described,
}
