"""What stance a pair is in, decided from what the store and the sites remember."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.store import database, stances, tables
from lockstep.topology.stances import Agreed, Record, Remembered, agree
from lockstep.values import Stance

MOMENT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def record(stance: Stance, generation: int) -> Record:
    """A record of a generation."""
    return Record(stance=stance, generation=generation, reason="fire", by="kim", at=MOMENT)


records = st.builds(
    record, st.sampled_from([Stance.NORMAL, Stance.DRILL, Stance.SWITCHED, Stance.RETURNING]), st.integers(1, 9)
)


def test_a_pair_that_nobody_ever_changed_is_normal() -> None:
    """When every place was asked and none remembers anything, the pair is normal."""
    places = (Remembered(place="store", record=None), Remembered(place="seoul", record=None))
    assert agree(places) == Agreed(record=None, stance=Stance.NORMAL)


def test_an_empty_store_and_a_silent_site_make_the_stance_unknown() -> None:
    """Unknown is never normal: a site that cannot be asked might remember a switch."""
    agreed = agree((Remembered(place="store", record=None), Remembered(place="seoul", record=None, problem="no route")))
    assert agreed.stance is Stance.UNKNOWN
    assert "no route" in agreed.problem


def test_a_second_instance_learns_the_switch_from_the_site_that_is_left() -> None:
    """With an empty database and the primary gone, the standby's own record decides."""
    switched = record(Stance.SWITCHED, 3)
    agreed = agree(
        (
            Remembered(place="store", record=None),
            Remembered(place="seoul", record=None, problem="no route"),
            Remembered(place="sejong", record=switched),
        )
    )
    assert (agreed.record, agreed.stance, agreed.behind) == (switched, Stance.SWITCHED, ("store",))


def test_one_generation_set_twice_is_unknown() -> None:
    """Two instances that did not see each other set different stances: a person has to say which holds."""
    agreed = agree(
        (
            Remembered(place="seoul", record=record(Stance.NORMAL, 4)),
            Remembered(place="sejong", record=record(Stance.SWITCHED, 4)),
        )
    )
    assert agreed.stance is Stance.UNKNOWN


@given(st.lists(st.one_of(st.none(), records), min_size=1, max_size=4))
def test_the_highest_generation_wins_and_the_others_are_told(remembered: list[Record | None]) -> None:
    """Whatever the places remember, the result is the newest of it or unknown, and who is behind is named."""
    places = tuple(Remembered(place=str(index), record=item) for index, item in enumerate(remembered))
    agreed = agree(places)
    newest = max((item.generation for item in remembered if item), default=0)
    if agreed.record is not None:
        assert agreed.record.generation == newest
        assert set(agreed.behind) == {
            str(index) for index, item in enumerate(remembered) if item is None or item.generation < newest
        }


@given(records)
def test_a_record_survives_its_way_through_a_site(given_record: Record) -> None:
    """What is written down at a site reads back as it was."""
    assert Record.from_json(given_record.to_json()) == given_record


def test_the_store_keeps_the_history_and_refuses_an_older_generation(tmp_path: Path) -> None:
    """The newest generation is in force; a change that missed another is a conflict."""
    store = database.open_database(f"sqlite:///{tmp_path}/lockstep.db")
    with store.write() as connection:
        tables.metadata.create_all(connection)
        stances.append(connection, "seoul-sejong", record(Stance.DRILL, 1))
        stances.append(connection, "seoul-sejong", record(Stance.NORMAL, 2))
        with pytest.raises(errors.ConflictError, match="in the meantime"):
            stances.append(connection, "seoul-sejong", record(Stance.SWITCHED, 2))
    with store.read() as connection:
        assert stances.in_force(connection, ["seoul-sejong", "busan-daegu"]) == {
            "seoul-sejong": Stance.NORMAL,
            "busan-daegu": Stance.UNKNOWN,
        }
        assert [item.generation for item in stances.history(connection, "seoul-sejong")] == [2, 1]
    store.close()
