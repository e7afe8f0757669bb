"""A site is lost in the middle: everywhere that a verdict is shown it is Unknown, and of the others it is not."""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml

from console.demo import ground
from lockstep import settings
from lockstep.clock import SystemClock
from lockstep.sites import directory, ends
from lockstep.sites import open as opening
from lockstep.store.database import open_database
from lockstep.topology import load, secrets
from lockstep.values import Json
from tests.console.cli.conftest import Terminal
from tests.support import images, killing, kubernetes_double, pages
from tests.support.kubernetes_double.double import Double
from tests.support.kubernetes_double.requests import Request

LOST, OTHER = "seoul-sejong", "seoul-daegu"
_IN_STEP = {LOST: "InSync", OTHER: "Dispersed"}
# A site that says nothing is given up after so long: well within the age at which evidence counts for nothing.
_LIMITS = {"timeout": "1s", "readTimeout": "2s"}
_STALE_SECONDS = 60
_OF_SHOP = ends.Selection(namespaces=frozenset({"shop"}))

Lose: TypeAlias = Callable[[], object]


def _cut_off(made: ground.Ground, _stack: ExitStack, folder: Path) -> Lose:
    """The disk of the site is no longer mounted."""
    return lambda: shutil.move(made.site("sejong") / "cluster", folder / "cut off")


def _killed(made: ground.Ground, stack: ExitStack, folder: Path) -> Lose:
    """The process of the API server is gone, and connections to it are refused."""
    return _process(made, stack, folder).kill


def _frozen(made: ground.Ground, stack: ExitStack, folder: Path) -> Lose:
    """The API server stops in the middle of a reading: from a list on it takes connections and answers nothing."""
    server = _served(made, stack, folder)
    stopped = threading.Event()

    def meant(request: Request) -> bool:
        if request.path.endswith("/deployments"):
            stopped.set()
        return stopped.is_set()

    return lambda: server.faults.slow(3600, meant=meant)


def _reset(made: ground.Ground, stack: ExitStack, folder: Path) -> Lose:
    """The line to the site is cut: whatever is asked is answered by a reset of its connection."""
    server = _served(made, stack, folder)
    return lambda: server.faults.hang_up(reset=True)


def _stopped(made: ground.Ground, stack: ExitStack, folder: Path) -> Lose:
    """The process of the API server stands still: the kernel takes connections, and nobody reads from them."""
    process = _process(made, stack, folder)
    return lambda: os.kill(process.pid, signal.SIGSTOP)


def _process(made: ground.Ground, stack: ExitStack, folder: Path) -> killing.Forked:
    """From now on the site is an API server in a process of its own."""
    ready = folder / "ready"

    def serve() -> None:
        with kubernetes_double.serving(folder / "server", tls=False) as server:
            _private(server)
            ready.touch()
            threading.Event().wait()

    process = stack.enter_context(killing.Forked(serve))
    deadline = SystemClock().monotonic() + 20
    while not ready.exists():
        assert SystemClock().monotonic() < deadline, "the server does not start"
    _serve(made, folder, folder / "server" / "admin.kubeconfig")
    return process


def _private(server: Double) -> Path:
    kubeconfig = server.kubeconfig()
    kubeconfig.chmod(0o600)
    return kubeconfig


def _served(made: ground.Ground, stack: ExitStack, folder: Path) -> Double:
    """From now on the site is an API server of this process."""
    server = stack.enter_context(kubernetes_double.serving(folder / "server", tls=False))
    _serve(made, folder, _private(server))
    return server


def _serve(made: ground.Ground, folder: Path, kubeconfig: Path) -> None:
    """From now on the site is an API server, which has what its directory has."""
    file = made.config / "sites.yaml"
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    (site,) = [one for one in documents if one["metadata"]["name"] == "sejong"]
    site["spec"]["cluster"] = {"kubeconfig": {"file": str(kubeconfig)}, "limits": _LIMITS}
    file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    held = directory.DirectoryCluster(root=made.site("sejong") / "cluster").read(_OF_SHOP).objects
    topology = load.load(made.config)
    reader = secrets.Reader(made.config, {})
    doors = opening.Doors(
        lambda: topology, reader=reader, places=settings.Places(config=made.config, state=folder, database="")
    )
    try:
        for manifest in ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, *held):
            doors.cluster("sejong").apply(manifest)
    finally:
        doors.close()


def _verdicts(report: Json) -> dict[str, str]:
    return {one["pair"]: one["verdict"] for one in report["scans"]}


def _house(made: ground.Ground, later: timedelta) -> pages.House:
    """The pages and the metrics of the service on the same database, some time from now."""
    topology = load.load(made.config)
    house = pages.house(open_database(f"sqlite:///{made.state / 'lockstep.db'}"), topology=lambda: topology)
    house.clock.at = datetime.now(UTC) + later
    return house


def _told(made: ground.Ground, later: timedelta = timedelta(0)) -> tuple[dict[str, str], dict[str, str]]:
    """The verdict of each pair as the metrics and as the pages have it."""
    house = _house(made, later)
    try:
        metrics = house.client().get("/metrics").get_data(as_text=True)
        shown = house.signed_in().get("/api/v1/fleet", headers=pages.bearer()).json
        page = house.signed_in().get("/applications/shop").get_data(as_text=True)
    finally:
        house.context.database.close()
    assert shown is not None
    by_pair = {one["pair"]: one["verdict"] for one in shown["items"]}
    assert page.count('class="chip unknown"') >= list(by_pair.values()).count("Unknown")
    found = re.findall(r'lockstep_drift_verdict\{application="shop",pair="([\w-]+)",verdict="(\w+)"\} 1', metrics)
    return dict(found), by_pair


@pytest.mark.parametrize("how", [_cut_off, _killed, _frozen, _stopped, _reset])
def test_a_site_that_is_lost_is_unknown_wherever_a_verdict_is_shown(
    terminal: Terminal, tmp_path: Path, how: Callable[[ground.Ground, ExitStack, Path], Lose]
) -> None:
    """In ``drift``, on the pages, in the metrics and in ``preflight``; once the evidence is old, so is everything."""
    made = terminal.ground
    terminal.push()
    store = images.new_store(made.site("seoul") / "registry")
    images.Maker(store=store, repository="shop/web").image(images.tar_gz({"app": b"1"}), tag="latest")
    for command in (("sync", "git"), ("sync", "images"), ("deploy", "shop", "--by", "lee")):
        assert terminal.types(*command).code == 0
    with ExitStack() as stack:
        lose = how(made, stack, tmp_path)
        assert _verdicts(terminal.types("drift", "-o", "json").json) == _IN_STEP
        lose()
        _is_unknown_everywhere(terminal)
    _is_old_everywhere(terminal)


def _is_unknown_everywhere(terminal: Terminal) -> None:
    """The lost site is, because nobody could read it and not because of age; the other is what it was."""
    lost = _IN_STEP | {LOST: "Unknown"}
    assert _verdicts(terminal.types("drift", "-o", "json").json) == lost
    assert _told(terminal.ground) == (lost, lost)
    stored = terminal.types("--stale-after", str(_STALE_SECONDS), "drift", "--stored", "-o", "json").json
    assert (_verdicts(stored), {one["stale"] for one in stored["scans"]}) == (lost, {False})
    cut = terminal.types("preflight", LOST, "-o", "json")
    assert (cut.code, "sejong" in cut.out) == (2, True)
    assert _unknown(cut.json) > _unknown(terminal.types("preflight", OTHER, "-o", "json").json)


def _is_old_everywhere(terminal: Terminal) -> None:
    """Nobody compared for longer than evidence is good for: everything is Unknown."""
    old = dict.fromkeys(_IN_STEP, "Unknown")
    assert _told(terminal.ground, timedelta(minutes=16)) == (old, old)
    deadline = SystemClock().monotonic() + 20
    stored: Json = None
    while SystemClock().monotonic() < deadline and (stored is None or _verdicts(stored) != old):
        stored = terminal.types("--stale-after", "1", "drift", "--stored", "-o", "json").json
    assert _verdicts(stored) == old
    assert {one["stale"] for one in stored["scans"]} == {True}


def _unknown(report: Json) -> int:
    """How many answers of a preflight are that nobody could see."""
    return sum(one["outcome"] == "UNKNOWN" for one in report["results"])
