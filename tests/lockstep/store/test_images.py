"""How far images are behind at sites, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.store import images, migrate, tables
from lockstep.store.database import Database, open_database
from lockstep.store.views import mirrors as views

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def _at(minute: int) -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)


def _record(
    database: Database,
    state: str,
    minute: int,
    *,
    pushed: int | None,
    digest: str = A,
    reference: str = "v1",
    seen: bool = True,
) -> images.Standing:
    standing = images.Standing(
        repository="pay/api",
        reference=reference,
        site="sejong",
        digest=digest,
        state=state,
        checked_at=_at(minute),
        pushed_at=_at(pushed) if pushed is not None else None,
    )
    with database.write() as connection:
        images.record(connection, [standing], unseen=[] if seen else [(reference, "sejong")])
        (found,) = [one for one in images.standings(connection, "pay/api") if one.reference == reference]
    return found


def _minutes(standing: images.Standing | views.Images, now: int) -> tuple[float | None, float | None]:
    """How far it is behind, and how long the newest took."""
    lengths = (standing.lag(_at(now)), standing.lag_of_newest)
    behind, took = (length.total_seconds() / 60 if length is not None else None for length in lengths)
    return behind, took


def test_an_image_has_the_lag_of_its_push_until_the_next(database: Database) -> None:
    """Looked at again, also for a message that comes late, it keeps it; a tag that moves has its own."""
    assert _minutes(_record(database, "equal", 3, pushed=0), 9) == (0, 3)
    assert _minutes(_record(database, "equal", 60, pushed=60), 70) == (0, 3)
    assert _minutes(_record(database, "equal", 61, pushed=2), 70) == (0, 3)
    assert _minutes(_record(database, "equal", 75, pushed=70, digest=B), 80) == (0, 5)


@pytest.mark.parametrize("state", ["unreachable", "failed", "refused", "held"])
def test_what_a_site_lacks_is_behind_since_the_oldest_push(database: Database, state: str) -> None:
    """Each minute more, whatever is pushed meanwhile; in the end that is what the newest took."""
    _record(database, "equal", 1, pushed=0)
    assert _minutes(_record(database, state, 12, pushed=10, digest=B), 20) == (10, None)
    assert _minutes(_record(database, state, 22, pushed=21, digest=A), 30) == (20, None)
    assert _minutes(_record(database, "equal", 40, pushed=35, digest=A), 50) == (0, 30)


def test_a_push_that_is_told_late_makes_what_is_lacking_older(database: Database) -> None:
    """The first look knew only when it saw the change; one that knows nothing changes nothing."""
    _record(database, "unreachable", 12, pushed=12)
    assert _minutes(_record(database, "unreachable", 13, pushed=10), 20) == (10, None)
    assert _minutes(_record(database, "unreachable", 14, pushed=None), 20) == (10, None)


def test_of_a_site_that_does_not_answer_nobody_knows_the_lag_while_nothing_is_new(database: Database) -> None:
    """It may have all; when it answers and has, nothing was late."""
    _record(database, "equal", 2, pushed=0)
    assert _minutes(_record(database, "unreachable", 10, pushed=10), 20) == (None, 2)
    assert _minutes(_record(database, "equal", 30, pushed=30), 40) == (0, 2)


@pytest.mark.parametrize("state", ["refused", "failed"])
def test_of_a_site_that_does_not_let_us_in_nobody_knows_the_lag_either(database: Database, state: str) -> None:
    """A password that expired made nothing late; what was pushed since then is, also while nobody is let in."""
    _record(database, "equal", 2, pushed=0)
    assert _minutes(_record(database, state, 10, pushed=10, seen=False), 20) == (None, 2)
    assert _minutes(_record(database, "equal", 30, pushed=30), 40) == (0, 2)
    assert _minutes(_record(database, state, 50, pushed=45, digest=B, seen=False), 60) == (15, None)


def test_what_vanished_at_a_site_is_lacking_since_that_was_seen(database: Database) -> None:
    """The source has nothing new, and the site was looked at."""
    _record(database, "equal", 2, pushed=0)
    assert _minutes(_record(database, "failed", 10, pushed=9), 20) == (11, None)


def test_of_what_was_recorded_without_moments_nobody_knows_the_lag(database: Database) -> None:
    """Before there were any: an image that stays as it is was not late today."""
    with database.write() as connection:
        connection.execute(
            tables.image_mirrors.insert().values(
                repository="pay/api", reference="v1", site="sejong", digest=A, state="equal", checked_at=_at(0)
            )
        )
    assert _minutes(_record(database, "equal", 30, pushed=20), 40) == (0, None)
    assert _minutes(_record(database, "equal", 50, pushed=45, digest=B), 60) == (0, 5)


def test_a_repository_is_as_far_behind_as_the_oldest_push_that_it_lacks(database: Database) -> None:
    """And its newest push took what the newest tag took; one tag about which nobody knows leaves it unknown."""
    _record(database, "equal", 9, pushed=0, reference="v1")
    _record(database, "equal", 12, pushed=10, reference="v2")
    _record(database, "failed", 22, pushed=20, reference="v3")
    _record(database, "failed", 26, pushed=25, reference="v4")
    with database.read() as connection:
        (found,) = views.images(connection)
    assert (_minutes(found, 30), found.lacking_since) == ((10, 2), _at(20))
    _record(database, "unreachable", 27, pushed=27, reference="v1")
    with database.read() as connection:
        (found,) = views.images(connection)
    assert _minutes(found, 30) == (None, 2)


def test_images_that_nobody_could_ask_for_are_not_called_unequal(database: Database) -> None:
    """A site that is away may have all of them; one that lacks one of them for certain is not equal."""

    def state() -> str:
        with database.read() as connection:
            return views.images(connection)[0].state

    _record(database, "equal", 1, pushed=0, reference="v1")
    _record(database, "equal", 1, pushed=0, reference="v2")
    assert state() == "equal"
    _record(database, "unreachable", 2, pushed=0, reference="v1")
    assert state() == "unreachable"
    _record(database, "failed", 3, pushed=0, reference="v2")
    assert state() == "unequal"


@pytest.fixture(scope="module")
def one_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all examples of a law."""
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('images') / 'one.sqlite'}")
    migrate.upgrade(opened)
    yield opened
    opened.close()


_LOOK = st.tuples(
    st.sampled_from(["equal", "held", "refused", "unreachable", "failed"]),
    st.integers(-300, 300),
    st.none() | st.integers(-300, 300),
    st.sampled_from([A, B, ""]),
)


@settings(max_examples=60, deadline=None)
@given(looks=st.lists(_LOOK, min_size=1, max_size=6), now=st.integers(-300, 300))
def test_no_lag_is_negative_whatever_the_clocks_say(
    one_database: Database, looks: list[tuple[str, int, int | None, str]], now: int
) -> None:
    """Clocks of workers and of those who tell of pushes differ, and are set back."""
    opened = one_database
    with opened.write() as connection:
        connection.execute(tables.image_mirrors.delete())
    for state, minute, pushed, digest in looks:
        found = _record(opened, state, minute, pushed=pushed, digest=digest)
        with opened.read() as connection:
            (together,) = views.images(connection)
        for behind, took in (_minutes(found, now), _minutes(together, now)):
            assert behind is None or behind >= 0
            assert took is None or took >= 0
        assert state != "equal" or found.lag(_at(now)) == timedelta(0)
