"""At three in the morning: the primary is gone with all its ends, and Lockstep is started at the standby from nothing.

What ``docs/from-the-other-side.md`` has people type is typed here, on real repositories, layouts and API servers.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from console.demo import forge, ground
from lockstep.values import Json
from tests.cluster.bench import SITES, Bench, sites
from tests.support import apiserver, images

pytestmark = [pytest.mark.cluster, pytest.mark.needs("git")]
# Far away and gone: nobody waits long for it.
_LIMITS = {"timeout": "1s"}


@pytest.fixture
def bank(
    server: apiserver.Server,
    other_server: apiserver.Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Bench]:
    """The shop runs at both sites, and its configuration is mirrored like any other repository."""
    monkeypatch.setattr("pipelines.delivery.deploy._ROLLING_SECONDS", 0.1)
    made, _ = ground.prepare(tmp_path / "day", app=None)
    servers = dict(zip(SITES, (server, other_server), strict=True))
    with contextlib.ExitStack() as stack:
        admins = {name: stack.enter_context(contextlib.closing(apiserver.Admin(one))) for name, one in servers.items()}
        bench = Bench(ground=made, servers=admins, namespace="shop", monkeypatch=monkeypatch, capsys=capsys)
        _configure(made.config, {name: _reached(bench, name, one, tmp_path) for name, one in servers.items()})
        _deliver(bench, tmp_path)
        yield bench


def _reached(bench: Bench, name: str, server: apiserver.Server, folder: Path) -> Path:
    """A kubeconfig of the test's own, to a server that has the name space."""
    admin = bench.servers[name]
    if not admin.answers("/api/v1/namespaces/shop"):
        admin.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        admin.create("/api/v1/namespaces/shop/serviceaccounts", {"metadata": {"name": "default"}})
    file = Path(shutil.copy(server.kubeconfig(), folder / f"{name}.kubeconfig"))
    file.chmod(0o600)
    return file


def _configure(config: Path, kubeconfigs: dict[str, Path]) -> None:
    """Two API servers; the configuration is named among the mirrored repositories, for nothing else names it."""
    sites(config / "sites.yaml", kubeconfigs)
    documents = list(yaml.safe_load_all((config / "sites.yaml").read_text()))
    for one in documents:
        if "kubeconfig" in one["spec"].get("cluster", {}):
            one["spec"]["cluster"]["limits"] = _LIMITS
    (config / "sites.yaml").write_text(yaml.safe_dump_all(documents))
    mirrors = list(yaml.safe_load_all((config / "mirrors.yaml").read_text()))
    mirrors[0]["spec"]["repositories"].append("configuration")
    (config / "mirrors.yaml").write_text(yaml.safe_dump_all(mirrors))


def _deliver(bench: Bench, folder: Path) -> None:
    """The day before: everything is mirrored and deployed."""
    made = bench.ground
    forge.make(made.forge.parent / "configuration.git")
    forge.clone(made.forge.parent / "configuration.git", folder / "configuration")
    shutil.copytree(made.config, folder / "configuration", dirs_exist_ok=True)
    forge.push(folder / "configuration", message="The configuration")
    forge.push(made.work, message="The shop")
    store = images.new_store(made.site("seoul") / "registry")
    images.Maker(store=store, repository="shop/web").image(images.tar_gz({"app": b"1"}), tag="latest")
    assert bench.types("sync", "git").code == 0
    assert bench.types("sync", "images").code == 0
    with bench.controllers():
        assert bench.types("deploy", "shop", "--by", "lee").code == 0


def _lose(bench: Bench, folder: Path) -> Bench:
    """Everything of the primary goes, with the forge and Lockstep's own machine; somebody clones what is left."""
    there = ground.Ground(directory=folder / "night", application="shop")
    for name in ("sejong", "daegu"):
        shutil.copytree(bench.ground.site(name), there.site(name), symlinks=True)
    shutil.rmtree(bench.ground.directory)
    gone = apiserver.kubeconfig("gone", cluster={"server": "http://127.0.0.1:1"}, user={"token": "t"})
    (folder / "seoul.kubeconfig").write_text(json.dumps(gone))
    source = there.site("sejong") / "git" / "configuration.git"
    subprocess.run(["git", "clone", "--quiet", str(source), str(there.config)], check=True)
    return replace(bench, ground=there)


def _told(bench: Bench, *arguments: str) -> Json:
    return json.loads(bench.types("drift", "seoul-sejong", "-o", "json", *arguments).out)


def test_the_standby_is_compared_reported_and_started_from_its_own_mirrors(bank: Bench, tmp_path: Path) -> None:
    """With an empty database: Unknown of the primary, the standby held against git, and a deploy to it at full size."""
    bench = _lose(bank, tmp_path)
    assert bench.types("validate", str(bench.ground.config)).code == 0

    # What is known: the standby against git, the primary not at all; nothing is written while nobody knows the stance.
    first = _told(bench)
    (scan,) = first["scans"]
    assert (first["verdict"], scan["stance"], scan["health"]["seoul"]) == ("Unknown", "unknown", "Unknown")
    assert [(one["verdict"], one["site"]) for one in first["differences"]] == [("Unknown", "seoul")]
    assert scan["vitals"]["sejong"]["judged"] > 0
    settings = "/api/v1/namespaces/shop/configmaps/shop"
    greeting = bench.servers["sejong"].get(settings)["data"]["GREETING"]
    bench.servers["sejong"].merge(settings, {"data": {"GREETING": "by hand"}})
    drifted = [one for one in _told(bench)["differences"] if one["site"] == "sejong"]
    assert [(one["verdict"], one["path"]) for one in drifted] == [("StandbyDrift", "/data/GREETING")]
    bench.servers["sejong"].merge(settings, {"data": {"GREETING": greeting}})
    assert not [one for one in _told(bench)["differences"] if one["site"] == "sejong"]
    assert bench.types("preflight", "seoul-sejong").code == 2
    held = bench.types("deploy", "shop", "--site", "sejong", "--dry-run")
    assert "the pair seoul-sejong is in the stance unknown" in held.out

    # A person says that the standby is the truth now, and starts it.
    reason = ("--reason", "fire in seoul-dc1", "--by", "lee")
    switched = bench.types("pair", "stance", "seoul-sejong", "switched", *reason)
    assert (switched.code, "seoul could not be told yet" in switched.err) == (0, True)
    unnamed = bench.types("deploy", "shop", "--dry-run")
    assert "sejong is held: the pair seoul-sejong is in the stance switched" in unnamed.out
    with bench.controllers():
        assert bench.types("deploy", "shop", "--site", "sejong", "--by", "lee").code == 0
    web = bench.servers["sejong"].get(bench.path("deployments", "web"))["spec"]
    assert web["replicas"] == 3
    (container,) = web["template"]["spec"]["containers"]
    assert container["image"].startswith("registry.sejong.example/prod/shop/web@sha256:")
    settle = bench.servers["sejong"].get("/apis/batch/v1/namespaces/shop/cronjobs/settle")
    assert settle["spec"]["suspend"] is False

    # It is as git says, and of the primary nobody knows anything.
    last = _told(bench)
    assert [(one["verdict"], one["site"]) for one in last["differences"]] == [("Unknown", "seoul")]
    assert last["scans"][0]["truth"] == "sejong"
