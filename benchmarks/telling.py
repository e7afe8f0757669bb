"""From a change at a site until its finding is stored, and until people were sent word of it.

``lockstep serve`` watches two API servers, real ones where ``KUBEBUILDER_ASSETS`` names the programs. Somebody changes
one object after another with the request that ``kubectl patch`` sends, now at the one site and now at the other. The
time begins before that request and ends when the database has the finding, and when a receiver has the signed message.
What goes on by itself (whole comparisons on their schedule) goes on meanwhile. ``BENCH_OBJECTS`` is how many objects
each site has.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks import _drift_objects as objects
from benchmarks import _drift_served, _listing, _servers
from console.demo import forge, ground
from lockstep.store.database import Database, open_database
from lockstep.store.views import drift as views
from lockstep.values import Json
from tests.cluster import bench
from tests.support import apiserver, receivers
from tests.support.kubernetes_double import double

_EACH = 10_000
# Objects in one file of git.
_FILE = 500
_CHANGES = 60
# So that changes meet every phase of what goes on by itself. Seconds.
_PAUSES = (0.2, 1.5)
_LOOK_SECONDS = 0.005
_PATIENCE_SECONDS = 300.0
_NAMESPACE = _listing.NAMESPACE


@dataclass(slots=True, kw_only=True)
class _Bench:
    """Two sites, a service that watches them, and a receiver. Seconds from each change until it was known."""

    admins: Sequence[apiserver.Admin]
    database: Database
    receiver: receivers.Receiver
    stored: list[float] = field(default_factory=list)
    received: list[float] = field(default_factory=list)

    def change(self, number: int) -> None:
        """Change an object at a site by hand, and wait until that is known."""
        manifest = objects.manifest(number, namespace=_NAMESPACE, lives=False)
        name = str(manifest["metadata"]["name"])
        place = f"{_drift_served.path(manifest)}/{name}"
        began = time.monotonic()
        self.admins[number % len(self.admins)].merge(place, {"metadata": {"labels": {"app": "changed"}}})
        with ThreadPoolExecutor(max_workers=2) as pool:
            stored = pool.submit(_until, lambda: self._is_stored(name))
            received = pool.submit(_until, lambda: self._is_received(name))
        self.stored.append(stored.result() - began)
        self.received.append(received.result() - began)

    def wait_for_the_first(self) -> str:
        """Wait until everything was compared once; the verdict."""
        _until(lambda: any(one.verdict != "Unknown" for one in self._scans()))
        return self._scans()[0].verdict

    def _scans(self) -> list[views.Scan]:
        with self.database.read() as connection:
            return views.scans_of(connection)

    def _is_stored(self, name: str) -> bool:
        with self.database.read() as connection:
            return any(one.name == name for one in views.page(connection, views.Filter(), limit=5))

    def _is_received(self, name: str) -> bool:
        wanted = f"/{name}".encode()
        return any(wanted in came.body and came.believed for came in reversed(self.receiver.came))


def run() -> None:
    """Print a table: milliseconds."""
    each = int(os.environ.get("BENCH_OBJECTS", _EACH))
    with tempfile.TemporaryDirectory() as folder, _opened(Path(folder), each) as (opened, title):
        verdict = opened.wait_for_the_first()
        draw = random.Random(1)  # noqa: S311 - when to change something is no secret
        for number in range(_CHANGES):
            time.sleep(draw.uniform(*_PAUSES))
            # Each kind at each site by turns, each object once.
            opened.change((number * 37) % each)
    print(f"\n{_CHANGES} changes among {each:,} objects at each of 2 sites ({title}; {verdict} before them)")
    print("".join(f"{name:>12}" for name in ("", "p50", "p95", "longest")))
    for name, seconds in (("stored", opened.stored), ("received", opened.received)):
        found = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1], max(seconds)
        print("".join(f"{cell:>12}" for cell in (name, *(f"{one * 1000:,.0f} ms" for one in found))))


@contextlib.contextmanager
def _opened(folder: Path, each: int) -> Iterator[tuple[_Bench, str]]:
    with contextlib.ExitStack() as stack:
        servers: list[apiserver.Server] = []
        if _servers.is_real():
            servers += stack.enter_context(_servers.started(folder, len(objects.SITES)))
        else:
            for site in objects.SITES:
                (folder / site).mkdir()
                servers.append(stack.enter_context(double.serving(folder / site)))
        admins = [stack.enter_context(contextlib.closing(apiserver.Admin(one))) for one in servers]
        manifests = [objects.manifest(number, namespace=_NAMESPACE, lives=False) for number in range(each)]
        for admin in admins:
            admin.create("/api/v1/namespaces", {"metadata": {"name": _NAMESPACE}})
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda one: [admin.create(_drift_served.path(one), one) for admin in admins], manifests))
        receiver = stack.enter_context(receivers.served())
        made = _ground(folder, manifests, servers, receiver)
        stack.enter_context(_serving(made))
        database = stack.enter_context(contextlib.closing(open_database(f"sqlite:///{made.state / 'lockstep.db'}")))
        yield _Bench(admins=admins, database=database, receiver=receiver), servers[0].title


def _ground(
    folder: Path, manifests: Sequence[Json], servers: Sequence[apiserver.Server], receiver: receivers.Receiver
) -> ground.Ground:
    """A configuration of both sites and one application, whose git has these manifests."""
    app = folder / _NAMESPACE
    app.mkdir()
    for number in range(0, len(manifests), _FILE):
        text = yaml.dump_all(manifests[number : number + _FILE], Dumper=yaml.CSafeDumper)
        (app / f"part-{number}.yaml").write_text(text, encoding="utf-8")
    made, _ = ground.prepare(folder / "ground", app=app)
    bench.sites(
        made.config / "sites.yaml",
        {site: server.kubeconfig() for site, server in zip(objects.SITES, servers, strict=True)},
    )
    file = made.config / "application.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    del document["spec"]["pipeline"], document["spec"]["protection"]["seoul-daegu"]
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    _notify(made, receiver)
    forge.push(made.work, message="All of it")
    subprocess.run([*_command(made), "sync", "git"], check=True, stdout=subprocess.DEVNULL)
    return made


def _notify(made: ground.Ground, receiver: receivers.Receiver) -> None:
    kept = {"url": receiver.url, "secret": receivers.SECRET}
    for name, text in kept.items():
        file = made.directory / "secrets" / name
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
    webhook = {"url": {"file": "../secrets/url"}, "secrets": [{"file": "../secrets/secret"}]}
    document = {
        "apiVersion": "lockstep.dev/v1alpha1",
        "kind": "Notification",
        "metadata": {"name": "ops"},
        "spec": {"webhooks": [webhook], "severity": "minor"},
    }
    (made.config / "notification.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def _command(made: ground.Ground) -> list[str]:
    return [sys.executable, "-m", "console", "--config", str(made.config), "--state", str(made.state)]


@contextlib.contextmanager
def _serving(made: ground.Ground) -> Iterator[None]:
    """The service, in a process of its own; what it says goes to this one's standard error."""
    process = subprocess.Popen([*_command(made), "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _until(check: Callable[[], bool]) -> float:
    """Wait until something is so; when it was."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not check():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {_PATIENCE_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)
    return time.monotonic()
