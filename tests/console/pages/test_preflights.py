"""The report of a preflight on the pages and among the numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lockstep.store import preflights
from tests.drift import test_dossier
from tests.support import bank
from tests.support.pages import House


def keep(house: House, *, minutes_ago: int) -> dict[str, Any]:
    """Keep a report of the bank's first pair."""
    report = test_dossier.made({"drilledDaysAgo": None}, id_="report-1")
    pair = next(iter(house.context.topology().pairs))
    kept = preflights.Kept(
        name="report-1",
        pair=pair,
        application="",
        verdict=report["verdict"],
        statement=report["statement"],
        by="kim",
        at=bank.NOW - timedelta(minutes=minutes_ago),
    )
    with house.context.database.write() as connection:
        preflights.record(connection, kept, report)
    return report


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_last_verdict_of_a_pair_leads_to_its_report_and_to_its_file(house: House, language: str) -> None:
    """The fleet names it, the page tells it, and the file is the page to sign."""
    report = keep(house, minutes_ago=3)
    client = house.signed_in()
    fleet = client.get(f"/?lang={language}", follow_redirects=True).get_data(as_text=True)
    assert "/preflights/report-1" in fleet
    assert "NO-GO" in fleet
    page = client.get(f"/preflights/report-1?lang={language}", follow_redirects=True).get_data(as_text=True)
    assert report["sha256"] in page
    assert "DRL-01" in page
    file = client.get("/preflights/report-1/file")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert report["sha256"] in file.get_data(as_text=True)
    assert client.get("/preflights/nothing").status_code == 404


@pytest.mark.parametrize(("minutes_ago", "verdict"), [(3, "NO-GO"), (16, "Unknown")])
def test_an_old_verdict_is_unknown_among_the_numbers(house: House, minutes_ago: int, verdict: str) -> None:
    """With how long ago it was made."""
    keep(house, minutes_ago=minutes_ago)
    lines = house.signed_in().get("/metrics").get_data(as_text=True).splitlines()
    (told,) = [line for line in lines if line.startswith("lockstep_preflight_verdict{")]
    (age,) = [line for line in lines if line.startswith("lockstep_preflight_age_seconds{")]
    assert f'verdict="{verdict}"' in told
    assert age.endswith(f" {minutes_ago * 60}.0")
