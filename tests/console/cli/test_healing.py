"""From a change by hand to its end, with the real commands on the ground of the demo."""

from __future__ import annotations

import subprocess

from console.demo import tamper
from tests.console.cli.conftest import Terminal


def test_a_standby_is_healed_and_a_hot_fix_becomes_a_patch_that_git_takes(terminal: Terminal) -> None:
    """Deployed, changed by hand at both sites and found: one is deployed again, the other is taken by git am."""
    terminal.push()
    terminal.types("sync", "git")
    name = terminal.types("pipeline", "start", "shop", "--by", "lee", "-o", "json").json["name"]
    assert terminal.types("pipeline", "approve", name, "--by", "kim").code == 0
    assert terminal.types("drift", "seoul-sejong").code == 0

    spots = tamper.spots(terminal.ground.work)
    drifted, fixed = spots[0], next(spot for spot in spots if spot.name != spots[0].name or spot.kind != spots[0].kind)
    tamper.change_at_site(terminal.ground.site("sejong") / "cluster", drifted, mark="by-hand")
    tamper.change_at_site(terminal.ground.site("seoul") / "cluster", fixed, mark="hotfix")
    assert terminal.types("drift", "seoul-sejong").code == 1
    listed = terminal.types("findings", "list", "--pair", "seoul-sejong", "-o", "json").json
    found = {one["verdict"]: one["id"] for one in listed}

    patch = terminal.types("findings", "patch", str(found["PrimaryHotfix"]), "--author", "kim <kim@bank.example>")
    assert patch.code == 0, patch.err
    subprocess.run(
        ["git", "-c", "user.name=kim", "-c", "user.email=kim@bank.example", "am", "-q"],
        cwd=terminal.ground.work, input=patch.out, text=True, check=True,
    )  # fmt: skip
    before = (terminal.ground.site("seoul") / "cluster").rglob(f"{fixed.name}.yaml")
    (live,) = [file.read_text() for file in before if file.parent.name.startswith(f"{fixed.kind}.")]

    healed = terminal.types("findings", "heal", str(found["StandbyDrift"]))
    assert (healed.code, "Succeeded" in healed.out) == (0, True), healed.err
    assert terminal.types("drift", "seoul-sejong").code == 1
    left = terminal.types("findings", "list", "--pair", "seoul-sejong", "-o", "json").json
    assert [one["verdict"] for one in left] == ["PrimaryHotfix"]
    after = (terminal.ground.site("seoul") / "cluster").rglob(f"{fixed.name}.yaml")
    assert [file.read_text() for file in after if file.parent.name.startswith(f"{fixed.kind}.")] == [live]
    (shown,) = terminal.types("pair", "healing", "seoul-sejong", "-o", "json").json["healed"]
    assert (shown["site"], shown["automatic"]) == ("sejong", False)
