"""Sites on bad days, side by side: what a double lets a test do and no real server would."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import cluster
from lockstep.sites.ends import Selection
from lockstep.topology import kinds, secrets
from lockstep.values import Json
from pipelines.deploy import apply, site
from tests.pipelines.deploy.deploying import config, request, thing
from tests.support import apiserver, kubernetes_double
from tests.support.kubernetes_double.double import Double
from tests.support.kubernetes_double.faults import Faults
from tests.support.kubernetes_double.requests import Request

pytestmark = pytest.mark.cluster

_SITES = ("seoul", "sejong", "daegu")
_RAW = [thing("Namespace", "pay"), *(config(f"c{number}", a=str(number)) for number in range(20))]
_LIMITS = cluster.Limits(call_seconds=3.0, silence_seconds=2.0)


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[dict[str, Double]]:
    """Three servers that a test may spoil."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(kubernetes_double.serving(tmp_path / name, tls=False)) for name in _SITES}


def _door(server: Double, limits: cluster.Limits = _LIMITS) -> cluster.KubernetesCluster:
    file = server.kubeconfig()
    file.chmod(0o600)
    end = kinds.ClusterEnd(kubeconfig=kinds.SecretRef(file=str(file)))
    return cluster.open_cluster(end, reader=secrets.Reader(Path("/"), {}), path=Path, limits=limits)


def _deploy(server: Double) -> str:
    """Deploy to one site; "" when everything was done, else what went wrong."""
    door = _door(server)
    try:
        at = site.Ends(cluster=door, archive=None)
        made = site.plan(request(*_RAW), at)
        report = apply.apply(made, door, approved=made.approvals)
        return "" if report.whole else "; ".join(result.error for result in report.failed)
    except errors.LockstepError as error:
        return str(error)
    finally:
        door.close()


def _deployed(servers: dict[str, Double]) -> dict[str, str]:
    with ThreadPoolExecutor(max_workers=len(servers)) as pool:
        return dict(zip(servers, pool.map(_deploy, servers.values()), strict=True))


def _count(server: Double) -> int:
    admin = apiserver.Admin(server)
    found: Json = admin.get("/api/v1/namespaces/pay/configmaps")
    admin.close()
    return sum(one["metadata"]["name"].startswith("c") for one in found["items"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda faults: faults.throttle(seconds=0, share=0.2),
        lambda faults: faults.fail(share=0.15),
        lambda faults: faults.slow(0.02),
        lambda faults: faults.hang_up(times=3),
    ],
    ids=["429", "500", "slow", "cut"],
)  # fmt: skip
def test_a_site_on_a_bad_day_gets_everything_all_the_same(
    sites: dict[str, Double], spoil: Callable[[Faults], object]
) -> None:
    """What goes wrong now and then is tried again; the others notice nothing."""
    spoil(sites["sejong"].faults)
    assert _deployed(sites) == dict.fromkeys(_SITES, "")
    sites["sejong"].faults.clear()
    assert {name: _count(server) for name, server in sites.items()} == dict.fromkeys(_SITES, 20)


def test_a_site_that_hangs_is_given_up_in_time_and_holds_up_nobody(sites: dict[str, Double]) -> None:
    """The result says which one, and why."""
    sites["sejong"].faults.slow(3600)
    began = time.monotonic()
    done = _deployed(sites)
    assert time.monotonic() - began < 60
    assert (done["seoul"], done["daegu"]) == ("", "")
    assert "did not answer in time" in done["sejong"]


def test_a_site_that_only_says_no_is_given_up_with_what_it_said(sites: dict[str, Double]) -> None:
    """It asks for patience without end, or is broken for good."""
    sites["sejong"].faults.throttle(seconds=600)
    sites["daegu"].faults.fail()
    done = _deployed(sites)
    assert done["seoul"] == ""
    assert "asks us to wait 600 s" in done["sejong"]
    assert "leader changed" in done["daegu"]


def test_a_list_whose_moment_passes_is_walked_again(sites: dict[str, Double]) -> None:
    """Somebody changes something and compacts etcd between two pages."""
    server = sites["seoul"]
    assert _deploy(server) == ""
    followed: list[str] = []

    def compact(asking: Request) -> bool:
        if "continue" in asking.query:
            followed.append(asking.path)
            if len(followed) == 1:
                changed = server.store.get(("", "configmaps"), "pay/c0")
                server.store.write(("", "configmaps"), "pay/c0", changed)
                server.store.compact()
        return False

    server.faults.slow(0.0, meant=compact)
    door = _door(server, cluster.Limits(page=5))
    found = door.read(Selection(namespaces=frozenset({"pay"}), kinds=frozenset({("", "ConfigMap")})))
    assert len(found.objects) == 21
    assert len(followed) > 4  # one walk takes four
    door.close()
