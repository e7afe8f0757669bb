"""``lockstep preflight``: a verdict about an installation on disk, and its report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from lockstep import documents, errors
from tests.console.cli.installed import run


def report(directory: Path, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> dict[str, Any]:
    """A preflight's report."""
    assert run(directory, "preflight", "seoul-sejong", "-o", "json", *arguments) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_what_nobody_can_tell_is_no_go_and_every_check_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The repository is nowhere: what git wants is unknown, and unknown is never good."""
    found = report(tmp_path, capsys)
    outcomes = {one["id"]: one["outcome"] for one in found["checks"]}
    assert (found["verdict"], len(outcomes)) == ("NO-GO", 50)
    assert {outcomes[check] for check in ("GIT-01", "APP-02", "CFG-01", "CFG-02", "IMG-01", "SLF-02")} == {"UNKNOWN"}


def test_a_site_that_is_gone_is_unknown_and_the_rest_is_still_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The standby's disk is taken away."""
    report(tmp_path, capsys)
    (tmp_path / "sejong").rmdir()
    found = report(tmp_path, capsys)
    assert found["verdict"] == "NO-GO"
    gaps = [gap for read in found["coverage"] if read["site"] == "sejong" for gap in read["gaps"]]
    assert gaps
    assert any(one["check"] == "SLF-02" and "sejong" in one["message"] for one in found["results"])


@pytest.mark.parametrize("form", ["table", "yaml", "html", "markdown", "junit"])
def test_a_report_is_told_in_other_forms_with_the_same_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """A person and a program read the same verdict."""
    assert run(tmp_path, "preflight", "seoul-sejong", "-o", form, "--lang", "ko") == 2
    assert "NO-GO" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["json", "yaml", "html"])
def test_a_report_verifies_as_long_as_nobody_changes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """One word is enough."""
    run(tmp_path, "preflight", "seoul-sejong", "-o", form)
    file = tmp_path / "report"
    file.write_text(capsys.readouterr().out)
    assert run(tmp_path, "preflight", "--verify", str(file)) == 0
    file.write_text(file.read_text().replace("NO-GO", "GO-NO"))
    assert run(tmp_path, "preflight", "--verify", str(file)) == 1
    assert "DIFFERENT" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[]", "{}", "kind: PreflightReport\nschema: 2\n", "%", "a: 1\n---\nb: 2\n"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    """It is neither same nor different."""
    file = tmp_path / "report"
    file.write_text(text)
    with pytest.raises(errors.InputError):
        run(tmp_path, "preflight", "--verify", str(file))


def test_a_preflight_of_nothing_is_an_error(tmp_path: Path) -> None:
    """No pair, a pair that nobody knows, an application that the pair does not protect."""
    with pytest.raises(click.UsageError):
        run(tmp_path, "preflight")
    for arguments in (["nowhere"], ["seoul-sejong", "--application", "alone"]):
        with pytest.raises(errors.NotFoundError):
            run(tmp_path, "preflight", *arguments)


def test_a_comparison_that_a_preflight_made_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As if ``lockstep drift`` had made it."""
    report(tmp_path, capsys)
    assert run(tmp_path, "drift", "pay", "--stored", "-o", "json") == 2
    (scan,) = json.loads(capsys.readouterr().out)["scans"]
    assert scan["pair"] == "seoul-sejong"


def test_a_report_is_yaml_that_reads_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every time and number as it was."""
    run(tmp_path, "preflight", "seoul-sejong", "-o", "yaml")
    (read,) = documents.read(capsys.readouterr().out.encode(), file="report")
    assert read.value["kind"] == "PreflightReport"


def test_a_report_tells_what_changed_since_the_last_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports are kept; the first has none before it."""
    first = report(tmp_path, capsys)
    second = report(tmp_path, capsys)
    assert first["changes"] is None
    assert second["changes"]["since"] == first["id"]
    assert (second["changes"]["new"], second["changes"]["fixed"]) == ([], [])
