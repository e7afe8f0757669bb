"""What is news, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.notices import deciding
from console.notices.deciding import News
from console.notices.subject import About, Subject
from lockstep.store.notices import Belief
from tests.console.notices.subjects import NOW, finding


class Readers:
    """Who is told, with what they believe; ``at`` is in minutes."""

    def __init__(self) -> None:
        self.beliefs: dict[str, Belief] = {}
        self.heard: list[tuple[str, str]] = []

    def look(
        self, at: float, *so: Subject, ignored: Sequence[Subject] = (), early: Sequence[str] = ()
    ) -> list[tuple[str, bool]]:
        """One look; what is told now."""
        found = deciding.decide(so, ignored, self.beliefs, now=NOW + timedelta(minutes=at), early=early)
        self.beliefs |= {one.subject: one for one in found.beliefs}
        for gone in found.forgotten:
            del self.beliefs[gone]
        self.heard += [(one.subject.key, "flapping" if one.flapping else one.change) for one in found.news]
        return [(one.change, one.flapping) for one in found.news]


def test_a_finding_is_told_once_worse_and_when_it_is_over() -> None:
    """New, nothing, worse, nothing when it gets better, resolved, nothing."""
    readers = Readers()
    assert readers.look(0, finding(weight=0.5)) == [("new", False)]
    assert readers.look(1, finding(weight=0.5)) == []
    assert readers.look(2, finding(weight=0.9)) == [("worse", False)]
    assert readers.look(3, finding(weight=0.6)) == []
    assert readers.look(4) == [("resolved", False)]
    assert readers.look(5) == []
    assert readers.look(120) == []
    assert readers.beliefs == {}


def test_what_somebody_looks_after_is_no_news_until_it_is_over() -> None:
    """Acknowledged and waived findings are quiet; a waiver that ends makes it news again."""
    readers = Readers()
    assert readers.look(0, finding(quiet=True)) == []
    assert readers.look(1, finding()) == [("new", False)]
    assert readers.look(2, finding(quiet=True, weight=1.0)) == []
    assert readers.look(3, finding(weight=1.0)) == [("new", False)]
    assert readers.look(4, finding(quiet=True)) == []
    assert readers.look(5) == [("resolved", False)]


def test_what_readers_do_not_want_is_told_only_when_it_ends_what_they_know() -> None:
    """A finding that falls below their severity is not resolved by that."""
    readers = Readers()
    assert readers.look(0, ignored=[finding(weight=0.1)]) == []
    assert readers.look(1, finding()) == [("new", False)]
    assert readers.look(2, ignored=[finding(weight=0.1)]) == []
    assert readers.look(3) == [("resolved", False)]


def test_the_end_of_a_question_is_no_news() -> None:
    """Whoever answered it knows."""
    readers = Readers()
    assert readers.look(0, finding(about=About.APPROVAL)) == [("waiting", False)]
    assert readers.look(1) == []


def test_what_comes_and_goes_is_told_so_once_and_then_left_alone() -> None:
    """Four changes in an hour; after half an hour of standing still the truth is told."""
    readers = Readers()
    told = [readers.look(minute, *([finding()] if minute % 2 == 0 else [])) for minute in range(12)]
    assert told[:4] == [[("new", False)], [("resolved", False)], [("new", False)], [("new", True)]]
    assert told[4:] == [[]] * 8
    assert readers.look(20) == []
    assert readers.look(42) == [("resolved", False)]


def test_a_finding_that_flaps_is_told_so_once_once_more_and_when_it_has_settled() -> None:
    """However long it goes on; what the store says of it counts, whatever this look saw."""
    readers, flaps = Readers(), finding(flapping=True)
    assert readers.look(0, finding()) == [("new", False)]
    assert readers.look(5, flaps) == [("new", True)]
    assert [readers.look(minute, flaps) for minute in (10, 60, 120)] == [[]] * 3
    assert readers.look(125, flaps) == [("open", True)]
    assert [readers.look(minute, flaps) for minute in (130, 300, 1300)] == [[]] * 3
    assert readers.look(1400, finding()) == [("settled", False)]
    assert readers.look(1401, finding()) == []
    assert readers.look(1402) == [("resolved", False)]


def test_a_finding_that_flaps_and_then_stays_away_is_told_as_resolved() -> None:
    """That is how it settled; nothing else is said."""
    readers = Readers()
    assert readers.look(0, finding(flapping=True)) == [("new", True)]
    assert readers.look(50) == [("resolved", False)]
    assert readers.look(200) == []


@given(st.lists(st.tuples(st.floats(0.1, 90), st.booleans()), max_size=40))
def test_readers_never_hear_more_than_they_need_and_know_the_truth_in_the_end(steps: list[tuple[float, bool]]) -> None:
    """However it comes and goes: no end without a beginning, and after a quiet hour they believe what is so."""
    readers, at, so = Readers(), 0.0, False
    for wait, so in steps:
        at += wait
        readers.look(at, *([finding()] if so else []))
    for wait in (31, 61):
        readers.look(at + wait, *([finding()] if so else []))
    believed = False
    for _, change in readers.heard:
        assert change != "resolved" or believed
        assert change != "new" or not believed
        believed = change != "resolved"
    assert believed == so
    assert (readers.beliefs == {}) == (not so)


@given(*[st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1))] * 3)
def test_what_is_early_is_no_news_until_it_is_no_more_and_then_as_if_it_had_just_come(
    before: dict[str, float], meanwhile: dict[str, float], after: dict[str, float]
) -> None:
    """Nothing new or worse meanwhile, and nothing lost: those who were kept waiting believe what all others do."""
    patient, others = Readers(), Readers()
    for readers in (patient, others):
        readers.look(0, *(finding(name, weight=weight) for name, weight in before.items()))
    so = [finding(name, weight=weight) for name, weight in meanwhile.items()]
    told = patient.look(1, *so, early=[one.key for one in so])
    assert {change for change, _ in told} <= {"resolved"}
    for readers in (patient, others):
        readers.look(2, *(finding(name, weight=weight) for name, weight in after.items()))
    believed = [{key for key, one in readers.beliefs.items() if one.told} for readers in (patient, others)]
    assert believed[0] == believed[1] == {f"finding:{name}" for name in after}


@given(
    st.sets(st.sampled_from("abcdef")),
    st.sets(st.sampled_from("abcdef")),
    st.integers(1, 5),
)
def test_looking_again_tells_nothing_new(first: set[str], second: set[str], times: int) -> None:
    """What is told follows from states: a look that is repeated, after a crash say, adds nothing."""
    readers = Readers()
    readers.look(0, *map(finding, first))
    news = readers.look(1, *map(finding, second))
    assert len(news) == len(first ^ second)
    for minute in range(times):
        assert readers.look(2 + minute, *map(finding, second)) == []


def test_a_reminder_comes_in_its_time_and_not_for_what_is_looked_after() -> None:
    """Nothing at first, then once in each interval, until nothing is left."""
    readers = Readers()
    readers.look(0, finding("a"), finding("b"))
    readers.look(1, finding("a"), finding("b", quiet=True))
    day = timedelta(days=1)
    first = deciding.remind(readers.beliefs.values(), None, every=day, now=NOW)
    assert (first.of, first.changes, first.at) == ((), True, NOW)
    assert deciding.remind(readers.beliefs.values(), NOW, every=day, now=NOW + day / 2) == deciding.Reminding()
    due = deciding.remind(readers.beliefs.values(), NOW, every=day, now=NOW + day)
    assert [subject.key for subject in due.of] == ["finding:a"]
    readers.look(2)
    assert deciding.remind(readers.beliefs.values(), NOW, every=day, now=NOW + day) == deciding.Reminding(changes=True)


def test_a_subject_is_the_same_after_it_was_kept() -> None:
    """To JSON and back."""
    assert Subject.from_json(finding().to_json()) == finding()
    assert News(change="new", subject=finding()).subject.severity.value == "blocker"
