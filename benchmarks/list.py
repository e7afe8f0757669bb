"""Listing 20,000 objects from 2 clusters, beside a bare HTTP client plus orjson in a process of its own.

Both read the same lists with the same page size, unpack and parse them, and keep the objects. The door discovers
what the server serves first, checks every page, takes ``managedFields`` out, and is bounded in every way. It holds the
garbage collector off while it parses; the bare client does not, so a third row shows it without any collector.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import _listing, _servers
from lockstep.values import Json
from tests.support import apiserver

_EACH = {"ConfigMap": 4000, "Secret": 2000, "Deployment": 4000}
_TIMES = 5
_TITLES = {"bare": "bare", "still": "bare, no collector", "door": "door"}


def run() -> None:
    """Print seconds, seconds of CPU and peak memory of both, and how many times longer the door took."""
    if not _servers.are_there():
        return
    with tempfile.TemporaryDirectory() as directory, _servers.started(Path(directory), 2) as servers:
        for server in servers:
            _fill(server)
        kubeconfigs = [str(server.kubeconfig()) for server in servers]
        found: dict[str, list[dict[str, float]]] = {"bare": [], "still": [], "door": []}
        for _ in range(_TIMES):
            # They take turns, so that what else the machine does hurts both.
            for who, runs in found.items():
                runs.append(_measured(who, kubeconfigs))
    print(f"{sum(_EACH.values()) * 2} objects, 2 clusters{'seconds':>12}{'cpu':>8}{'peak MiB':>10}")
    for who, runs in found.items():
        print(
            f"{_TITLES[who]:25}{_median(runs, 'seconds'):13.2f}{_median(runs, 'cpu'):8.2f}{_median(runs, 'peak'):10.0f}"
        )
    for peer in ("bare", "still"):
        ratios = [_median(found["door"], name) / _median(found[peer], name) for name in ("seconds", "cpu")]
        print(f"{f'door / {_TITLES[peer]}':25}{ratios[0]:12.2f}x{ratios[1]:7.2f}x")


def _median(runs: list[dict[str, float]], name: str) -> float:
    return statistics.median(one[name] for one in runs)


def _measured(who: str, kubeconfigs: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks._listing", who, *kubeconfigs]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert found["objects"] == sum(_EACH.values()) * 2, found
    return found


def _fill(server: apiserver.RealServer) -> None:
    admin = apiserver.Admin(server)
    admin.create("/api/v1/namespaces", {"metadata": {"name": _listing.NAMESPACE}})
    paths = {
        kind: f"{root}/namespaces/{_listing.NAMESPACE}/{kind.lower()}s" for (_, kind), root in _listing.KINDS.items()
    }
    made = [(paths[kind], _object(kind, number)) for kind, count in _EACH.items() for number in range(count)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda one: admin.create(*one), made))
    admin.close()


def _object(kind: str, number: int) -> dict[str, Json]:
    metadata = {"name": f"{kind.lower()}-{number}", "labels": {"app": f"app-{number % 50}"}}
    if kind == "ConfigMap":
        return {"metadata": metadata, "data": {f"key-{n}": f"value {number} {n}" * 4 for n in range(10)}}
    if kind == "Secret":
        return {"metadata": metadata, "stringData": {"password": f"{number:064}"}}
    labels = {"app": metadata["name"]}
    env = [{"name": f"NAME_{n}", "value": str(n)} for n in range(10)]
    container = {"name": "main", "image": f"registry.example/app:{number}", "env": env}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"metadata": metadata, "spec": {"selector": {"matchLabels": labels}, "template": template}}
