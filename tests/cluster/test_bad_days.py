"""``lockstep deploy`` to three sites of which one has a bad day: the others get theirs, and the result says which.

Only a double has bad days when it is told to.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.demo import ground
from lockstep.values import Json
from tests.cluster.bench import Bench, sites
from tests.pipelines.deploy.deploying import config, thing
from tests.support import apiserver, kubernetes_double
from tests.support.kubernetes_double.double import Double
from tests.support.kubernetes_double.faults import Faults
from tests.support.kubernetes_double.requests import Request

pytestmark = pytest.mark.cluster

_NAMES = ("seoul", "sejong", "daegu")
_RAW = [thing("Namespace", "pay"), *(config(f"c{number}", a=str(number)) for number in range(8))]


@pytest.fixture
def doubles(tmp_path: Path) -> Iterator[dict[str, Double]]:
    """Three servers that a test may spoil."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(kubernetes_double.serving(tmp_path / name, tls=False)) for name in _NAMES}


@pytest.fixture
def three(
    doubles: dict[str, Double], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    """A configuration of three sites that run the application alike."""
    app = tmp_path / "pay"
    app.mkdir()
    made, _ = ground.prepare(tmp_path / "ground", app=app)
    sites(made.config / "sites.yaml", {name: _private(server.kubeconfig()) for name, server in doubles.items()})
    admins = {name: apiserver.Admin(server) for name, server in doubles.items()}
    bench = Bench(ground=made, servers=admins, namespace="pay", monkeypatch=monkeypatch, capsys=capsys)
    bench.configure(protection={f"seoul-{name}": {"tier": "active"} for name in _NAMES[1:]})
    yield bench
    for admin in admins.values():
        admin.close()


def _private(file: Path) -> Path:
    file.chmod(0o600)
    return file


def _deployed(three: Bench) -> dict[str, Json]:
    """What the command says became of each site."""
    said = three.deploy("-o", "json")
    (task,) = json.loads(said.out)["tasks"]
    found: dict[str, Json] = task["detail"]["sites"]
    assert said.code == (0 if {one["state"] for one in found.values()} == {"done"} else 1)
    return found


def _count(three: Bench, site: str) -> int:
    found = three.servers[site].get("/api/v1/namespaces/pay/configmaps")["items"]
    return sum(one["metadata"]["name"].startswith("c") for one in found)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda faults: faults.slow(0.02, longest=2.0),
        lambda faults: (faults.throttle(seconds=0, share=0.15), faults.fail(share=0.1)),
    ],
    ids=["slow", "429 and 500"],
)  # fmt: skip
def test_a_site_that_is_slow_or_says_no_now_and_then_is_deployed_to_like_the_others(
    three: Bench, doubles: dict[str, Double], spoil: Callable[[Faults], object]
) -> None:
    """An answer takes 20 ms to 2 s, or is a refusal one time in four."""
    three.configure(rollout={"order": "together"})
    three.push(*_RAW)
    spoil(doubles["sejong"].faults)
    found = _deployed(three)
    assert {name: one["state"] for name, one in found.items()} == dict.fromkeys(_NAMES, "done")
    doubles["sejong"].faults.clear()
    assert {name: _count(three, name) for name in _NAMES} == dict.fromkeys(_NAMES, 8)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda faults: faults.hang_up(), "127.0.0.1"),
        (lambda faults: faults.slow(3600), "did not answer in time"),
        (lambda faults: faults.throttle(seconds=600), "asks us to wait 600 s"),
        (lambda faults: faults.slow(3600, meant=_writes), "did not answer in time"),
    ],
    ids=["cut off", "silent", "throttling", "silent when written"],
)  # fmt: skip
def test_a_site_that_is_out_is_named_and_the_others_have_theirs(
    three: Bench, doubles: dict[str, Double], spoil: Callable[[Faults], object], says: str
) -> None:
    """It is given up within its deadline, at whatever moment it goes; when it is back, a deploy goes on there."""
    three.hurry()
    three.push(*_RAW)
    spoil(doubles["sejong"].faults)
    found = _deployed(three)
    assert {name: one["state"] for name, one in found.items()} == {"seoul": "done", "sejong": "failed", "daegu": "done"}
    assert says in found["sejong"]["message"]
    assert (_count(three, "seoul"), _count(three, "daegu")) == (8, 8)
    doubles["sejong"].faults.clear()
    assert {name: one["state"] for name, one in _deployed(three).items()} == dict.fromkeys(_NAMES, "done")
    assert _count(three, "sejong") == 8


def _writes(asked: Request) -> bool:
    return asked.method == "PATCH" and "dryRun" not in asked.query
