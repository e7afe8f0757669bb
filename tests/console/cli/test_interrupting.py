"""Ctrl-C ends a command soon, whatever it waits for, and what it was about can be done again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep import documents
from lockstep.values import Json
from tests.support import mini_registry
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Scripted

NAME = "pay/api"


@pytest.fixture
def registries() -> Iterator[tuple[Scripted, Scripted]]:
    """A source with one image, and a site."""
    with mini_registry.serve() as source, mini_registry.serve() as site:
        Maker(store=source.store(), repository=NAME).image(b"layer", tag="v1")
        yield source, site


def _configured(directory: Path, source: Scripted, site: Scripted) -> dict[str, str]:
    """Two sites and a mirror; the environment of a command that finds them."""

    def registry(scripted: Scripted, prefix: str) -> Json:
        return {"registry": {"url": scripted.url, "imagePrefix": prefix}}

    specs = [
        ("Site", "seoul", registry(source, "registry.seoul.example")),
        ("Site", "sejong", registry(site, "registry.sejong.example")),
        ("ImageMirror", "pay", {"source": {"site": "seoul"}, "repositories": [NAME], "sites": ["sejong"]}),
    ]
    directory.mkdir()
    for kind, name, spec in specs:
        document = {"apiVersion": "lockstep.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        (directory / f"{kind}.{name}.yaml").write_text(documents.dump(document))
    return {**os.environ, "LOCKSTEP_CONFIG": str(directory)}


def test_a_site_that_never_answers_keeps_nobody_who_wants_to_leave(
    registries: tuple[Scripted, Scripted], tmp_path: Path
) -> None:
    """The site has the request and gives no answer; the command ends with 130, and the next one brings the image."""
    source, site = registries
    environment = _configured(tmp_path / "config", source, site)
    asked, over = threading.Event(), threading.Event()

    def stall(request: Asked) -> None:
        if request.is_("PUT", "/uploads/"):
            asked.set()
            over.wait(60)

    site.script = stall
    command = [sys.executable, "-m", "console", "sync", "images"]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert asked.wait(30)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert running.returncode == 130
        assert b"Traceback" not in said
    finally:
        over.set()
        running.kill()
        running.communicate()
    site.script = lambda _asked: None
    assert subprocess.run(command, check=False, env=environment, capture_output=True).returncode == 0
    assert site.tags[NAME] == source.tags[NAME]
