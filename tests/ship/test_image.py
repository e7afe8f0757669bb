"""The image, built for real on a base that was made here: no registry and no package index is asked."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lockstep import children
from tests.ship import installing, walked
from tests.support import leashed

pytestmark = [
    pytest.mark.needs("root", "mounts", "buildah", "debootstrap"),
    pytest.mark.timeout(900),
]

# Debian's release, and its Python.
_SUITE, _VERSION = "bookworm", "3.11"
_STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
_BUILD_TOOLS = ("pip", "pip3", "gcc", "cc", "g++", "make", "hatchling", "hatch", "uv")
_BUILD_MODULES = ("pip", "setuptools", "wheel", "hatchling", "pkg_resources")
_LEFT = """
import importlib.util, json, shutil, sys
tools, modules = (names.split(",") for names in sys.argv[1:])
print(json.dumps([name for name in tools if shutil.which(name)]
               + [name for name in modules if importlib.util.find_spec(name)]))
"""
# On a busy machine buildah may end, with success, before it has passed on what a command in a chroot wrote.
_TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of the image."""

    name: str
    environ: Mapping[str, str]

    def argv(self, *command: str) -> list[str]:
        """What runs a command in it, as the image's user."""
        return ["buildah", "run", "--isolation", "chroot", self.name, "--", *command]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        return subprocess.run(self.argv(*command), env=self.environ, capture_output=True, text=True, check=False)

    def read(self, *command: str) -> str:
        """What a command in it wrote to stdout."""
        for _ in range(_TIMES):
            done = self.run(*command)
            assert done.returncode == 0, done.stderr
            if done.stdout:
                break
        return done.stdout


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """An environment in which buildah keeps everything in a folder of the test's own."""
    folder = tmp_path_factory.mktemp("containers")
    (folder / "storage.conf").write_text(_STORAGE.format(folder=folder), encoding="utf-8")
    # vfs copies whole folders, and asks the kernel for nothing.
    own = {"CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"), "STORAGE_DRIVER": "vfs", "TMPDIR": str(folder)}
    yield {**os.environ, **own, "SUITE": _SUITE, "BUILDER": "buildah"}
    # Copies of whole systems: pytest would keep those of the last three sessions.
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def container(environ: Mapping[str, str], wheels: installing.Wheels) -> Container:
    """A container of the image, which ``make image`` built on a base made by debootstrap."""
    folder = wheels.fetch(_VERSION)
    wheels.fetch_pip()
    _script("build-base.sh", environ, IMAGE="localhost/base")
    _script("build-image.sh", environ, BASE="localhost/base", WHEELS=str(folder), IMAGE="localhost/lockstep")
    name = _buildah("from", "localhost/lockstep", environ=environ)
    return Container(name=name, environ=environ)


def _script(name: str, environ: Mapping[str, str], **variables: str) -> None:
    script = installing.ROOT / "deploy" / name
    done = subprocess.run([script], env={**environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


def _buildah(*arguments: str, environ: Mapping[str, str]) -> str:
    done = subprocess.run(["buildah", *arguments], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def configured(container: Container) -> dict[str, Any]:
    """What the image says about itself."""
    inspected = _buildah("inspect", "--type", "image", "localhost/lockstep", environ=container.environ)
    found: dict[str, Any] = json.loads(inspected)["Docker"]["config"]
    return found


def test_the_image_is_not_root_and_is_watched(container: Container, configured: dict[str, Any]) -> None:
    """It serves as a user of its own, who owns its state and nothing that it runs."""
    assert configured["User"] == "lockstep"
    assert configured["Entrypoint"] == ["lockstep"]
    assert configured["Healthcheck"]["Test"][0] == "CMD"
    assert container.read("id", "-u", "-n").strip() == "lockstep"
    assert container.read("find", "/opt/lockstep", "-writable", "-not", "-type", "l", "-print", "-quit") == ""
    container.read("touch", "/var/lib/lockstep/mine")


def test_no_build_tool_is_left_inside(container: Container) -> None:
    """Neither in the virtual environment nor in the base's own Python."""
    asked = (_LEFT, ",".join(_BUILD_TOOLS), ",".join(_BUILD_MODULES))
    assert json.loads(container.read("/opt/lockstep/bin/python", "-c", *asked)) == []
    assert json.loads(container.read("/usr/bin/python3", "-c", *asked)) == []


def test_what_the_image_runs_is_compiled(container: Container) -> None:
    """Nobody may write beside the modules in the image, so what was not compiled would be compiled at every start."""
    compiled = "import console.wiring, sys; print(*(m.__name__ for m in sys.modules.values() if not compiled(m)))"
    how = "from pathlib import Path; compiled = lambda m: not (c := getattr(m, '__cached__', None)) or Path(c).exists()"
    assert container.read("python", "-c", f"{how}; {compiled}").split() == []


def test_the_demo_walks_inside_and_the_health_check_tells_well_from_ill(
    container: Container, configured: dict[str, Any]
) -> None:
    """As the image's user; what the demo left is then served, asked, ended, and asked again."""
    place = "/tmp/demo"  # noqa: S108 - in the container
    walked.check(container.read("lockstep", "demo", "--exit", "--directory", place, "-o", "json"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    serve = ("--config", f"{place}/config", "--state", f"{place}/state", "serve", "--listen", f"127.0.0.1:{port}")
    asked = [re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", word) for word in configured["Healthcheck"]["Test"][1:]]
    service = children.Command(argv=container.argv("lockstep", *serve), env=container.environ)
    with leashed.running(service, ready=lambda said: b"Lockstep serves at" in said, seconds=60):
        assert container.run(*asked).returncode == 0
    assert container.run(*asked).returncode != 0
