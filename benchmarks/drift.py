"""Comparing two sites on disk three ways, beside reading and parsing the same bytes and doing nothing with them.

Each contestant is a process of its own, so that its memory and its time are its own. The peer reads every file and
parses it (PyYAML's C loader for manifests, orjson for dumps): what any comparison has to do at least. Lockstep
refuses what is no object of its place, seals Secrets, brings all four sides to their normal form, and judges what
differs. Times are of the processor: what else the machine does is not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import orjson
import yaml

from benchmarks import _drift_change, _drift_objects, _drift_served, _listing
from drift import inventory, older, packed, redact, survey
from drift.examine import Examiner
from drift.expected import Rules
from drift.implied import SiteFacts
from drift.judging import Context
from drift.memory import Memory
from drift.normalise import collect
from lockstep import documents
from lockstep.clock import SystemClock
from lockstep.sites import ends
from lockstep.sites.backup import BackupCluster
from lockstep.sites.directory import DirectoryCluster
from lockstep.values import Json

_SITES = _drift_objects.SITES
_MANIFESTS, _DUMP = "manifests", "dump"
_CASES = ((_MANIFESTS, 1_000), (_MANIFESTS, 10_000), (_DUMP, 10_000))
# How it grows; writing the files alone takes minutes.
_LARGE_CASES = ((_DUMP, 50_000), (_MANIFESTS, 50_000))
_SEALER = redact.Sealer(b"a key of this benchmark")


def run() -> None:
    """Print tables: sites on disk, clusters over HTTP, one change among many. ``BENCH_SIZE=full``: large ones too."""
    full = os.environ.get("BENCH_SIZE") == "full"
    _on_disk((*_CASES, *_LARGE_CASES) if full else _CASES)
    _drift_served.run()
    _drift_change.run((2_000, 20_000, 200_000) if full else (2_000, 20_000))


def _on_disk(cases: Sequence[tuple[str, int]]) -> None:
    """Seconds of both, the ratio, megabytes, and what was found."""
    columns = (
        "",
        "objects a site",
        "KiB each",
        "parsed only",
        "whole scan",
        "ratio",
        "again",
        "objects/s",
        "peak MiB",
        "found",
    )
    print("".join(f"{name:>15}" for name in columns))
    for form, size in cases:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            written = sum(_write(root, site, form, size) for site in _SITES)
            (root / "size").write_text(str(size))
            peer, ours = _child("peer", root, form), _child("ours", root, form)
        row = (
            form,
            f"{size:,}",
            f"{written / size / len(_SITES) / 1024:.1f}",
            f"{peer['cold']:.2f} s",
            f"{ours['cold']:.2f} s",
            f"{ours['cold'] / peer['cold']:.2f}",
            f"{ours['again']:.2f} s",
            f"{len(_SITES) * size / ours['cold']:,.0f}",
            f"{ours['peak']:.0f}",
            f"{ours['found']}",
        )
        print("".join(f"{cell:>15}" for cell in row))


def _child(who: str, root: Path, form: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.drift", who, str(root), form]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _write(root: Path, site: str, form: str, size: int) -> int:
    """A site as large as asked for; at the second one every thousandth object is another. The bytes written."""
    manifests = (_drift_objects.manifest(number, site) for number in range(size))
    if form == _DUMP:
        return (root / f"{site}.json").write_bytes(orjson.dumps({"kind": "List", "items": list(manifests)}))
    written = 0
    for manifest in manifests:
        metadata = manifest["metadata"]
        folder = root / site / metadata["namespace"] / f"{manifest['kind']}.{_group(manifest) or 'core'}"
        folder.mkdir(parents=True, exist_ok=True)
        written += (folder / f"{metadata['name']}.yaml").write_text(documents.dump(manifest))
    return written


def _group(manifest: dict[str, Json]) -> str:
    return str(manifest["apiVersion"]).rpartition("/")[0]


# --- the contestants, each in a process of its own


def _peer(root: Path, form: str) -> dict[str, float]:
    began = time.process_time()
    if form == _DUMP:
        kept = [orjson.loads((root / f"{site}.json").read_bytes()) for site in _SITES]
    else:
        files = sorted(root.rglob("*.yaml"))
        kept = [yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader) for file in files]
    return {"cold": time.process_time() - began, "kept": len(kept), **_peak()}


def _ours(root: Path, form: str) -> dict[str, float]:
    clusters = [_open(root, site, form) for site in _SITES]
    count = (
        len(clusters[0].read(ends.EVERYTHING).objects) if form == _DUMP else sum(1 for _ in root.rglob("*.yaml")) // 2
    )
    clusters = [_open(root, site, form) for site in _SITES]
    manifests = (_drift_objects.manifest(number) for number in range(count))
    rendered = packed.Packed(inventory.by_key(manifests, sealer=_SEALER)[0], pool={})
    memory = Memory()
    seconds, found = [], 0
    for _ in range(2):
        began = time.process_time()
        found = len(_scan(clusters, rendered, memory).differences)
        seconds.append(time.process_time() - began)
    return {"cold": seconds[0], "again": seconds[1], "found": found, **_peak()}


def _open(root: Path, site: str, form: str) -> ends.Cluster:
    return BackupCluster(root / f"{site}.json") if form == _DUMP else DirectoryCluster(root=root / site)


def _scan(clusters: Sequence[ends.Cluster], rendered: older.Rendered, memory: Memory) -> survey.Survey:
    with ThreadPoolExecutor(max_workers=2) as pool:
        truth, follower = pool.map(_read, clusters, _SITES)
    context = Context(
        truth=SiteFacts(name=_SITES[0]),
        follower=SiteFacts(name=_SITES[1]),
        rules=Rules([], today=datetime.now(UTC).date()),
    )
    examiner = Examiner(context=context, schemas=collect(_everything(rendered, truth, follower)), memory=memory)
    return survey.survey(truth, follower, git=(rendered, rendered), examiner=examiner)


def _everything(rendered: older.Rendered, *readings: inventory.Reading) -> Iterator[dict[str, Json]]:
    yield from rendered.values()
    for one in readings:
        yield from one.objects.values()


def _read(cluster: ends.Cluster, site: str) -> inventory.Reading:
    return inventory.read(cluster, ends.EVERYTHING, site=site, sealer=_SEALER, now=SystemClock())


def _peak() -> dict[str, float]:
    return {"peak": _listing.peak()}


if __name__ == "__main__":
    who, where, shape = sys.argv[1:]
    sys.stdout.write(json.dumps({"ours": _ours, "peer": _peer}[who](Path(where), shape)))
