"""Each command without a service: it does the work itself, says how it went, and its exit code means one thing."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.console.cli.conftest import Terminal


def test_mirroring_twice_changes_nothing(terminal: Terminal) -> None:
    """The first run brings the repository to three sites, the second finds it there."""
    commit = terminal.push()
    first, second = terminal.types("sync", "git", "-o", "json"), terminal.types("sync", "git")
    assert (first.code, second.code) == (0, 0)
    assert first.out.count(commit) == 3
    assert second.out.count("equal") == 3
    assert terminal.types("sync", "images").code == 0


def test_images_are_asked_for_as_an_archive_with_options_that_go_together(terminal: Terminal) -> None:
    """What would do two things, or say nothing of the site, is a mistake of use; what is not there is an error."""
    archive = str(terminal.ground.work.parent / "images.tar")
    for wrong in (
        ("--import", archive),
        ("--since", archive),
        ("--export", archive, "--dry-run"),
        ("--export", archive, "--import", archive, "--site", "seoul"),
    ):
        assert terminal.types("sync", "images", *wrong).code == 64
    said = terminal.types("sync", "images", "--import", archive, "--site", "seoul")
    assert (said.code, "There is no file" in said.err) == (2, True)
    assert terminal.types("sync", "images", "--export", archive).code == 2


def test_what_a_guard_holds_is_let_go_by_its_name_with_a_reason(terminal: Terminal) -> None:
    """A rewritten branch: it is told with a name; without a reason, or under another name, nothing goes.

    A dry run fetches nothing: before the new history is here it says that it does not know, and then names the same.
    """
    terminal.push()
    assert terminal.types("sync", "git").code == 0
    git = ["git", "-C", str(terminal.ground.work)]
    subprocess.run([*git, "commit", "--quiet", "--amend", "--message=Another history"], check=True)
    subprocess.run([*git, "push", "--quiet", "--force", "origin", "HEAD:main"], check=True)
    before = terminal.types("sync", "git", "shop", "--dry-run")
    assert (before.code, "is unknown until it is fetched (rewritten: hold if not)" in before.out) == (1, True)
    seen = terminal.types("sync", "git", "shop", "-o", "json")
    holds = [one["hold"] for one in seen.json["sites"]]
    assert (seen.code, len(set(holds))) == (1, 3)
    assert holds[0] in terminal.types("sync", "git", "shop", "--dry-run").out
    table = " ".join(terminal.types("sync", "git").out.split())
    assert "refs/heads/main: keep held: rewritten: The source has" in table
    assert terminal.types("sync", "git", "shop", "--release", holds[0]).code == 64
    let_go = ("sync", "git", "shop", "--reason", "the old key is in its history", "--release")
    other = terminal.types(*let_go, "0123")
    assert (other.code, "Look again" in other.err) == (2, True)
    assert terminal.types(*let_go, holds[0], "--release", holds[1], "--release", holds[2]).code == 0
    assert terminal.types("sync", "git").out.count("equal") == 3


def test_a_source_that_is_gone_is_an_error_that_names_it(terminal: Terminal) -> None:
    """Nobody is told that all is well when nobody could be asked."""
    shutil.rmtree(terminal.ground.forge)
    said = terminal.types("sync", "git")
    assert said.code == 2
    assert "shop" in said.out


def test_a_pipeline_is_started_answered_and_shown(terminal: Terminal) -> None:
    """It works itself as far as the question; the answer leads it to its end."""
    commit = terminal.push()
    terminal.types("sync", "git")
    started = terminal.types("pipeline", "start", "shop", "--by", "lee", "-o", "json")
    assert started.code == 1
    name = started.json["name"]
    assert started.json["waiting"][0]["question"].startswith(f"Deploy {commit}")
    assert terminal.types("pipeline", "approve", name, "--by", "kim").code == 0
    assert "Succeeded" in terminal.types("pipeline", "show", name).out
    assert terminal.types("pipeline", "show", name, "-o", "yaml").out.startswith("apiVersion: tekton.dev/v1\n")
    assert "[build/" in terminal.types("pipeline", "logs", name).out
    assert name in terminal.types("pipeline", "runs").out
    again = terminal.types("pipeline", "approve", name, "--by", "kim")
    assert (again.code, "asks nothing" in again.err) == (1, True)
    idle = terminal.types("deploy", "shop", "--dry-run")
    assert (idle.code, idle.out.splitlines()[0]) == (0, f"shop at {commit[:12]}")


def test_a_dry_run_says_what_a_deploy_would_do_and_writes_nothing(terminal: Terminal) -> None:
    """Exit code 1: something would change."""
    terminal.push()
    (terminal.ground.work / "deploy/base/web.yaml").write_text("{}\n", encoding="utf-8")
    said = terminal.types("deploy", "shop", "--dry-run")
    assert said.code == 2
    assert "error:" in said.err
    assert not list((terminal.ground.site("seoul") / "cluster").iterdir())


def test_a_stance_is_put_in_force_with_a_reason(terminal: Terminal) -> None:
    """Which site is the truth and what is held follow from it; without a reason it is refused."""
    assert terminal.types("pair", "stance", "seoul-sejong", "switched").code == 64
    said = terminal.types("pair", "stance", "seoul-sejong", "switched", "--reason", "fire", "--by", "kim")
    only = "held: sejong (written to only by a deploy that names it)"
    assert said.out == f"seoul-sejong: switched, the truth is sejong; {only}\n"
    shown = {one["pair"]: one for one in terminal.types("pair", "show", "-o", "json").json}
    assert (shown["seoul-sejong"]["reason"], shown["seoul-sejong"]["by"]) == ("fire", "kim")
    assert shown["seoul-daegu"]["stance"] == "normal"
    assert "sejong" in terminal.types("pair", "show").out


def test_deliveries_and_runs_that_are_not_there_are_said(terminal: Terminal) -> None:
    """No empty tables, and a wrong name is told what there is."""
    assert terminal.types("events", "list").out == "No deliveries yet.\n"
    assert terminal.types("pipeline", "runs").out == "No runs yet.\n"
    missing = terminal.types("events", "show", "7")
    assert (missing.code, missing.out) == (64, "")
    assert "There is no" in terminal.types("pair", "show", "no-such").err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("no-such-command",), 64),
        (("events", "list", "--most", "0"), 64),
        (("pipeline", "run", "-f", "/dev/null", "-p", "novalue"), 64),
        (("deploy", "no-such-application"), 2),
        (("sync", "git", "no-such-mirror"), 2),
        (("sync", "git", "--site", "no-such-site"), 2),
        (("sync", "images", "--site", "no-such-site"), 2),
        (("--help",), 0),
        (("--version",), 0),
    ],
)
def test_exit_codes_never_look_like_a_verdict(terminal: Terminal, arguments: tuple[str, ...], code: int) -> None:
    """64 for a wrong call; a command that can give a verdict has a code of its own for errors."""
    assert terminal.types(*arguments).code == code


def test_a_state_that_cannot_be_made_is_no_mistake_of_ours(terminal: Terminal) -> None:
    """A mistyped path, or a disk that is only read: the place is named with what to do, by the code of an error."""
    said = terminal.types("sync", "images", "--state", "/dev/null/state")
    assert said.code == 2
    assert "The directory /dev/null/state cannot be made: not a directory. Name another one with --state" in said.err


def test_the_first_help_keeps_its_lines(terminal: Terminal) -> None:
    """What to try first stands line by line, as it was written."""
    assert "\n  Try it:      lockstep demo\n  Check:       lockstep validate DIR\n" in terminal.types("--help").out


def test_the_doctor_asks_every_end(terminal: Terminal) -> None:
    """Everything answers: exit code 0, and every site's git, registry, cluster and archive has a line."""
    terminal.push()
    said = terminal.types("doctor", "-o", "json")
    asked = {(check["place"], check["what"]) for check in said.json}
    for site in ("seoul", "sejong"):
        assert {(site, "git shop"), (site, "registry"), (site, "cluster")} <= asked
    assert ("daegu", "archive") in asked
    assert ("here", "secret of the webhook forge") in asked
    assert said.code == 0, said.out
    assert "✓" in terminal.types("doctor").out


def test_the_doctor_says_what_stays_unknown(terminal: Terminal) -> None:
    """A registry that is gone, a secret that is gone, a repository that is gone: each with what it costs."""
    shutil.rmtree(terminal.ground.site("sejong") / "registry")
    shutil.rmtree(terminal.ground.forge)
    (terminal.ground.directory / "secrets/forge").unlink()
    said = terminal.types("doctor", "-o", "json")
    bad = {(check["place"], check["what"]): check for check in said.json if not check["ok"]}
    assert set(bad) == {("sejong", "registry"), ("source", "git shop"), ("here", "secret of the webhook forge")}
    assert all(check["problem"] and check["leaves"] for check in bad.values())
    assert said.code == 1
    assert terminal.types("doctor", "seoul").code == 0
    assert terminal.types("doctor", "busan").code == 64


@pytest.mark.parametrize("command", [("sync", "git"), ("sync", "images")])
def test_whoever_sits_at_a_terminal_sees_how_far_it_is(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: tuple[str, str]
) -> None:
    """A bar on stderr, from before anything is known of how much there is to do; what it means is said all the same."""
    terminal.push()
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = terminal.types(*command)
    assert said.code == 0
    assert f"mirroring {command[1]}" in said.err
