"""The servers that the cluster suite runs on, one after the other, and a namespace for each test."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.demo import ground
from lockstep.sites import cluster
from lockstep.topology import kinds, secrets
from pipelines.delivery import deploy
from tests.cluster.bench import SITES, Bench, sites
from tests.support import apiserver, kubernetes_double

_ASSETS = Path(os.environ.get("KUBEBUILDER_ASSETS") or "/nonexistent")
_count = itertools.count()
_ran_on: set[str] = set()


def _started(which: str, folder: Path) -> contextlib.AbstractContextManager[apiserver.Server]:
    return apiserver.started(_ASSETS, folder) if which == "real" else kubernetes_double.serving(folder)


def _which() -> list[object]:
    both = ["double", "real"] if apiserver.is_there(_ASSETS) else ["double"]
    # Both speak TLS, under an authority that is made for the tests.
    return [pytest.param(which, marks=pytest.mark.needs("openssl")) for which in both]


@pytest.fixture(scope="session", params=_which())
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[apiserver.Server]:
    """An API server, the same for all tests: each makes what it needs in a namespace of its own."""
    with _started(request.param, tmp_path_factory.mktemp(request.param)) as running:
        _ran_on.add(running.title)
        yield running


@pytest.fixture(scope="session")
def other_server(
    server: apiserver.Server, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[apiserver.Server]:
    """Another server of the same kind, for what takes two sites."""
    which = "real" if isinstance(server, apiserver.RealServer) else "double"
    with _started(which, tmp_path_factory.mktemp(f"other-{which}")) as running:
        yield running


@pytest.fixture
def admin(server: apiserver.Server) -> Iterator[apiserver.Admin]:
    """A client of its own, which may do everything."""
    client = apiserver.Admin(server)
    yield client
    client.close()


@pytest.fixture
def namespace(admin: apiserver.Admin) -> str:
    """A namespace of the test's own, with the service account that a controller would make in it."""
    name = f"test-{next(_count)}"
    admin.create("/api/v1/namespaces", {"metadata": {"name": name}})
    admin.create(f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})
    return name


Door = Callable[..., cluster.KubernetesCluster]


@pytest.fixture
def door(server: apiserver.Server) -> Iterator[Door]:
    """Opens the server as the configuration of a site does: ``door(user="reader", limits=...)``."""
    with contextlib.ExitStack() as opened:

        def open_(*, user: str = "admin", limits: cluster.Limits | None = None) -> cluster.KubernetesCluster:
            end = kinds.ClusterEnd(kubeconfig=kinds.SecretRef(file=str(server.kubeconfig(user))))
            reader = secrets.Reader(Path("/"), {})
            door = cluster.open_cluster(end, reader=reader, path=Path, limits=limits)
            opened.callback(door.close)
            return door

        yield open_


@pytest.fixture
def bench(
    server: apiserver.Server,
    other_server: apiserver.Server,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Bench]:
    """Two sites with an API server each; the namespace is the application's, and there is one at the first already."""
    # A service asks once a second whether a site runs; here nobody waits that long.
    monkeypatch.setattr(deploy, "_ROLLING_SECONDS", 0.1)
    app = tmp_path / namespace
    app.mkdir()
    (app / "app.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n", encoding="utf-8")
    made, _ = ground.prepare(tmp_path / "ground", app=app)
    files = dict(zip(SITES, (server, other_server), strict=True))
    sites(made.config / "sites.yaml", {name: one.kubeconfig() for name, one in files.items()})
    admins = {name: apiserver.Admin(one) for name, one in files.items()}
    yield Bench(ground=made, servers=admins, namespace=namespace, monkeypatch=monkeypatch, capsys=capsys)
    for admin in admins.values():
        admin.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the suite ran on."""
    if _ran_on:
        terminalreporter.write_line(f"cluster suite ran on: {', '.join(sorted(_ran_on))}")
