"""Findings and their lives, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lockstep import errors
from lockstep.store import answers, findings, outdated, scans
from lockstep.store.database import Database
from lockstep.store.views import drift as views
from lockstep.values import ObjectKey, Verdict

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def key(name: str = "web") -> ObjectKey:
    """An object."""
    return ObjectKey(group="apps", kind="Deployment", namespace="shop", name=name)


def seen(path: str = "/spec/replicas", *, name: str = "web", value: object = 1) -> findings.Seen:
    """A difference."""
    return findings.Seen(
        key=key(name),
        verdict=Verdict.STANDBY_DRIFT,
        site="sejong",
        path=path,
        people_path=path,
        values={"standby": value},
    )


def scan(minutes: int = 0, verdict: Verdict = Verdict.STANDBY_DRIFT) -> scans.Scan:
    """A comparison that began after some minutes."""
    at = START + timedelta(minutes=minutes)
    return scans.Scan(
        application="shop",
        pair="seoul-sejong",
        verdict=verdict,
        revision="c" * 40,
        stance="normal",
        coverage={},
        counts={},
        problem="",
        objects=1,
        started_at=at,
        ended_at=at + timedelta(seconds=1),
    )


def record(
    database: Database, scan_: scans.Scan, *found: findings.Seen, hidden: frozenset[str] = frozenset()
) -> findings.Changes:
    """Write a comparison."""
    with database.write() as connection:
        return findings.record(connection, scan_, found, hidden=lambda one, _site: one.name in hidden)


def stored(database: Database, state: str = "unresolved") -> list[views.Finding]:
    """What is stored."""
    with database.read() as connection:
        return views.page(connection, views.Filter(state=state), limit=100_000)


def test_a_difference_is_one_row_as_long_as_it_lives(database: Database) -> None:
    """New, seen again with another value, resolved, and back."""
    assert len(record(database, scan(), seen()).new) == 1
    assert record(database, scan(1), seen(value=2)) == findings.Changes(new=(), reopened=(), resolved=())
    (found,) = stored(database)
    assert (found.values, found.first_seen, found.last_seen) == (
        {"standby": 2},
        scan().ended_at,
        scan(1).ended_at,
    )
    assert record(database, scan(2)).resolved == (found.fingerprint,)
    assert stored(database) == []
    assert record(database, scan(3), seen()).reopened == (found.fingerprint,)
    assert [(one.id, one.reopened, one.first_seen) for one in stored(database)] == [(found.id, 1, found.first_seen)]


def test_what_could_not_be_seen_is_not_resolved(database: Database) -> None:
    """Only what was looked at and is gone is gone."""
    record(database, scan(), seen(), seen(name="api"))
    record(database, scan(1), hidden=frozenset({"api"}))
    assert [one.name for one in stored(database)] == ["api"]


def test_of_a_change_only_the_findings_of_what_was_compared_change(database: Database) -> None:
    """The others are as true as the comparison that they are told with; what nobody could see then is not."""
    record(database, scan(), seen(name="hidden"))
    record(database, scan(1), seen(), seen(name="api"), seen("/spec/paused", name="api"), hidden=frozenset({"hidden"}))
    with database.write() as connection:
        changes = findings.record(
            connection,
            scan(2),
            [seen("/spec/paused", name="api", value=3), seen(name="new")],
            hidden=lambda _key, _site: False,
            only={key("api"), key("new")},
        )
    assert (len(changes.new), changes.reopened, len(changes.resolved)) == (1, (), 1)
    now, then = scan(2).ended_at, scan().ended_at
    assert sorted((one.name, one.path, one.last_seen) for one in stored(database)) == [
        ("api", "/spec/paused", now),
        ("hidden", "/spec/replicas", then),
        ("new", "/spec/replicas", now),
        ("web", "/spec/replicas", now),
    ]


def test_what_a_change_hides_is_told_as_it_was_before(database: Database) -> None:
    """It was compared anew, and nobody could see it."""
    record(database, scan(), seen(), seen(name="api"))
    with database.write() as connection:
        findings.record(connection, scan(1), [], hidden=lambda *_: True, only={key("api")})
    then, now = scan().ended_at, scan(1).ended_at
    assert sorted((one.name, one.last_seen) for one in stored(database)) == [("api", then), ("web", now)]


def test_what_was_resolved_is_open_again_when_a_change_brings_it_back(database: Database) -> None:
    """It is the same finding, found by its place among all that was ever resolved."""
    record(database, scan(), seen())
    record(database, scan(1))
    with database.write() as connection:
        changes = findings.record(connection, scan(2), [seen()], hidden=lambda _key, _site: False, only={key()})
    assert len(changes.reopened) == 1
    assert [one.reopened for one in stored(database)] == [1]


def test_findings_of_another_pair_are_left_alone(database: Database) -> None:
    """A comparison speaks of its own application and pair."""
    record(database, scan(), seen())
    other = scans.Scan(**{**{name: getattr(scan(1), name) for name in scan().__slots__}, "pair": "seoul-daegu"})
    record(database, other)
    assert len(stored(database)) == 1


def test_a_late_comparison_does_not_undo_a_newer_one(database: Database) -> None:
    """The one that began later has seen more."""
    record(database, scan(5), seen())
    assert record(database, scan(1)) == findings.Changes(new=(), reopened=(), resolved=())
    assert len(stored(database)) == 1
    with database.read() as connection:
        assert scans.last_compared(connection) == {("shop", "seoul-sejong"): scan(5).ended_at}


def test_what_is_explained_stays_until_it_is_told_anew_and_goes_with_its_comparison(database: Database) -> None:
    """A comparison that says nothing of it leaves it as it is."""

    def explained() -> list[object]:
        with database.read() as connection:
            return [one.coverage["explained"] for one in views.scans_of(connection)]

    record(database, replace(scan(), explained=[{"path": "/a"}]))
    record(database, replace(scan(1), explained=None))
    assert explained() == [[{"path": "/a"}]]
    record(database, replace(scan(0), explained=[{"path": "/late"}]))
    assert explained() == [[{"path": "/a"}]]
    record(database, replace(scan(2), explained=[]))
    assert explained() == [[]]
    record(database, replace(scan(3), explained=[{"path": "/b"}]))
    with database.write() as connection:
        outdated.forget_others(connection, [], now=START)
    record(database, replace(scan(4), explained=None))
    with database.read() as connection:
        (found,) = views.scans_of(connection)
    assert "explained" not in found.coverage


def test_it_is_known_since_when_a_pair_is_out_of_step(database: Database) -> None:
    """The moment at which it last was stays until it is again."""
    record(database, scan(0, Verdict.IN_SYNC))
    record(database, scan(1), seen())
    with database.read() as connection:
        (found,) = views.scans_of(connection)
    assert (found.in_step_at, found.ended_at) == (scan(0).ended_at, scan(1).ended_at)
    record(database, scan(2, Verdict.DISPERSED))
    with database.read() as connection:
        (found,) = views.scans_of(connection)
    assert found.in_step_at == found.ended_at


def test_a_decision_belongs_to_a_finding_that_is_not_resolved(database: Database) -> None:
    """And is forgotten when the finding was resolved and comes back."""
    record(database, scan(), seen())
    (found,) = stored(database)
    with database.write() as connection:
        answers.acknowledge(connection, found.id, by="kim", note="known", at=START)
    record(database, scan(1))
    with pytest.raises(errors.NotFoundError), database.write() as connection:
        answers.waive(connection, found.id, by="kim", note="", until=START, at=START)
    record(database, scan(2), seen())
    assert [(one.state, one.by) for one in stored(database)] == [("open", "")]


def test_thousands_of_findings_are_written_and_resolved(database: Database) -> None:
    """More than one statement may bind values for."""
    many = [seen(f"/spec/{number}") for number in range(2500)]
    record(database, scan(), *many)
    record(database, scan(1), *many)
    assert len(stored(database)) == 2500
    record(database, scan(2))
    assert stored(database) == []


def test_names_from_outside_are_kept(database: Database) -> None:
    """Korean, quotes, NUL and half surrogates in paths and values of hostile objects."""
    for path in ("/data/한글", "/data/'; DROP TABLE findings; --", "/data/a\0b", "/data/\ud800"):
        record(database, scan(), seen(path, value={"text": "한글 \0"}))
        record(database, scan(1), seen(path, value={"text": "한글 \0"}))
        assert len(stored(database)) == 1


def test_what_comes_and_goes_flaps_is_not_resolved_meanwhile_and_settles(database: Database) -> None:
    """One row, whose time out of parity counts on; what is away is no difference now, and is not forgotten."""
    for minute in range(4):
        record(database, scan(minute), *([seen()] if minute % 2 == 0 else []))
    (away,) = stored(database)
    assert (away.state, away.away_at, away.resolved_at) == ("flapping", scan(3).ended_at, None)
    with database.read() as connection:
        assert views.unresolved(connection, ["shop"]) == views.of_application(connection, "shop") == []
        assert [one.flapping for one in views.briefly(connection, "shop")] == [True]
        assert views.flapping(connection) == {("shop", "seoul-sejong"): 1}
    record(database, scan(4), seen())
    (back,) = stored(database)
    assert (back.state, back.away_at, back.reopened, back.since) == ("flapping", None, 2, scan(0).ended_at)
    record(database, scan(40), seen())
    (still,) = stored(database)
    assert (still.state, still.since) == ("open", scan(0).ended_at)
    record(database, scan(110))
    assert [one.state for one in stored(database, "")] == ["resolved"]


def declared(values: str) -> findings.Seen:
    """A difference that an overlay declares, with these values."""
    return replace(seen(), verdict=Verdict.DECLARED, declared=values)


def test_what_git_declares_is_accepted_one_by_one_with_its_values(database: Database) -> None:
    """By whom, when and why; other values are open again, and nobody has accepted them."""
    other = replace(declared("c"), people_path="/spec/other")
    record(database, scan(), declared("a"), other)
    first = next(one for one in stored(database) if one.people_path == "/spec/replicas")
    with database.write() as connection:
        answers.accept(connection, first.id, by="kim", note="DR is smaller", at=START)
    for minute in (1, 2):
        record(database, scan(minute), declared("a"), other)
        said = {one.people_path: (one.state, one.by, one.note, one.answered_at) for one in stored(database)}
        assert said == {
            "/spec/replicas": ("accepted", "kim", "DR is smaller", START),
            "/spec/other": ("open", "", "", None),
        }
    record(database, scan(3), declared("b"), other)
    assert {(one.state, one.by) for one in stored(database)} == {("open", "")}


def test_what_is_not_declared_is_not_accepted_and_becomes_no_such_thing_by_drifting(database: Database) -> None:
    """Drift is mended; and what was accepted while it was declared is open when it is drift."""
    record(database, scan(), seen(), replace(declared("a"), people_path="/spec/other"))
    drift, meant = sorted(stored(database), key=lambda one: one.people_path, reverse=True)
    with pytest.raises(errors.UnsupportedError, match="it is StandbyDrift"), database.write() as connection:
        answers.accept(connection, drift.id, by="kim", note="", at=START)
    with database.write() as connection:
        answers.accept(connection, meant.id, by="kim", note="", at=START)
    record(database, scan(1), replace(seen(), people_path="/spec/other"))
    assert [(one.state, one.by, one.declared) for one in stored(database)] == [("open", "", "")]


def test_what_was_said_can_be_taken_back(database: Database) -> None:
    """It is open again, as if nobody had said anything."""
    record(database, scan(), declared("a"))
    (found,) = stored(database)
    for say in (answers.accept, answers.acknowledge):
        with database.write() as connection:
            say(connection, found.id, by="kim", note="x", at=START)
            answers.withdraw(connection, found.id)
        assert [(one.state, one.by, one.note, one.answered_at) for one in stored(database)] == [("open", "", "", None)]
    with pytest.raises(errors.NotFoundError), database.write() as connection:
        answers.accept(connection, found.id + 1, by="kim", note="", at=START)
