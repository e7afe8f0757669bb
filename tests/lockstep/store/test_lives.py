"""The life of a finding, as a function of what comparisons saw: laws over any sequence of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.store import lives
from lockstep.store.lives import Life
from lockstep.topology import kinds

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
RULE = kinds.Flapping()

Looks = list[tuple[float, bool]]
LOOKS = st.lists(st.tuples(st.floats(0.1, 90), st.booleans()), max_size=40)
"""Minutes since the look before, and whether the difference was there."""


def lived(looks: Looks, rule: kinds.Flapping = RULE) -> Iterator[tuple[datetime, Life]]:
    """A life, look by look; it begins with a difference that is there."""
    at, life = START, lives.begun(START)
    yield at, life
    for minutes, there in looks:
        at += timedelta(minutes=minutes)
        life = lives.found(life, at, rule) if there else lives.gone(life, at, rule)
        yield at, life


def at_minutes(*looks: tuple[float, bool]) -> Life:
    """The life after looks at some minutes after its beginning."""
    before, steps = 0.0, []
    for minute, there in looks:
        steps.append((minute - before, there))
        before = minute
    return list(lived(steps))[-1][1]


def test_what_came_and_went_four_times_in_an_hour_flaps_until_it_has_stood_still_for_half_an_hour() -> None:
    """While it flaps it is not resolved; how long it is so counts on, also over the short absences before that."""
    thrice = at_minutes((5, False), (10, True))
    assert (thrice.state, thrice.reopened, thrice.opened_at) == ("open", 1, None)
    away = at_minutes((5, False), (10, True), (15, False))
    assert (away.state, away.away_at, away.resolved_at) == ("flapping", START + timedelta(minutes=15), None)
    back = at_minutes((5, False), (10, True), (15, False), (20, True))
    assert (back.state, back.away_at, back.reopened, back.opened_at) == ("flapping", None, 2, None)
    later = at_minutes((5, False), (65, True))
    assert (later.state, later.opened_at) == ("open", START + timedelta(minutes=65))
    for there, state in ((True, "open"), (False, "resolved")):
        still = at_minutes((5, False), (10, True), (15, False), (20, there), (49, there), (50, there))
        assert still.state == (state if there else "resolved")
    left = at_minutes((5, False), (10, True), (15, False), (46, False))
    assert (left.state, left.resolved_at) == ("resolved", START + timedelta(minutes=15))


def test_how_much_is_too_much_is_configured() -> None:
    """Three changes within five minutes, and a minute of standing still."""
    rule = kinds.Flapping(changes=3, within=timedelta(minutes=5), settled=timedelta(minutes=1))
    states = [life.state for _, life in lived([(1, False), (1, True), (0.5, True), (0.5, True)], rule)]
    assert states == ["open", "resolved", "flapping", "flapping", "open"]
    assert [life.state for _, life in lived([(3, False), (3, True)], rule)] == ["open", "resolved", "open"]


@given(LOOKS)
def test_it_is_there_exactly_when_the_last_look_saw_it(looks: Looks) -> None:
    """However often it came and went; and only what was left alone is resolved."""
    for (_, life), there in zip(lived(looks), (True, *(there for _, there in looks)), strict=True):
        assert life.is_there == there
        assert (life.state == lives.RESOLVED) == (not there and not life.flapping)
        assert (life.state == lives.FLAPPING) == life.flapping
        assert (life.away_at is not None) == (life.flapping and not there)


@given(LOOKS)
def test_time_out_of_parity_counts_on_until_it_was_away_for_long(looks: Looks) -> None:
    """It begins anew only after an hour without it, and never while it flaps."""
    for (_, before), (at, after) in pairwise(lived(looks)):
        if after.opened_at != before.opened_at:
            assert (after.opened_at, before.state, after.reopened) == (at, lives.RESOLVED, before.reopened + 1)
            assert before.resolved_at is not None
            assert at - before.resolved_at >= RULE.within


@given(LOOKS, st.floats(30, 500), st.booleans())
def test_a_quiet_half_hour_ends_all_flapping(looks: Looks, minutes: float, there: bool) -> None:
    """Then it is open or resolved, as it is."""
    at, life = list(lived([*looks, (0.1, there)]))[-1]
    at += timedelta(minutes=minutes)
    life = lives.found(life, at, RULE) if there else lives.gone(life, at, RULE)
    assert (life.flapping, life.state) == (False, "open" if there else "resolved")


@given(LOOKS)
def test_looking_again_at_the_same_moment_changes_nothing(looks: Looks) -> None:
    """A comparison that is recorded twice, after a crash say, is one."""
    for at, life in lived(looks):
        again = lives.found(life, at, RULE) if life.is_there else lives.gone(life, at, RULE)
        assert again == life


@given(LOOKS)
def test_few_changes_are_kept(looks: Looks) -> None:
    """A row does not grow with what happened to it."""
    assert all(len(life.changes) <= RULE.changes for _, life in lived(looks))


@pytest.mark.parametrize("state", [lives.ACKNOWLEDGED, lives.ACCEPTED, lives.WAIVED])
def test_what_a_person_said_holds_while_it_flaps_and_ends_when_it_is_resolved(state: str) -> None:
    """It was said of this difference, which comes and goes; one that comes back later is another time."""
    flapping = at_minutes((5, False), (10, True), (15, False), (20, True))
    said = replace(flapping, state=state, by="kim", note="known", accepted="x")
    away = lives.gone(said, START + timedelta(minutes=25), RULE)
    assert (away.state, away.by, away.is_there) == (state, "kim", False)
    over = lives.gone(away, START + timedelta(minutes=60), RULE)
    assert over.state == lives.RESOLVED
    back = lives.found(over, START + timedelta(hours=9), RULE, values="x")
    assert (back.state, back.by, back.note, back.accepted) == ("open", "", "", "")


@given(st.text(max_size=3), st.text(max_size=3))
def test_what_was_accepted_is_open_again_as_soon_as_its_values_are_others(before: str, now: str) -> None:
    """And it stays accepted as long as they are the same; nothing is accepted that has no fingerprint."""
    life = replace(lives.begun(START), state=lives.ACCEPTED, by="kim", note="meant", accepted=before)
    after = lives.found(life, START + timedelta(minutes=1), RULE, values=now)
    kept = bool(now) and before == now
    assert (after.state, after.by) == ((lives.ACCEPTED, "kim") if kept else (lives.OPEN, ""))
