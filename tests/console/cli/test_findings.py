"""``lockstep findings``: what is known of each difference, and what people say of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import pytest

from console.cli import frame
from drift.rows import Row
from lockstep import documents, errors
from lockstep.store import findings, scans
from lockstep.store.database import open_database
from lockstep.topology.kinds import ExpectedDifference
from lockstep.values import Json, Verdict
from tests.console.cli.installed import run
from tests.support import drifting

HOST = {"gitPrimary": "a.example", "primary": "a.example", "gitStandby": "b.example", "standby": "b.example"}
DECLARED = drifting.entry(Verdict.DECLARED, path="spec.host", values=HOST).row
HOTFIX = drifting.entry().row


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An installation in which an overlay declares one field, and somebody changed another at the primary."""
    run(tmp_path, "drift", "pay", "--stored", "-o", "json")
    record(tmp_path, DECLARED, HOTFIX)
    return tmp_path


def record(directory: Path, *rows: Row) -> None:
    """What a comparison found."""
    scan = scans.Scan(
        application="pay",
        pair="seoul-sejong",
        verdict=Verdict.PRIMARY_HOTFIX,
        revision="c" * 40,
        stance="normal",
        coverage={},
        counts={},
        problem="",
        objects=1,
        started_at=drifting.NOW,
        ended_at=drifting.NOW,
    )
    database = open_database(f"sqlite:///{directory / 'config' / '.lockstep' / 'lockstep.db'}")
    with database.write() as connection:
        findings.record(connection, scan, [row.to_seen() for row in rows], hidden=lambda _key, _site: False)
    database.close()


def asked(directory: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Json:
    """What a command of findings says, parsed."""
    capsys.readouterr()
    assert run(directory, "findings", *arguments, "-o", "json") == 0
    return json.loads(capsys.readouterr().out)


def test_findings_are_listed_and_narrowed(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first; filters leave the others out."""
    both = asked(installed, capsys, "list")
    assert [(one["id"], one["verdict"], one["field"]) for one in both] == [
        (2, "PrimaryHotfix", "spec.replicas"),
        (1, "Declared", "spec.host"),
    ]
    assert [one["id"] for one in asked(installed, capsys, "list", "--verdict", "Declared")] == [1]
    assert asked(installed, capsys, "list", "--application", "alone") == []
    assert run(installed, "findings", "list") == 0
    assert "Deployment.apps pay/api" in capsys.readouterr().out


def test_one_finding_is_shown_whole(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what each side has."""
    found = asked(installed, capsys, "show", "2")
    assert found["values"] == {"gitPrimary": 3, "primary": 5, "gitStandby": 3, "standby": 3}
    assert (found["state"], found["firstSeen"]) == ("open", drifting.NOW.isoformat())
    with pytest.raises(Exception, match="There is no finding 99"):
        run(installed, "findings", "show", "99")


def test_how_much_a_finding_matters_is_a_plain_number(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one that stops a fail-over, and with a fraction: no tag of YAML stands before it."""
    record(installed, DECLARED, replace(HOTFIX, severity=1.0))
    for number, wanted in (("1", DECLARED.severity), ("2", 1.0)):
        capsys.readouterr()
        assert run(installed, "findings", "show", number) == 0
        assert f"severity: {wanted:g}\n" in capsys.readouterr().out


def test_what_a_person_says_stays_with_it(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Acknowledged or waived until a day, by whom and why; the verdict stays what it is."""
    assert run(installed, "findings", "acknowledge", "2", "--note", "INC-204", "--by", "kim") == 0
    found = asked(installed, capsys, "show", "2")
    assert (found["state"], found["by"], found["said"]) == ("acknowledged", "kim", "INC-204")
    assert run(installed, "findings", "waive", "2", "--note", "a move", "--by", "lee", "--until", "2099-12-31") == 0
    found = asked(installed, capsys, "show", "2")
    assert (found["state"], found["by"], found["until"]) == ("waived", "lee", "2100-01-01T00:00:00+00:00")
    assert run(installed, "drift", "pay", "--stored", "-o", "json") == 2  # the evidence of this test is old
    report = json.loads(capsys.readouterr().out)
    assert [(one["state"], one["verdict"]) for one in report["differences"]] == [("waived", "PrimaryHotfix")]


def test_a_waiver_needs_a_day_to_come(installed: Path) -> None:
    """One that is over would be no waiver."""
    with pytest.raises(click.UsageError, match="is over"):
        run(installed, "findings", "waive", "2", "--note", "late", "--until", "2020-01-01")


def test_a_rule_is_proposed_that_the_configuration_takes(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With who answers for it, when that is said."""
    capsys.readouterr()
    said = ("--reason", "each site has its own", "--owner", "network team", "--by", "dr-manager")
    assert run(installed, "findings", "explain", "1", *said) == 0
    (document,) = documents.read(capsys.readouterr().out.encode(), file="rule.yaml")
    rule = ExpectedDifference.model_validate_json(json.dumps(document.value))
    assert rule.spec.at == ("Deployment.apps/api /spec/host",)
    assert (rule.spec.owner, rule.spec.accepted_by) == ("network team", "dr-manager")
    assert rule.spec.map is not None
    assert rule.spec.map[0].rewrite("a.example") == "b.example"


def test_a_hot_fix_is_not_explained_away(installed: Path) -> None:
    """Exit code 1: it is committed, or undone."""
    with pytest.raises(frame.CommandError, match="Commit what was changed") as caught:
        run(installed, "findings", "explain", "2")
    assert caught.value.code == 1


def test_a_hot_fix_is_not_healed_by_a_deploy_and_what_is_declared_is_no_patch(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1, and the person is told which of the three ways fits."""
    for command, number, way in (("heal", "2", "findings patch"), ("patch", "1", "findings explain")):
        with pytest.raises(frame.CommandError, match=way) as refused:
            run(installed, "findings", command, number)
        assert refused.value.code == 1
    with pytest.raises(errors.NotFoundError):
        run(installed, "findings", "heal", "99")


def test_healing_of_a_pair_is_stopped_and_goes_on(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With who and why; a stop without a reason is refused."""

    def stops(*arguments: str) -> list[str]:
        capsys.readouterr()
        assert run(installed, "pair", "healing", "seoul-sejong", *arguments, "-o", "json") == 0
        return [one["reason"] for one in json.loads(capsys.readouterr().out)["stops"]]

    assert stops() == []
    assert stops("stop", "--application", "pay", "--reason", "INC-204", "--by", "kim") == ["INC-204"]
    assert stops("stop", "--reason", "everything") == ["INC-204", "everything"]
    assert stops("go-on", "--application", "pay") == ["everything"]
    assert stops("go-on") == []
    with pytest.raises(click.UsageError, match="--reason"):
        run(installed, "pair", "healing", "seoul-sejong", "stop")
