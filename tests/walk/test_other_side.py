"""At three in the morning, in earnest: the standby's own git server and registry, and a service that starts anew.

Every end of the primary is gone in a way of its own: its API server resets connections, its registry refuses them, its
git server takes them and says nothing; the forge is no more. ``docs/from-the-other-side.md`` says what to type.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.demo import forge, ground
from console.demo.product import Service, until
from lockstep.values import Json
from tests.cluster.bench import SITES, Bench
from tests.support import apiserver, git_http, images, kubernetes_double, registries
from tests.support.kubernetes_double.double import Double

pytestmark = pytest.mark.needs("git", "git-http-backend", "docker-registry")
_PAIR = "seoul-sejong"
_APPLICATION = "shop"


@dataclass(kw_only=True)
class _Site:
    """The ends of a site, as servers; each can be lost."""

    cluster: Double
    git: git_http.GitHttp
    registry: registries.Registry
    running: contextlib.ExitStack

    @classmethod
    def start(cls, stack: contextlib.ExitStack, folder: Path) -> _Site:
        """Start them, with empty repositories, and the name space that an application does not bring."""
        running = stack.enter_context(contextlib.ExitStack())
        for repository in (_APPLICATION, "configuration"):
            bare = folder / "git" / f"{repository}.git"
            forge.git("init", "--quiet", "--bare", "--initial-branch=main", str(bare), cwd=folder.parent)
            forge.git("config", "http.receivepack", "true", cwd=bare)
        cluster = stack.enter_context(kubernetes_double.serving(folder / "cluster", tls=False))
        cluster.kubeconfig().chmod(0o600)
        return cls(
            cluster=cluster,
            git=stack.enter_context(git_http.serve(folder / "git")),
            registry=running.enter_context(registries.serve(folder / "registry")),
            running=running,
        )

    def spec(self) -> dict[str, Json]:
        """As a configuration names them."""
        return {
            "git": {"url": f"{self.git.url}/{{repository}}.git"},
            "registry": {"url": f"http://{self.registry.host}", "imagePrefix": f"{self.registry.host}/prod"},
            "cluster": {"kubeconfig": {"file": str(self.cluster.kubeconfig())}},
        }

    def lose(self) -> None:
        """Frozen, refused and cut."""
        self.git.behaviour = "hang"
        self.running.close()
        self.cluster.faults.hang_up(reset=True)


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[dict[str, _Site]]:
    """The two sites."""
    for name in SITES:
        (tmp_path / "ends" / name).mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        yield {name: _Site.start(stack, tmp_path / "ends" / name) for name in SITES}


@pytest.fixture
def bench(
    sites: dict[str, _Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    """The day before: the application and the configuration are mirrored, and deployed to both."""
    monkeypatch.setattr("pipelines.delivery.deploy._ROLLING_SECONDS", 0.1)
    made, _ = ground.prepare(tmp_path / "day", app=None)
    _configure(made.config, sites)
    with contextlib.ExitStack() as stack:
        admins = {
            name: stack.enter_context(contextlib.closing(apiserver.Admin(one.cluster))) for name, one in sites.items()
        }
        for admin in admins.values():
            admin.create("/api/v1/namespaces", {"metadata": {"name": _APPLICATION}})
            admin.create(f"/api/v1/namespaces/{_APPLICATION}/serviceaccounts", {"metadata": {"name": "default"}})
        bench = Bench(ground=made, servers=admins, namespace=_APPLICATION, monkeypatch=monkeypatch, capsys=capsys)
        _deliver(bench, sites["seoul"], tmp_path)
        yield bench


def _configure(config: Path, ends: Mapping[str, _Site]) -> None:
    """Sites that are servers; the configuration is mirrored too, for nothing else names it."""
    documents = list(yaml.safe_load_all((config / "sites.yaml").read_text(encoding="utf-8")))
    for one in documents:
        if one["metadata"]["name"] in ends:
            one["spec"] |= ends[one["metadata"]["name"]].spec()
    (config / "sites.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    mirrors = list(yaml.safe_load_all((config / "mirrors.yaml").read_text(encoding="utf-8")))
    mirrors[0]["spec"]["repositories"].append("configuration")
    (config / "mirrors.yaml").write_text(yaml.safe_dump_all(mirrors), encoding="utf-8")


def _deliver(bench: Bench, primary: _Site, folder: Path) -> None:
    made = bench.ground
    forge.make(made.forge.parent / "configuration.git")
    forge.clone(made.forge.parent / "configuration.git", folder / "configuration")
    shutil.copytree(made.config, folder / "configuration", dirs_exist_ok=True)
    forge.push(folder / "configuration", message="The configuration")
    forge.push(made.work, message="The shop")
    images.Maker(store=primary.registry.store(prefix="prod"), repository="shop/web").image(
        images.tar_gz({"app": b"1"}), tag="latest"
    )
    assert bench.types("sync", "git").code == 0
    assert bench.types("sync", "images").code == 0
    with bench.controllers():
        assert bench.types("deploy", _APPLICATION, "--by", "lee").code == 0


def _night(bench: Bench, sites: Mapping[str, _Site], folder: Path) -> Bench:
    """The primary goes, with the forge and Lockstep's own machine; somebody clones what the standby has."""
    there = ground.Ground(directory=folder / "night", application=_APPLICATION)
    shutil.copytree(bench.ground.site("daegu"), there.site("daegu"), symlinks=True)
    shutil.rmtree(bench.ground.directory)
    sites["seoul"].lose()
    source = f"{sites['sejong'].git.url}/configuration.git"
    subprocess.run(["git", "clone", "--quiet", source, str(there.config)], check=True)
    (there.directory / "secrets").mkdir(mode=0o700)
    (there.directory / "secrets" / "forge").write_text("a new one")
    return replace(bench, ground=there, servers={"sejong": bench.servers["sejong"]})


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_a_service_that_starts_at_the_standby_from_nothing_knows_compares_and_deploys(
    bench: Bench,
    sites: dict[str, _Site],
    tmp_path: Path,
    empty_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the primary everything is Unknown, in the API, in numbers and in a preflight; the standby is known."""
    night = _night(bench, sites, tmp_path)
    monkeypatch.setenv("LOCKSTEP_DATABASE", empty_database_url)
    service = Service(night.ground)
    service.start(quiet=True)
    try:
        _is_known_as_far_as_it_can_be(night, service)
        _is_told_of_a_change_by_hand(night, service)
        _is_deployed_to(night, sites["sejong"])
    finally:
        # A service that is told to stop waits for its jobs, and those for a server that stands still.
        sites["seoul"].git.closing.set()
        service.stop()
    # Nobody got anything from the primary, and nobody waits for it.
    assert sites["seoul"].git.requests
    assert not (night.ground.directory / "service.log").read_text(encoding="utf-8").count("Traceback")


def _fleet(service: Service) -> dict[str, Any]:
    (found,) = [one for one in service.ask("/fleet")["items"] if one["pair"] == _PAIR]
    return dict(found)


def _get(service: Service, path: str) -> str:
    token = (service.ground.state / "token").read_text(encoding="utf-8").strip()
    request = urllib.request.Request(f"{service.url}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def _is_known_as_far_as_it_can_be(bench: Bench, service: Service) -> None:
    """Unknown because nobody could read the primary, and not for want of a look; the standby is as git says."""
    until("both sites were looked at", lambda: not _fleet(service)["stale"])
    assert _fleet(service)["verdict"] == "Unknown"
    found = service.ask(f"/findings?pair={_PAIR}&state=unresolved")["items"]
    assert {(one["verdict"], one["site"]) for one in found} == {("Unknown", "seoul")}
    numbers = _get(service, "/metrics")
    assert f'lockstep_drift_verdict{{application="shop",pair="{_PAIR}",verdict="Unknown"}} 1.0' in numbers
    assert re.search(rf'lockstep_in_step\{{application="shop",pair="{_PAIR}"\}} 0.0', numbers)
    told = bench.types("preflight", _PAIR, "-o", "json")
    assert (told.code, told.json["verdict"]) == (2, "NO-GO")
    outcomes = {one["check"]: one["outcome"] for one in told.json["results"]}
    assert outcomes["APP-01"] == "UNKNOWN"


def _is_told_of_a_change_by_hand(bench: Bench, service: Service) -> None:
    settings = f"/api/v1/namespaces/{_APPLICATION}/configmaps/shop"
    greeting = bench.servers["sejong"].get(settings)["data"]["GREETING"]

    def drifted() -> list[str]:
        found = service.ask(f"/findings?pair={_PAIR}&state=unresolved")["items"]
        return [one["path"] for one in found if one["verdict"] == "StandbyDrift"]

    bench.servers["sejong"].merge(settings, {"data": {"GREETING": "by hand"}})
    assert until("the change is found", drifted) == ["/data/GREETING"]
    bench.servers["sejong"].merge(settings, {"data": {"GREETING": greeting}})
    until("it is found to be undone", lambda: not drifted())


def _is_deployed_to(bench: Bench, standby: _Site) -> None:
    """From the standby's mirrors: the commit of its git server, the image of its registry, at full size."""
    reason = ("--reason", "fire in seoul-dc1", "--by", "lee")
    assert bench.types("pair", "stance", _PAIR, "switched", *reason).code == 0
    with bench.controllers():
        said = bench.types("deploy", _APPLICATION, "--site", "sejong", "--by", "lee")
    assert said.code == 0, said
    web = bench.servers["sejong"].get(bench.path("deployments", "web"))["spec"]
    (container,) = web["template"]["spec"]["containers"]
    held = standby.registry.store(prefix="prod").resolve("shop/web", "latest")
    assert held is not None
    assert (web["replicas"], container["image"]) == (3, f"{standby.registry.host}/prod/shop/web@{held.digest}")
