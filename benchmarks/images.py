"""Mirroring images between registries, beside skopeo, and crane and regsync where they are on the PATH.

Registries are docker-registry processes on this machine; those of a task with milliseconds stand behind a relay with
that much round trip, each of them, whoever asks; one of megabits has lines that carry so many each second, in each
direction. Each tool starts with empty sites. Requests and bytes are those that
the source's own access log counts; memory is the largest resident set of the tool's processes; CPU is what they used,
their start included, and beside it what all the registries used: where several registries share two cores, most of a
cold copy is theirs. (Relays use some too, for each tool alike.) They keep their images in memory where there is room
for them, so that no tool is measured by what the disk had to do for the one before it.

Lockstep mirrors to all sites in one run. The others have one run for each site: crane is measured with all of them at
once and with one after the other, skopeo with all at once, and regsync does them in one run itself. The last line of a
task compares with the fastest. skopeo is left out where it takes minutes. ``BENCH_ONLY`` names a part of the tasks
to measure, such as ``cold copy``.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson

from benchmarks import _measured
from benchmarks._measured import Cost
from lockstep.sites import ends, oci
from tests.support import registries
from tests.support.images import Maker
from tests.support.registries import Registry

MILLISECONDS = 40
TAGS, FEW, COLD = 200, 20, 50
_SHARED_BYTES, _OWN_BYTES = 4 * 2**20, 2**18
_LARGE_BYTES = 2**30
_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of a name of its own is made in it
_ONLY = os.environ.get("BENCH_ONLY", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A registry, and the address under which a tool reaches it."""

    registry: Registry
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is measured: all tags of a repository, to some sites, that are far away or have everything already."""

    what: str
    repository: str
    sites: int
    milliseconds: int = 0
    megabits: int = 0
    warm: bool = False

    @property
    def title(self) -> str:
        """What stands above its table."""
        sites = "1 site" if self.sites == 1 else f"{self.sites} sites"
        return (
            f"{self.what}, {sites}"
            + (f", {self.milliseconds} ms" if self.milliseconds else "")
            + (f", {self.megabits} Mbit/s" if self.megabits else "")
        )


_TASKS = (
    Task(what=f"no-op of {TAGS} tags", repository="tags", sites=2, milliseconds=MILLISECONDS, warm=True),
    Task(what=f"no-op of {FEW} tags", repository="few", sites=2, milliseconds=MILLISECONDS, warm=True),
    Task(what=f"cold copy of {COLD} tags", repository="cold", sites=1),
    Task(what=f"cold copy of {COLD} tags", repository="cold", sites=3),
    Task(what=f"cold copy of {COLD} tags", repository="cold", sites=1, milliseconds=MILLISECONDS),
    Task(what=f"cold copy of {COLD} tags", repository="cold", sites=3, milliseconds=MILLISECONDS),
    Task(what=f"cold copy of {COLD} tags", repository="cold", sites=3, milliseconds=MILLISECONDS, megabits=20),
    Task(what="one blob of 1 GiB", repository="large", sites=3),
)

Tool = Callable[[str, Place, Sequence[Place]], tuple[Cost, float]]
"""Mirrors a repository to sites: what that cost, without the start of Python, and the seconds of that start."""


def run() -> None:
    """Print one line for each task and tool."""
    if shutil.which("docker-registry") is None:
        print("docker-registry is not installed: nothing to measure with.")
        return
    with tempfile.TemporaryDirectory(dir=_home()) as directory, registries.serve(Path(directory) / "source") as source:
        _fill(source)
        print(f"{'':46}{'seconds':>9}{'requests':>10}{'source':>10}{'memory':>9}{'CPU':>9}{'registries':>12}")
        for task in _TASKS:
            if _ONLY in task.title:
                _compare(task, Path(directory), source)


def _home() -> str | None:
    """A file system in memory with room for the largest task; else where temporary files go."""
    room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free
    return str(_MEMORY) if room > 6 * _LARGE_BYTES else None


def _compare(task: Task, root: Path, source: Registry) -> None:
    print(task.title, flush=True)
    seconds = {}
    for name, tool in _tools(task).items():
        with contextlib.ExitStack() as running:
            home = Path(running.enter_context(tempfile.TemporaryDirectory(dir=root)))
            sites = [running.enter_context(registries.serve(home / f"{n}")) for n in range(task.sites)]
            near = [Place(registry=one, address=one.host) for one in (source, *sites)]
            if task.warm:
                _lockstep(task.repository, near[0], near[1:])
            far = [running.enter_context(_far(one, task)) for one in near if task.milliseconds]
            places = far or near
            source.requests()
            before = _used(places)
            cost, start = tool(task.repository, places[0], places[1:])
            theirs = _used(places) - before
            asked = source.requests()
        seconds[name] = cost.seconds
        size = sum(one.size for one in asked if one.method == "GET") / 2**20
        title = name + (f" (+{start:.1f} to start)" if start else "")
        print(
            f"  {title:44}{cost.seconds:8.2f}s{len(asked):>10}{size:7.0f}MiB{cost.memory:6.0f}MiB"
            f"{cost.cpu:8.1f}s{theirs:11.1f}s",
            flush=True,
        )
    ours = seconds.pop("lockstep")
    if seconds:
        best = min(seconds, key=lambda name: seconds[name])
        print(f"  {'the fastest of the others takes':44}{seconds[best] / ours:8.2f}x  ({best})")


def _used(places: Sequence[Place]) -> float:
    """The seconds of CPU that the registries have used."""
    return sum(_measured.used(place.registry.process) for place in places)


def _tools(task: Task) -> dict[str, Tool]:
    """Lockstep, and the peers that are installed; without those that would take minutes."""
    tools: dict[str, Tool] = {"lockstep": _lockstep}
    if shutil.which("crane"):
        crane = "crane copy --all-tags --jobs 16"
        tools[crane if task.sites == 1 else f"{crane}, at once"] = partial(_crane, at_once=True)
        if task.sites > 1:
            tools[f"{crane}, in turn"] = partial(_crane, at_once=False)
    if shutil.which("regsync"):
        tools["regsync once"] = _regsync
    minutes = task.repository == "tags" or (task.repository == "cold" and task.milliseconds)
    if shutil.which("skopeo") and not minutes:
        tools["skopeo sync --all" if task.sites == 1 else "skopeo sync --all, at once"] = _skopeo
    return tools


def _lockstep(repository: str, source: Place, sites: Sequence[Place]) -> tuple[Cost, float]:
    addresses = [source.address, *(site.address for site in sites)]
    whole, printed = _measured.together([sys.executable, "-m", "benchmarks._mirror_once", repository, *addresses])
    inside = float(printed)
    return Cost(seconds=inside, cpu=whole.cpu, memory=whole.memory), whole.seconds - inside


def _skopeo(repository: str, source: Place, sites: Sequence[Place]) -> tuple[Cost, float]:
    options = ["--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"]
    commands = [
        ["skopeo", "--insecure-policy", "sync", *options, "--src", "docker", "--dest", "docker",
         f"{source.address}/{repository}", site.address] for site in sites
    ]  # fmt: skip
    return _measured.together(*commands)[0], 0.0


def _crane(repository: str, source: Place, sites: Sequence[Place], *, at_once: bool) -> tuple[Cost, float]:
    commands = [
        ["crane", "copy", "--insecure", "--all-tags", "--jobs", "16",
         f"{source.address}/{repository}", f"{site.address}/{repository}"] for site in sites
    ]  # fmt: skip
    if at_once:
        return _measured.together(*commands)[0], 0.0
    return sum((_measured.together(command)[0] for command in commands), Cost()), 0.0


def _regsync(repository: str, source: Place, sites: Sequence[Place]) -> tuple[Cost, float]:
    places = [source.address, *(site.address for site in sites)]
    config = {
        "version": 1,
        "creds": [{"registry": place, "tls": "disabled", "reqConcurrent": 16} for place in places],
        "defaults": {"parallel": 16},
        "sync": [
            {"source": f"{source.address}/{repository}", "target": f"{site.address}/{repository}", "type": "repository"}
            for site in sites
        ],
    }
    with tempfile.NamedTemporaryFile(suffix=".yml") as file:
        file.write(orjson.dumps(config))  # JSON is YAML
        file.flush()
        return _measured.together(["regsync", "once", "-c", file.name])[0], 0.0


@contextlib.contextmanager
def _far(place: Place, task: Task) -> Iterator[Place]:
    """A registry behind a long line, and a narrow one if it is."""
    numbers = [place.registry.port, task.milliseconds, *([task.megabits] if task.megabits else [])]
    command = [sys.executable, "-m", "benchmarks._latency", *(str(number) for number in numbers)]
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
