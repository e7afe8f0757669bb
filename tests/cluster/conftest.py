"""The servers that the cluster suite runs on, one after the other, and a namespace for each test."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lockstep.sites import cluster
from lockstep.topology import kinds, secrets
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the suite ran on."""
    if _ran_on:
        terminalreporter.write_line(f"cluster suite ran on: {', '.join(sorted(_ran_on))}")
