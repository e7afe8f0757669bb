"""A preflight's report in every form: the same verdict, in both languages, and nothing in it acts."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from console import language
from console.reports import preflight
from drift.checks.catalogue import CATALOGUE
from drift.dossier import seal
from tests.drift import test_dossier

HOSTILE = "</script><script>alert(1)</script>\x1b[31m|`<b>"


def report(**given: Any) -> dict[str, Any]:
    """A report with something open, and with a name that somebody chose badly."""
    row = {"verdict": "StandbyDrift", "object": f"ConfigMap shop/{HOSTILE}", "path": "/data/b", "dr": HOSTILE}
    return test_dossier.made({"parity": {"differences": [row]}, "drilledDaysAgo": None, **given})


@pytest.mark.parametrize("lang", sorted(language.LANGUAGES))
def test_a_page_tells_everything_and_can_be_verified_by_itself(lang: str) -> None:
    """Every check is on it, the report is in it, and no name of anybody's becomes part of the page."""
    told = report()
    page = preflight.page.write(told, language.load()[lang])
    assert all(check in page for check in CATALOGUE)
    assert "NO-GO" in page
    assert page.count("<script") == 1
    inside = preflight.page.inside(page.encode())
    assert inside is not None
    assert json.loads(inside) == told
    assert seal.holds(json.loads(inside))


def test_a_korean_page_is_korean() -> None:
    """Titles, outcomes, sentences of checks, what to do."""
    page = preflight.page.write(report(), language.load()["ko"])
    for text in ("사전 점검", "실패", "이 쌍은 모의훈련을 한 적이 없습니다", "차단 검사", "서명"):
        assert text in page
    assert "the pair was never drilled" not in page.partition("<details")[0]


def test_markdown_means_what_it_says() -> None:
    """What somebody named badly stays inside its cell."""
    told = preflight.markdown.write(report(), language.load()["en"])
    assert told.startswith("# seoul\\-sejong: NO-GO")
    rows = [line for line in told.splitlines() if line.startswith("| CFG-01")]
    assert len(rows) == 1


def test_junit_counts_what_ci_should_stop_at() -> None:
    """A suite for each check; what nobody could say is an error and never passes."""
    root = ET.fromstring(preflight.junit.write(report(mirrors={"unread": "the forge did not answer"})))
    suites = {str(suite.get("name"))[:6]: suite for suite in root}
    assert len(suites) == 50
    assert (suites["CFG-01"].get("failures"), suites["GIT-01"].get("errors")) == ("1", "1")
    assert suites["PRB-01"].get("skipped") == "1"


def test_a_table_is_told_in_both_languages() -> None:
    """The verdict is the same word in all of them."""
    for catalogue in language.load().values():
        assert preflight.table.write(report(), catalogue).renderables
