"""Memory of reading 50,000 objects from one cluster: all of them kept, and page by page, when only a digest stays.

Each row is a process of its own. The last one reads a tenth as many in the same way: what a list takes while it is
walked must not grow with the list.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

from benchmarks import _listing, _servers
from lockstep.sites.ends import Selection
from lockstep.values import Json

_COUNT = 50_000
_NAMESPACE = "bench"


def run() -> None:
    """Print the peak of our process for each way of reading, and what it was before the first page."""
    print(f"{'':34}{'before MiB':>12}{'peak MiB':>10}")
    for title, keep, count in (
        (f"{_COUNT} objects, all kept", "all", _COUNT),
        (f"{_COUNT} objects, a digest of each", "digest", _COUNT),
        (f"{_COUNT // 10} objects, a digest of each", "digest", _COUNT // 10),
    ):
        found = _measured(keep, count)
        assert found["objects"] == count, found
        print(f"{title:34}{found['before']:12.0f}{found['peak']:10.0f}")


def _measured(keep: str, count: int) -> dict[str, float]:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks._endless", str(count)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        command = [sys.executable, "-m", "benchmarks.memory", keep, server.stdout.readline().strip()]
        found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    finally:
        server.kill()
        server.wait()
    return found


def _digest(manifest: dict[str, Json]) -> dict[str, Json]:
    """What a consumer that compares digests needs of an object."""
    text = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)
    return {"name": manifest["metadata"]["name"], "digest": hashlib.sha256(text).digest()}


def main(keep: str, url: str) -> None:
    """Read, and print what it took as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kubeconfig"
        file.touch(mode=0o600)
        named = {"contexts": [{"name": "x", "context": {"cluster": "x"}}], "current-context": "x"}
        file.write_text(json.dumps({"clusters": [{"name": "x", "cluster": {"server": url}}], **named}))
        door = _servers.opened(file)
        door.served()
        before = _listing.peak()
        selection = Selection(namespaces=frozenset({_NAMESPACE}))
        found = door.read(selection, keep=_digest if keep == "digest" else None)
    assert not found.gaps, found.gaps
    print(json.dumps({"objects": len(found.objects), "before": before, "peak": _listing.peak()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
