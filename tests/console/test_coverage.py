"""What a comparison read and explained, told from what it wrote down."""

from __future__ import annotations

from typing import Any

import pytest

from console import coverage
from console.coverage import Explained, Gap
from lockstep.store.database import Database
from tests.support import bank, pages

WRITTEN: dict[str, Any] = {
    "git": {"revision": bank.COMMIT, "notes": ["deploy/old.yaml is in no kustomization"]},
    "sites": {
        "seoul": {"method": "directory", "objects": 7, "readAt": "2026-11-22T09:29:00+00:00", "gaps": []},
        "sejong": {"method": "", "objects": 0, "readAt": "soon", "gaps": [{"what": "Secrets", "why": "forbidden"}]},
    },
    "rules": [{"rule": "hosts", "problem": "unused", "message": "hosts explains nothing"}],
    "explained": [
        {
            "kind": "Deployment",
            "namespace": "pay",
            "name": "api",
            "field": "spec.replicas",
            "values": {"primary": 3, "standby": 1},
            "note": "floor of the tier hot",
            "rules": [],
        }
    ],
}


def test_everything_that_was_written_down_is_told() -> None:
    """Git, each site with what could not be read, what the rules say, and each explained difference with its why."""
    found = coverage.of_scan(WRITTEN)
    assert found.revision == bank.COMMIT
    assert found.remarks == ("deploy/old.yaml is in no kustomization", "hosts explains nothing")
    sejong, seoul = found.sites
    assert (sejong.gaps, sejong.read_at) == ((Gap(what="Secrets", why="forbidden"),), None)
    assert (seoul.objects, seoul.method, seoul.read_at) == (7, "directory", bank.ago(minutes=1))
    assert found.explained == (
        Explained(
            object="Deployment/api",
            namespace="pay",
            field="spec.replicas",
            values=("3", "1"),
            why="floor of the tier hot",
            rules=(),
        ),
    )


@pytest.mark.parametrize(
    "written",
    [[], 7, "x", {"git": 1, "sites": [], "rules": {}, "explained": [None, 3, {"values": 1, "rules": "x"}]}],
    ids=str,
)
def test_no_shape_makes_a_page_fail(file_database: Database, written: Any) -> None:
    """What another version wrote down is left out, never an error."""
    with file_database.write() as connection:
        bank.scan(connection, "pay", "seoul-sejong", coverage=written)
    assert pages.house(file_database).signed_in().get("/applications/pay").status_code == 200
    assert pages.house(file_database).signed_in().get("/").status_code == 200


@pytest.mark.parametrize(
    ("ahead", "language", "told"),
    [
        (10_800, "en", "The clock of sejong is 3h 00m ahead of ours."),
        (-7_200, "en", "The clock of sejong is 2h 00m behind ours."),
        (10_800, "ko", "sejong의 시계가 이쪽보다 3시간 00분 빠릅니다."),
        (-7_200, "ko", "sejong의 시계가 이쪽보다 2시간 00분 느립니다."),
    ],
)
def test_a_clock_that_is_wrong_is_told_beside_what_was_read(
    file_database: Database, ahead: int, language: str, told: str
) -> None:
    """In which direction, and how far; a few seconds are the way of an answer, and are not told."""
    sites = {"seoul": {"method": "list", "aheadSeconds": 2}, "sejong": {"method": "list", "aheadSeconds": ahead}}
    with file_database.write() as connection:
        bank.scan(connection, "pay", "seoul-sejong", coverage={"sites": sites})
    page = pages.house(file_database).signed_in().get(f"/applications/pay?lang={language}", follow_redirects=True)
    shown = page.get_data(as_text=True)
    assert told in shown
    assert "The clock of seoul" not in shown
    assert "seoul의 시계" not in shown


@pytest.mark.parametrize(
    ("code", "both", "alone", "counted"),
    [
        (
            "en",
            "by our rules and a dry run of the server",
            "by our rules<",
            "seoul: Dry runs of the server: 2",
        ),
        ("ko", "자체 규칙과 서버 모의 적용(dry run) 기준", "자체 규칙 기준<", "seoul: 서버 모의 적용(dry run): 응답 2"),
    ],
)
def test_a_page_says_which_method_spoke(
    file_database: Database, code: str, both: str, alone: str, counted: str
) -> None:
    """Of each object, in the reader's language; what became of the questions stands with what was read."""
    coverage_: dict[str, Any] = {"sites": {"seoul": {"dryRun": {"when": "whenDifferent", "asked": 2, "failed": "x"}}}}
    with file_database.write() as connection:
        bank.scan(connection, "pay", "seoul-sejong", coverage=coverage_)
        values = {"gitPrimary": 1, "primary": 2}
        bank.finding(connection, "1", values=values, cause={"method": "rules and dry run"})
        bank.finding(connection, "2", values=values, name="web")
    page = pages.house(file_database).signed_in().get("/applications/pay", query_string={"lang": code}).text
    for wanted in (both, alone, counted):
        assert wanted in page, wanted
