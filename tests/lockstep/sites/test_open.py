"""Ends are opened as the configuration in force says, once, and what a site lacks is refused by name."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lockstep import errors, settings
from lockstep.sites import git
from lockstep.sites.cluster import KubernetesCluster
from lockstep.sites.open import Doors
from lockstep.topology.secrets import Reader
from tests.support import apiserver
from tests.support.topologies import topology

_SECONDS = 20.0


@pytest.fixture
def doors(tmp_path: Path) -> Callable[[dict[str, Any]], Doors]:
    """Doors to a configuration whose only site is as it is given."""

    def make(site: dict[str, Any]) -> Doors:
        found = topology(("Site", "seoul", site), directory=tmp_path)
        places = settings.Places(config=tmp_path, state=tmp_path / "state", database="sqlite://")
        return Doors(lambda: found, reader=Reader(tmp_path, {}), places=places)

    return make


def test_an_end_that_a_site_lacks_is_refused_with_where_to_write_it(doors: Callable[[dict[str, Any]], Doors]) -> None:
    """Nothing is skipped because it is not there."""
    made = doors({"git": {"directory": "git"}})
    with pytest.raises(errors.UnsupportedError, match=r"seoul has no registry.*spec\.registry"):
        made.images("seoul")
    with pytest.raises(errors.UnsupportedError, match=r"seoul has no cluster.*spec\.cluster"):
        made.cluster("seoul")
    with pytest.raises(errors.NotFoundError, match="seoul"):
        made.images("busan")
    assert made.archive("seoul") is None


def test_an_end_is_opened_once_while_the_configuration_stays(tmp_path: Path) -> None:
    """Connections and what is remembered of an end live as long as what is said of it."""
    found = topology(("Site", "seoul", {"cluster": {"directory": "cluster"}}), directory=tmp_path)
    places = settings.Places(config=tmp_path, state=tmp_path / "state", database="sqlite://")
    made = Doors(lambda: found, reader=Reader(tmp_path, {}), places=places)
    first = made.cluster("seoul")
    assert made.cluster("seoul") is first
    found = replace(found, digest="changed")
    assert made.cluster("seoul") is not first


def _answered(line: socket.socket, times: int) -> None:
    """Answer so many requests over one connection, which stays open."""
    body = b'{"kind":"APIGroupDiscoveryList","items":[]}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for _ in range(times):
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            asked += line.recv(4096)
        line.sendall(head + body)


@pytest.mark.parametrize("drop", ["by another configuration", "by closing"])
def test_an_end_that_is_dropped_lets_its_connections_go(tmp_path: Path, drop: str) -> None:
    """Else each change of the configuration would leave a handful at every site; what still uses it goes on."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(max_workers=1) as pool:
        listening.settimeout(_SECONDS)
        where = {"server": f"http://127.0.0.1:{listening.getsockname()[1]}"}
        file = tmp_path / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(json.dumps(apiserver.kubeconfig("seoul", cluster=where, user={})))
        spec = {"cluster": {"kubeconfig": {"file": str(file)}}}
        found = topology(("Site", "seoul", spec), directory=tmp_path)
        places = settings.Places(config=tmp_path, state=tmp_path / "state", database="sqlite://")
        made = Doors(lambda: found, reader=Reader(tmp_path, {}), places=places)
        first = made.cluster("seoul")
        assert isinstance(first, KubernetesCluster)
        for turn in range(2):
            asking = pool.submit(first.served, not_older_than=0.0)
            line, _ = listening.accept()
            with line:
                line.settimeout(_SECONDS)
                _answered(line, 2)
                assert asking.result().resources == ()
                if turn == 0:
                    found = replace(found, digest="changed") if drop == "by another configuration" else found
                    made.close() if drop == "by closing" else made.cluster("seoul")
                    assert line.recv(1) == b""
        first.close()


def test_the_repositories_and_images_of_a_site_share_its_line(doors: Callable[[dict[str, Any]], Doors]) -> None:
    """It is one line, at the rate of the configuration; without a rate there is none to keep to."""
    end = {"url": "https://git.seoul.example/{repository}.git"}
    slow = doors({"git": end, "link": {"rate": "80Kbit"}})
    first, second = (slow.git_site("seoul", repository) for repository in ("bank/pay", "bank/ledger"))
    assert isinstance(first, git.Remote)
    assert isinstance(second, git.Remote)
    assert first.pace is not None
    assert first.pace is second.pace is slow.line_to("seoul")
    assert first.pace.portion == 10_000
    fast = doors({"git": end}).git_site("seoul", "bank/pay")
    assert isinstance(fast, git.Remote)
    assert fast.pace is None


def test_who_has_no_api_server_does_not_wait_for_its_client() -> None:
    """Commands start sooner: the client of Kubernetes is imported when a cluster is opened."""
    look = "import sys, lockstep.sites.open; sys.exit('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
