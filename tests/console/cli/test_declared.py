"""What overlays declare, from a commit in git to the name of whom accepted it."""

from __future__ import annotations

from lockstep.values import Json
from tests.console.cli.conftest import Terminal

PATCH = """\
- target: {{kind: ConfigMap, name: .*}}
  patch: |
    - {{op: add, path: /data/banner, value: "{banner}"}}
    - {{op: add, path: /data/DB_PASSWORD, value: "{password}"}}
"""


def deployed(terminal: Terminal, **values: str) -> list[dict[str, Json]]:
    """The overlay of sejong with these values, pushed, deployed and compared; what it declares then."""
    file = terminal.ground.work / "deploy/overlays/sejong/kustomization.yaml"
    head, _, _ = file.read_text(encoding="utf-8").partition("- target: {kind: ConfigMap")
    file.write_text(head + PATCH.format(**values), encoding="utf-8")
    terminal.push()
    terminal.types("sync", "git")
    name = terminal.types("pipeline", "start", "shop", "--by", "lee", "-o", "json").json["name"]
    assert terminal.types("pipeline", "approve", name, "--by", "kim").code == 0
    terminal.types("drift", "seoul-sejong")
    found: list[dict[str, Json]] = terminal.types("findings", "declared", "-o", "json").json
    return found


def test_what_an_overlay_declares_is_accepted_one_by_one_and_only_as_it_is(terminal: Terminal) -> None:
    """With its commit and author; another value is open again, also where nobody is shown what it is."""
    found = deployed(terminal, banner="DR", password="hunter-a")
    assert {(one["field"], one["state"], one["site"]) for one in found} == {
        ("data.banner", "open", "sejong"),
        ("data.DB_PASSWORD", "open", "sejong"),
    }
    assert all(one["cause"]["kind"].startswith("commit ") and one["cause"]["by"] for one in found)
    numbers = {one["field"]: str(one["id"]) for one in found}
    assert terminal.types("findings", "accept", numbers["data.banner"], "--note", "for people", "--by", "kim").code == 0
    listed = terminal.types("findings", "declared")
    assert (listed.code, "for people" in listed.out) == (1, True)
    assert (
        terminal.types("findings", "accept", numbers["data.DB_PASSWORD"], "--note", "its own", "--by", "kim").code == 0
    )
    assert terminal.types("findings", "declared").code == 0

    again = deployed(terminal, banner="DR", password="hunter-b")
    assert {one["field"]: (one["state"], one["by"]) for one in again} == {
        "data.banner": ("accepted", "kim"),
        "data.DB_PASSWORD": ("open", ""),
    }
    assert "hunter" not in str(again)
    assert terminal.types("findings", "withdraw", numbers["data.banner"]).code == 0
    assert {one["state"] for one in terminal.types("findings", "declared", "-o", "json").json} == {"open"}
    refused = terminal.types("findings", "accept", "999", "--note", "x")
    assert refused.code == 64
