"""Which images are meant, and which run, as the command says it."""

from __future__ import annotations

import pytest
import yaml

from console.demo import ground
from lockstep.sites import directory
from lockstep.values import Json
from tests.console.cli.conftest import Terminal

pytestmark = pytest.mark.needs("git")


def _web(made: ground.Ground, image: str) -> Json:
    """The Deployment of the example, as somebody made it by hand."""
    found = yaml.safe_load_all((ground.example() / "application/deploy/base/web.yaml").read_text(encoding="utf-8"))
    (web,) = [one for one in found if one["kind"] == "Deployment"]
    web["metadata"]["namespace"] = made.application
    web["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return web


def test_an_image_whose_digest_nobody_knows_is_unknown_with_the_reason_and_no_hot_fix(terminal: Terminal) -> None:
    """Nothing was ever deployed from here, no Pod runs, no registry has it: whatever lives may be right or wrong."""
    made = terminal.ground
    terminal.push()
    assert terminal.types("sync", "git").code == 0
    pinned = _web(made, f"registry.seoul.example/shop/web@sha256:{'5' * 64}")
    directory.DirectoryCluster(root=made.site("seoul") / "cluster").apply(pinned)
    said = terminal.types("drift", "seoul-sejong", "-o", "json")
    path = "spec.template.spec.containers[web].image"
    (found,) = [one for one in said.json["differences"] if one["field"] == path]
    assert (said.code, said.json["scans"][0]["verdict"], found["verdict"]) == (2, "Unknown", "Unknown")
    assert found["note"].startswith("nobody knows which image is meant: no digest of shop/web:")
    assert "MissingAtStandby" in {one["verdict"] for one in said.json["differences"]}
