"""Mirroring images between registries, beside skopeo, and crane and regsync where they are on the PATH.

Registries are docker-registry processes on this machine; ``far`` ones stand behind a relay with 40 ms of round
trip. Each tool starts with empty sites. Requests and bytes are those that the source's own access log counts;
memory is the largest resident set of the tool's process. Lockstep mirrors to all sites in one run, the others in
one run for each site, one after the other. skopeo's no-op is measured on fewer tags, because it takes minutes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from lockstep.sites import ends, oci
from tests.support import registries
from tests.support.images import Maker
from tests.support.registries import Registry

MILLISECONDS = 40
TAGS, FEW, COLD = 200, 20, 50
_SHARED_BYTES, _OWN_BYTES = 4 * 2**20, 2**18
_LARGE_BYTES = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A registry, and the address under which a tool reaches it."""

    registry: Registry
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one tool took for one task: seconds (and those of its start alone), MiB."""

    seconds: float
    start: float = 0.0
    memory: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is measured: all tags of a repository, to some sites, that are far away or have everything already."""

    what: str
    repository: str
    sites: int
    far: bool = False
    warm: bool = False


_TASKS = (
    Task(what=f"no-op of {TAGS} tags, 2 sites, {MILLISECONDS} ms", repository="tags", sites=2, far=True, warm=True),
    Task(what=f"no-op of {FEW} tags, 2 sites, {MILLISECONDS} ms", repository="few", sites=2, far=True, warm=True),
    Task(what=f"cold copy of {COLD} tags, 1 site", repository="cold", sites=1),
    Task(what=f"cold copy of {COLD} tags, 3 sites", repository="cold", sites=3),
    Task(what=f"cold copy of {FEW} tags, 2 sites, {MILLISECONDS} ms", repository="few", sites=2, far=True),
    Task(what="one blob of 1 GiB, 3 sites", repository="large", sites=3),
)

Tool = Callable[[str, Place, Sequence[Place]], Cost]


def run() -> None:
    """Print one line for each task and tool."""
    if shutil.which("docker-registry") is None:
        print("docker-registry is not installed: nothing to measure with.")
        return
    with tempfile.TemporaryDirectory() as directory, registries.serve(Path(directory) / "source") as source:
        _fill(source)
        print(f"{'':46}{'seconds':>9}{'ratio':>7}{'requests':>10}{'source':>10}{'memory':>9}")
        for task in _TASKS:
            _compare(task, Path(directory), source)


def _compare(task: Task, root: Path, source: Registry) -> None:
    print(task.what, flush=True)
    ours = 0.0
    for name, tool in _tools(slow=task.repository == "tags").items():
        with contextlib.ExitStack() as running:
            home = Path(running.enter_context(tempfile.TemporaryDirectory(dir=root)))
            sites = [running.enter_context(registries.serve(home / f"{n}")) for n in range(task.sites)]
            near = [Place(registry=one, address=one.host) for one in (source, *sites)]
            if task.warm:
                _lockstep(task.repository, near[0], near[1:])
            places = [running.enter_context(_far(one)) for one in near] if task.far else near
            source.requests()
            cost = tool(task.repository, places[0], places[1:])
            asked = source.requests()
        ours = ours or cost.seconds
        size = sum(one.size for one in asked if one.method == "GET") / 2**20
        ratio = f"{cost.seconds / ours:6.1f}x"
        start = f" (+{cost.start:.1f} to start)" if cost.start else ""
        print(f"  {name + start:44}{cost.seconds:8.2f}s{ratio:>7}{len(asked):>10}{size:7.0f}MiB{cost.memory:6.0f}MiB")


def _tools(*, slow: bool) -> dict[str, Tool]:
    """Lockstep, and the peers that are installed; without those that would take minutes when it is a slow task."""
    tools: dict[str, Tool] = {"lockstep": _lockstep}
    if shutil.which("crane"):
        tools["crane copy --all-tags --jobs 16"] = _crane
    if shutil.which("regsync"):
        tools["regsync once"] = _regsync
    if shutil.which("skopeo") and not slow:
        tools["skopeo sync --all"] = _skopeo
    return tools


def _lockstep(repository: str, source: Place, sites: Sequence[Place]) -> Cost:
    addresses = [source.address, *(site.address for site in sites)]
    command = [sys.executable, "-m", "benchmarks._mirror_once", repository, *addresses]
    whole, printed = _measured(command)
    inside = float(printed)
    return Cost(seconds=inside, start=whole.seconds - inside, memory=whole.memory)


def _skopeo(repository: str, source: Place, sites: Sequence[Place]) -> Cost:
    options = ["--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"]
    return _one_by_one(
        ["skopeo", "--insecure-policy", "sync", *options, "--src", "docker", "--dest", "docker",
         f"{source.address}/{repository}", site.address] for site in sites
    )  # fmt: skip


def _crane(repository: str, source: Place, sites: Sequence[Place]) -> Cost:
    return _one_by_one(
        ["crane", "copy", "--insecure", "--all-tags", "--jobs", "16",
         f"{source.address}/{repository}", f"{site.address}/{repository}"] for site in sites
    )  # fmt: skip


def _regsync(repository: str, source: Place, sites: Sequence[Place]) -> Cost:
    places = [source.address, *(site.address for site in sites)]
    config = {
        "version": 1,
        "creds": [{"registry": place, "tls": "disabled"} for place in places],
        "sync": [
            {"source": f"{source.address}/{repository}", "target": f"{site.address}/{repository}", "type": "repository"}
            for site in sites
        ],
    }
    with tempfile.NamedTemporaryFile(suffix=".yml") as file:
        file.write(orjson.dumps(config))  # JSON is YAML
        file.flush()
        return _one_by_one([["regsync", "once", "-c", file.name]])


def _one_by_one(commands: Iterator[list[str]] | list[list[str]]) -> Cost:
    costs = [_measured(command)[0] for command in commands]
    return Cost(seconds=sum(one.seconds for one in costs), memory=max(one.memory for one in costs))


def _measured(command: Sequence[str]) -> tuple[Cost, str]:
    """Run a command; its seconds and memory, and what it printed."""
    began = time.monotonic()
    memory = 0.0
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            memory = max(memory, _peak(process.pid))
            time.sleep(0.02)
        seconds = time.monotonic() - began
        assert process.returncode == 0, command
        out.seek(0)
        return Cost(seconds=seconds, memory=memory), out.read().decode()


def _peak(process: int) -> float:
    """The largest resident set of a process so far, in MiB; what ``wait4`` says begins with its parent's."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def _far(place: Place) -> Iterator[Place]:
    """A registry behind a long line."""
    command = [sys.executable, "-m", "benchmarks._latency", str(place.registry.port), str(MILLISECONDS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield Place(registry=place.registry, address=f"127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _fill(source: Registry) -> None:
    """Tags of two platforms each, which share a large layer and have small ones of their own; and one large blob."""
    store = source.store()
    shared = os.urandom(_SHARED_BYTES)
    for repository, count in (("few", FEW), ("cold", COLD)):
        maker = Maker(store=store, repository=repository)
        for number in range(count):
            maker.platforms(shared, os.urandom(_OWN_BYTES), tag=f"v{number:03}")
    maker = Maker(store=store, repository="tags")
    made = [maker.platforms(os.urandom(_OWN_BYTES), tag=f"v{number:03}") for number in range(FEW)]
    found = [store.manifest("tags", one.digest) for one in made]
    for number in range(FEW, TAGS):
        again = found[number % FEW]
        assert again is not None
        store.write_manifest("tags", again, tag=f"v{number:03}")
    _put_large(source)


def _put_large(source: Registry) -> None:
    """An image with one large layer, never whole in memory: what is measured starts as a copy of this process."""
    store = source.store()

    def chunks() -> Iterator[bytes]:
        made = random.Random(4)  # noqa: S311 - the same bytes twice, and no secret
        return (made.randbytes(2**20) for _ in range(_LARGE_BYTES // 2**20))

    hashed = hashlib.sha256()
    for chunk in chunks():
        hashed.update(chunk)
    layer = ends.Descriptor(media_type=oci.OCI_LAYER, digest=f"sha256:{hashed.hexdigest()}", size=_LARGE_BYTES)
    store.write_blob("large", layer, chunks())
    maker = Maker(store=store, repository="large")
    config = maker.put(orjson.dumps({"architecture": "amd64", "os": "linux"}), oci.OCI_CONFIG)
    maker.manifest({"config": oci.as_json(config), "layers": [oci.as_json(layer)]}, oci.OCI_MANIFEST, tag="v1")
