"""What machines ask: alive, ready, and the numbers."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy
from prometheus_client.parser import text_string_to_metric_families

from console.context import Readiness
from lockstep import settings
from lockstep.store import notices
from lockstep.store.database import Database
from tests.support import bank, pages
from tests.support.pages import House


def samples(house: House) -> dict[tuple[str, ...], float]:
    """Every number, by its name and the values of its labels in the order of their names."""
    text = house.client().get("/metrics").get_data(as_text=True)
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_living_process_says_so() -> None:
    """Alive asks nothing of anybody: a database that is gone makes nobody restart us."""
    engine = sqlalchemy.create_engine("postgresql+psycopg://tests@/none?host=/nonexistent")
    client = pages.house(Database(engine, address="gone")).client()
    assert client.get("/healthz").json == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "gone" in answer.json["checks"]["database"]


def test_ready_means_that_everything_that_must_hold_holds(file_database: Database) -> None:
    """One thing that does not hold is 503, named with its reason."""
    workers = Readiness(name="workers", problem="none was heard of for 40 s")
    answer = pages.house(file_database, readiness=[workers]).client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "not ready",
        "checks": {"database": "ok", "workers": "none was heard of for 40 s"},
    }
    answer = pages.house(file_database, readiness=[Readiness(name="workers", problem="")]).client().get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {"status": "ready", "checks": {"database": "ok", "workers": "ok"}},
    )


def test_every_number_is_documented_and_every_documented_number_is_told(house: House) -> None:
    """The table of the documentation is the contract for alerts."""
    text = house.client().get("/metrics").get_data(as_text=True)
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    table = (Path(__file__).parents[2] / "docs/console.md").read_text(encoding="utf-8")
    assert told == set(re.findall(r"^\| `(lockstep_\w+)` \|", table, re.MULTILINE))


def test_a_verdict_without_fresh_evidence_is_unknown(house: House) -> None:
    """An alert that counts pairs in step is not calmed by what was true hours ago."""
    found = samples(house)
    assert found["lockstep_drift_verdict", "notice", "seoul-sejong", "Unknown"] == 1
    assert ("lockstep_drift_verdict", "notice", "seoul-sejong", "InSync") not in found
    assert (
        found["lockstep_in_step", "notice", "seoul-sejong"],
        found["lockstep_in_step", "ledger", "seoul-sejong"],
    ) == (0, 1)


def test_the_numbers_say_what_the_pages_say(house: House) -> None:
    """Deliveries, hooks, jobs, runs, lag, verdicts, age and staleness."""
    found = samples(house)
    assert found["lockstep_deliveries", "failed"] == 1
    assert found["lockstep_hook_posts_total", "forge", "refused"] == 3
    assert found["lockstep_jobs", "git.fetch", "queued"] == 1
    assert found["lockstep_runs", "Failed", "ended"] == 1
    assert found["lockstep_run_last_duration_seconds", "pay"] == 360
    assert found["lockstep_approvals_pending",] == 1
    assert found["lockstep_drift_verdict", "pay", "seoul-sejong", "PrimaryHotfix"] == 1
    assert found["lockstep_health", "pay", "Degraded", "seoul-sejong", "sejong"] == 1
    assert found["lockstep_health", "notice", "Unknown", "seoul-sejong", "seoul"] == 1
    assert found["lockstep_evidence_age_seconds", "notice", "seoul-sejong"] == 190 * 60
    assert found["lockstep_evidence_stale", "notice", "seoul-sejong"] == 1
    assert found["lockstep_evidence_stale", "ledger", "seoul-sejong"] == 0
    assert found["lockstep_out_of_parity_seconds", "pay", "seoul-sejong"] == 5 * 3600
    assert found["lockstep_findings", "pay", "seoul-sejong", "blocker", "StandbyDrift"] == 1
    assert found["lockstep_git_mirror_lag_seconds", "bank/pay", "daegu"] == 720
    assert found["lockstep_git_mirror_lag_seconds", "bank/pay", "sejong"] == 0
    assert found["lockstep_images_not_equal", "pay/api", "daegu"] == 1
    assert found["lockstep_images_lag_seconds", "pay/api", "daegu"] == 360
    assert found["lockstep_images_checked_age_seconds", "pay/api", "daegu"] == 120
    assert found["lockstep_images_lag_seconds", "pay/api", "sejong"] == 0
    assert found["lockstep_images_last_lag_seconds", "pay/api", "sejong"] == 240


def test_what_was_never_compared_is_stale(empty_house: House) -> None:
    """An alert on staleness rings on the first day too."""
    assert samples(empty_house)["lockstep_evidence_stale", "pay", "seoul-sejong"] == 1


def test_a_finding_that_is_resolved_is_not_counted(file_database: Database) -> None:
    """Only what is not resolved is a number to act on."""
    with file_database.write() as connection:
        bank.finding(connection, "a", state="resolved")
        bank.finding(connection, "b", state="waived")
    assert samples(pages.house(file_database))["lockstep_findings", "pay", "seoul-sejong", "blocker", "Unknown"] == 1


def test_what_a_stale_comparison_said_is_no_number_any_more(house: House) -> None:
    """When evidence grows old its verdicts, findings, coverage and sites turn Unknown; the rest keeps its values."""
    fresh = samples(house)
    assert fresh["lockstep_site_readable", "seoul"] == 0  # notice over the same pair is stale already
    assert ("lockstep_objects_compared", "ledger", "seoul-sejong") in fresh
    house.clock.at += timedelta(hours=1)
    found = samples(house)
    assert {key[1:] for key in found if key[0] == "lockstep_drift_verdict"} >= {("ledger", "seoul-sejong", "Unknown")}
    assert {key[-1] for key in found if key[0] == "lockstep_findings"} == {"Unknown"}
    assert not [key for key in found if key[0] in ("lockstep_objects_compared", "lockstep_coverage_gaps")]
    assert {value for key, value in found.items() if key[0] == "lockstep_site_readable"} == {0.0}
    assert found["lockstep_out_of_parity_seconds", "ledger", "seoul-sejong"] > 3600


def test_channels_are_counted_by_what_became_of_their_messages(file_database: Database) -> None:
    """Sent, failed, given up, waiting, and for how long a channel is dead."""
    house = pages.house(file_database)
    now = house.clock.now()
    message = notices.Message(
        message="msg_1", notification="ops", channel="webhook: x", kind="findings", title="", body="", made_at=now
    )
    with file_database.write() as connection:
        (number,) = notices.put(connection, [message])
        kept = notices.get(connection, number)
        notices.failed(connection, kept, at=now - timedelta(minutes=5), problem="silent", again=now)
    assert "Takes nothing" in house.signed_in().get("/jobs").get_data(as_text=True)
    found = samples(house)
    assert found["lockstep_notifications_total", "webhook: x", "ops", "failed"] == 1
    assert found["lockstep_notification_failing_seconds", "webhook: x", "ops"] == 300
    assert found["lockstep_notifications_waiting", "webhook: x", "ops"] == 1
    with file_database.write() as connection:
        notices.sent(connection, kept, at=now)
    found = samples(house)
    assert found["lockstep_notifications_total", "webhook: x", "ops", "sent"] == 1
    assert found["lockstep_notification_failing_seconds", "webhook: x", "ops"] == 0
    assert ("lockstep_notifications_waiting", "webhook: x", "ops") not in found


@pytest.mark.parametrize(("token", "status"), [(True, 401), (False, 200)])
def test_the_numbers_may_be_kept_behind_the_token(file_database: Database, token: bool, status: int) -> None:
    """Open by default; where names of sites are nobody's business, a bearer is asked for."""
    client = pages.house(file_database, serving=settings.Serving(metrics_token=token)).client()
    assert client.get("/metrics").status_code == status
    assert client.get("/metrics", headers=pages.bearer()).status_code == 200


def test_numbers_and_pages_are_the_same_on_both_databases(database: Database) -> None:
    """Nothing of the queries belongs to one kind of database."""
    bank.fill(database)
    house = pages.house(database)
    found = samples(house)
    assert found["lockstep_images_not_equal", "pay/api", "daegu"] == 1
    assert found["lockstep_run_last_duration_seconds", "ledger"] == 120
    client = house.signed_in()
    for page in (
        "/",
        "/runs?state=waiting",
        "/deliveries",
        "/findings",
        "/mirrors",
        "/applications/pay",
        "/deliveries/1",
    ):
        assert client.get(page).status_code == 200
    assert "pay-deliver-m3v8q" in client.get("/runs/pay-deliver-m3v8q").get_data(as_text=True)
