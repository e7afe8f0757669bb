"""``lockstep drift``: what is compared, in which form, with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console import language
from console.cli import drift as command
from console.cli import frame, reporting
from lockstep import errors
from lockstep.topology.model import Topology
from tests.console.cli.installed import documents_of, run
from tests.support import topologies

FORMS = {
    "json": "{",
    "yaml": "verdict: Unknown",
    "markdown": "# ",
    "junit": "<?xml",
    "html": "<!doctype",
    "table": "alone",
}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    """The configuration, loaded."""
    return topologies.topology(*documents_of(tmp_path), directory=tmp_path)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_what_nobody_can_tell_is_unknown_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """Without the repository nobody knows what git wants: the exit code is 2, and why is in the report."""
    assert run(tmp_path, "drift", "-o", form) == 2
    said = capsys.readouterr().out
    assert said.startswith(FORMS[form])
    assert "Nobody who can be asked knows the branch" in " ".join(said.replace("\\", "").split())


def test_what_was_found_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the first comparison nothing is stored; after it the stored report is the same."""
    assert run(tmp_path, "drift", "pay", "--stored", "-o", "json") == 2
    before = json.loads(capsys.readouterr().out)
    assert (before["scans"], before["uncompared"]) == ([], [{"application": "pay", "pair": "seoul-sejong"}])
    assert run(tmp_path, "drift", "pay", "-o", "json") == 2
    now = json.loads(capsys.readouterr().out)
    assert run(tmp_path, "drift", "pay", "--stored", "-o", "json") == 2
    stored = json.loads(capsys.readouterr().out)
    assert [one["verdict"] for one in now["scans"]] == ["Unknown"]
    assert (stored["scans"], stored["differences"]) == (now["scans"], now["differences"])


def test_a_pipe_gets_no_blanks_at_the_ends_of_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And no colours."""
    run(tmp_path, "drift")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("name", "pair"), [("pay", ""), ("seoul-sejong", ""), ("pay", "seoul-sejong"), ("", "seoul-sejong")]
)
def test_an_application_or_a_pair_may_be_named(topology: Topology, name: str, pair: str) -> None:
    """A pair by itself means every application over it."""
    asked = command.chosen(topology, name, pair)
    assert [(application.name, one.name) for application, one in asked] == [("pay", "seoul-sejong")]


@pytest.mark.parametrize(("name", "pair"), [("alone", "seoul-sejong"), ("nobody", ""), ("pay", "nowhere")])
def test_nothing_to_compare_is_an_error(topology: Topology, name: str, pair: str) -> None:
    """A comparison of nothing must not read as one that found nothing."""
    with pytest.raises(errors.NotFoundError):
        command.chosen(topology, name, pair)


def test_an_error_is_two_and_never_a_verdict(tmp_path: Path) -> None:
    """An application that is not there."""
    with pytest.raises(frame.CommandError) as caught:
        run(tmp_path, "drift", "nobody")
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("lang", "environ", "wanted"),
    [
        (None, {"LANG": "ko_KR.UTF-8"}, "ko"),
        (None, {"LANG": "ko_KR.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "ko", "LANG": "en_US"}, "ko"),
        ("ko", {"LC_ALL": "en_US"}, "ko"),
        (None, {"LANG": "C.UTF-8"}, "en"),
        (None, {}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_terminals(
    lang: str | None, environ: dict[str, str], wanted: str
) -> None:
    """In the order of POSIX; English when the locale is none of ours."""
    assert reporting.chosen(lang, environ) == wanted
    assert wanted in language.LANGUAGES
