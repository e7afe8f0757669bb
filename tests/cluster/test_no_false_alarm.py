"""One application, put to one cluster by kubectl and to the other by Lockstep: there is nothing to tell.

And what differs is told of the cluster where it differs: two clusters are read, not one twice.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lockstep.values import Json
from tests.cluster.bench import SITES, Bench, contexts, sites
from tests.support import apiserver, crds, kubectl, living, manykinds

pytestmark = pytest.mark.cluster

# How long a server may take to serve a kind that was defined.
_PATIENCE_SECONDS = 60.0
_NAMED = os.environ.get("LOCKSTEP_TEST_MANIFESTS", "")
# A file of manifests from people's repositories may be a template, or say what is wrong on purpose.
_MANIFESTS = ("*.yaml", "*.yml")


def _differences(bench: Bench) -> list[dict[str, Json]]:
    said = bench.types("drift", "seoul-sejong", "-o", "json")
    found: list[dict[str, Json]] = json.loads(said.out)["differences"]
    assert said.code == (1 if found else 0), found
    return found


def _found(bench: Bench) -> list[tuple[str, str, str, str]]:
    return [(one["verdict"], one["kind"], one["name"], one["path"]) for one in _differences(bench)]


def _put(bench: Bench, server: apiserver.Server, folder: Path, how: str, manifests: list[dict[str, Json]]) -> None:
    """Git has these; kubectl brings them to seoul, and Lockstep to sejong, where nobody plays the controllers."""
    bench.configure(rollout={"deadline": "1s"})
    bench.push(*manifests)
    file = folder / "all.yaml"
    first = [one for one in manifests if one["kind"] in ("Namespace", "CustomResourceDefinition")]
    for some in (first, manifests):
        file.write_text(yaml.safe_dump_all(some), encoding="utf-8")
        _apply(bench, server, file, how)
    said = bench.deploy("--site", "sejong")
    assert "does not run after" in said.err, said


def _apply(bench: Bench, server: apiserver.Server, file: Path, how: str) -> None:
    """Apply a file, as soon as the kinds that were defined just before are served: a server takes its time for that."""
    arguments = ("apply", "-n", bench.namespace, "-f", str(file), how)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            kubectl.runs(*arguments, kubeconfig=server.kubeconfig(), folder=file.parent)
        except kubectl.RefusedError as error:
            if "ensure CRDs are installed first" not in str(error) or time.monotonic() > deadline:
                raise
        else:
            return


@pytest.mark.parametrize("how", ["--server-side=false", "--server-side"])
def test_many_kinds_from_kubectl_and_from_lockstep_are_the_same(
    bench: Bench, server: apiserver.Server, tmp_path: Path, how: str
) -> None:
    """Addresses, ports, tokens, what is injected and what controllers write differ, and nothing is found."""
    _put(bench, server, tmp_path, how, manykinds.manifests(bench.namespace))
    for site in bench.servers:
        _lived(bench, site)
    assert _found(bench) == []
    door = {site: admin.get(bench.path("services", "door")) for site, admin in bench.servers.items()}
    ports = {site: one["spec"]["ports"][0]["nodePort"] for site, one in door.items()}
    assert ports == {site: _port(bench, site) for site in bench.servers}


@pytest.mark.skipif(not _NAMED, reason="LOCKSTEP_TEST_MANIFESTS names no directory of manifests")
def test_manifests_of_ones_own_are_the_same(
    bench: Bench, server: apiserver.Server, other_server: apiserver.Server, tmp_path: Path
) -> None:
    """Whatever the server takes of the manifests in a directory that somebody names, nothing is found in it."""
    home: dict[str, Json] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": bench.namespace}}
    # Of two for one object the last counts, whoever reads them.
    last = {(one["apiVersion"].rpartition("/")[0], one["kind"], _called(one)): one for one in _read(Path(_NAMED))}
    taken = _taken(bench, server, tmp_path, [home, *map(_unwatched, last.values())])
    assert len(taken) > 1
    bench.configure(rollout={"deadline": "1s"}, unmirrored="warn")
    bench.push(*taken)
    said = bench.deploy("--site", "sejong")
    assert "refused" not in said.err, said.err
    plurals = {site: _plurals(admin) for site, admin in bench.servers.items()}
    servers = dict(zip(SITES, (server, other_server), strict=True))
    for site, admin in bench.servers.items():
        paths = (_where(one, plurals[site], bench.namespace) for one in taken)
        living.live(admin, site, paths, authority=_authority(servers[site]))
    assert _found(bench) == []


def _read(folder: Path) -> Iterator[dict[str, Json]]:
    """Every manifest in the files of a directory."""
    for file in sorted(one for pattern in _MANIFESTS for one in folder.rglob(pattern)):
        try:
            found = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        except yaml.YAMLError:
            continue
        for one in found:
            if isinstance(one, dict) and one.get("kind") == "List":
                yield from one["items"]
            elif isinstance(one, dict) and one.get("metadata", {}).get("name") and "apiVersion" in one:
                yield one


def _called(one: dict[str, Json]) -> tuple[str, str]:
    return one["metadata"].get("namespace", ""), one["metadata"]["name"]


def _unwatched(one: dict[str, Json]) -> dict[str, Json]:
    """A webhook lets everything pass: nobody answers it here."""
    if not one["kind"].endswith("WebhookConfiguration"):
        return one
    return {**one, "webhooks": [{**hook, "failurePolicy": "Ignore"} for hook in one.get("webhooks", ())]}


def _taken(
    bench: Bench, server: apiserver.Server, folder: Path, manifests: list[dict[str, Json]]
) -> list[dict[str, Json]]:
    """Bring manifests to seoul, by both ways of kubectl, and say which it took."""
    admin = bench.servers["seoul"]
    first = ("Namespace", "CustomResourceDefinition")
    definitions = [one for one in manifests if one["kind"] in first]
    others = [one for one in manifests if one["kind"] not in first]
    parts = ((definitions, "--server-side"), (others[::2], "--server-side"), (others[1::2], "--server-side=false"))
    for some, by in parts:
        (folder / "all.yaml").write_text(yaml.safe_dump_all(some), encoding="utf-8")
        words = ("apply", "-n", bench.namespace, "-f", str(folder / "all.yaml"), by)
        with contextlib.suppress(kubectl.RefusedError):
            kubectl.runs(*words, kubeconfig=server.kubeconfig(), folder=folder)
        if some is definitions:
            for one in definitions:
                if one["kind"] == "CustomResourceDefinition" and admin.answers(_where(one, _plurals(admin), "")):
                    served = [version for version in one["spec"]["versions"] if version["served"]]
                    crds.wait_established(admin, {**one, "spec": {**one["spec"], "versions": served}})
    plurals = _plurals(admin)
    paths = [(_where(one, plurals, bench.namespace), one) for one in manifests]
    return [one for path, one in paths if path and admin.answers(path)]


def _plurals(admin: apiserver.Admin) -> dict[tuple[str, str], tuple[str, bool]]:
    """What kinds are called in paths, by ``apiVersion`` and kind, and whether they are in a namespace."""
    groups = [version["groupVersion"] for one in admin.get("/apis")["groups"] for version in one["versions"]]
    roots = {group: f"/apis/{group}" if "/" in group else f"/api/{group}" for group in ("v1", *groups)}
    return {
        (group, kind["kind"]): (kind["name"], kind["namespaced"])
        for group, root in roots.items()
        # A group that somebody else has to answer for has nobody here.
        if admin.answers(root)
        for kind in admin.get(root)["resources"]
        if "/" not in kind["name"]
    }


def _where(one: dict[str, Json], plurals: dict[tuple[str, str], tuple[str, bool]], home: str) -> str:
    """The path of an object; empty when its kind is not served."""
    group = one["apiVersion"]
    plural, namespaced = plurals.get((group, one["kind"]), ("", False))
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    where = f"/namespaces/{one['metadata'].get('namespace') or home}" if namespaced else ""
    return f"{root}{where}/{plural}/{one['metadata']['name']}" if plural else ""


def test_what_differs_is_told_of_the_cluster_where_it_differs(
    bench: Bench, server: apiserver.Server, tmp_path: Path
) -> None:
    """Both readers read a cluster of their own; a pair of one cluster under two names is Unknown, and refused."""
    home: dict[str, Json] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": bench.namespace}}
    account: dict[str, Json] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "post"}}
    stock: dict[str, Json] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stock"}}
    bench.push(home, account, {**stock, "spec": {"selector": {"app": "stock"}, "ports": [{"port": 80}]}})
    assert bench.deploy().code == 0
    assert _found(bench) == []
    bench.servers["seoul"].merge(bench.path("services", "stock"), {"spec": {"sessionAffinity": "ClientIP"}})
    (found,) = (one for one in _differences(bench) if one["path"] == "/spec/sessionAffinity")
    assert (found["verdict"], found["site"]) == ("PrimaryHotfix", "seoul")
    assert (found["values"]["primary"], found["values"].get("standby")) == ("ClientIP", "None")
    bench.servers["sejong"].merge(bench.path("serviceaccounts", "post"), {"automountServiceAccountToken": False})
    (found,) = (one for one in _differences(bench) if one["kind"] == "ServiceAccount")
    assert (found["verdict"], found["site"], found["name"]) == ("StandbyDrift", "sejong", "post")
    copied = tmp_path / "copied"
    copied.touch(mode=0o600)
    copied.write_bytes(server.kubeconfig().read_bytes())
    sites(bench.ground.config / "sites.yaml", {"sejong": copied})
    said = bench.types("drift", "seoul-sejong", "-o", "json")
    assert said.code == 2
    assert "It is the cluster of seoul: " in said.out
    file = contexts(tmp_path / "kubeconfig", {"seoul": server, "also-seoul": server})
    said = bench.types("diff", "seoul", "also-seoul", "--kubeconfig", str(file), "-n", bench.namespace)
    assert said.code == 2
    assert "seoul and also-seoul are one cluster" in said.err


def _port(bench: Bench, site: str) -> int:
    return 30000 + 10 * int(bench.namespace.rpartition("-")[2]) + len(site)


def _lived(bench: Bench, site: str) -> None:
    """What controllers, injectors and load balancers leave behind, another way at every site."""
    admin, home = bench.servers[site], f"namespaces/{bench.namespace}"
    token = base64.b64encode(f"token of {site}".encode()).decode()
    admin.merge(
        f"/api/v1/{home}/secrets/ledger-token",
        {
            "metadata": {"annotations": {"kubernetes.io/service-account.uid": f"uid-{site}"}},
            "data": {"token": token, "ca.crt": token, "namespace": "cGF5"},
        },
    )
    ports = admin.get(bench.path("services", "door"))["spec"]["ports"]
    ports[0]["nodePort"] = _port(bench, site)
    admin.merge(bench.path("services", "door"), {"spec": {"ports": ports}})
    hooks = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{bench.namespace}"
    webhooks = admin.get(hooks)["webhooks"]
    webhooks[0]["clientConfig"]["caBundle"] = base64.b64encode(_certificate(site)).decode()
    admin.merge(hooks, {"webhooks": webhooks})
    deployment = f"/apis/apps/v1/{home}/deployments/api"
    admin.merge(deployment, {"metadata": {"annotations": {"deployment.kubernetes.io/revision": str(len(site))}}})
    admin.move(deployment, {"replicas": len(site), "observedGeneration": 1})
    bound = {"pv.kubernetes.io/bind-completed": "yes", "volume.kubernetes.io/selected-node": f"node-{site}"}
    claim = f"/api/v1/{home}/persistentvolumeclaims/files"
    admin.merge(claim, {"metadata": {"annotations": bound}, "spec": {"volumeName": f"pvc-{site}"}})
    admin.move(f"/api/v1/{home}/services/front", {"loadBalancer": {"ingress": [{"ip": f"192.0.2.{len(site)}"}]}})
    admin.create(f"/api/v1/{home}/configmaps", {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": site}})
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "api",
        "uid": admin.get(deployment)["metadata"]["uid"],
        "controller": True,
    }
    pod: Json = {"containers": [{"name": "api", "image": "registry.example/api:1"}], "nodeName": f"node-{site}"}
    metadata: Json = {"name": f"api-{site}", "labels": {"app": "api"}, "ownerReferences": [owner]}
    admin.create(f"/api/v1/{home}/pods", {"metadata": metadata, "spec": {**pod, "serviceAccountName": "ledger"}})


def _certificate(site: str) -> bytes:
    """Something that is written as a certificate is."""
    body = base64.b64encode(site.encode()).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()


def _authority(server: apiserver.Server) -> str:
    """The server's own authority, in base64."""
    config = json.loads(server.kubeconfig().read_text(encoding="utf-8"))
    return str(config["clusters"][0]["cluster"]["certificate-authority-data"])
