"""Every sentence exists in every language, and each reader gets his own."""

from __future__ import annotations

import re

import pytest

from console import language, sayings
from tests.console import catalogues

PART = re.compile(r"%\((\w+)\)s")


def written() -> set[str]:
    """Every sentence that is written; the singular of those that count."""
    return {sentence if isinstance(sentence, str) else sentence[0] for sentence in catalogues.written()}


@pytest.mark.parametrize("code", list(language.LANGUAGES))
def test_a_catalogue_holds_exactly_the_sentences_that_are_written(code: str) -> None:
    """None is missing and none is left over."""
    catalogue = catalogues.read(code)
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue if message.id}
    assert known == written(), "run make messages, and translate what is new"
    assert not [message.id for message in catalogue if message.fuzzy and message.id]


def test_every_sentence_has_a_korean_translation_with_the_same_parts() -> None:
    """No translation is empty, and each has every named part of its sentence."""
    korean = language.load()["ko"]
    for sentence in written():
        translated = korean.messages[sentence][0]
        assert translated, sentence
        assert set(PART.findall(translated)) == set(PART.findall(sentence)), sentence


def test_a_sentence_that_is_not_known_stays_english() -> None:
    """What a translator has not seen yet is readable all the same."""
    korean = language.load()["ko"]
    assert korean.text("Something new") == "Something new"
    assert korean.counted("%(num)s thing", "%(num)s things", 2) == "%(num)s things"


def test_english_counts_and_korean_does_not() -> None:
    """One and many differ in English only."""
    catalogues = language.load()
    one, many = "%(num)s ref", "%(num)s refs"
    assert [catalogues["en"].counted(one, many, count) for count in (1, 2)] == [one, many]
    assert len({catalogues["ko"].counted(one, many, count) for count in (1, 2)}) == 1


def test_the_first_wish_that_is_a_language_wins() -> None:
    """Unknown wishes pass by; without any it is English."""
    assert language.choose(None, "xx", "ko", "en") == "ko"
    assert language.choose("", None) == "en"


def test_what_workers_wrote_down_is_said_in_the_readers_language() -> None:
    """Stored sentences are recognised with their parts; others stay as they were written."""
    korean = language.load()["ko"]
    assert sayings.say("the event 'issues' moves no ref", korean) == "이벤트 'issues'은(는) ref를 옮기지 않습니다"
    assert sayings.say("it was not signed; nobody knows", korean) == "서명이 없습니다; nobody knows"
    assert sayings.say("", korean) == ""
    wrong = "It says otherwise of a field than hosts, which is as narrow. Neither counts: mend one of them."
    assert "hosts 규칙" in sayings.say(wrong, korean)


def test_a_sentence_with_a_semicolon_of_its_own_is_one_sentence_and_a_verdict_has_its_word() -> None:
    """What is to be done about a missing object; what differs where."""
    korean = language.load()["ko"]
    for sentence in (one for one in sayings.SAYINGS if "; " in one and "%(" not in one):
        assert sayings.say(sentence, korean) == korean.text(sentence) != sentence
    assert sayings.say("verdict StandbyDrift at sejong; is suspended", korean).startswith("sejong에서 판정 대기 사이트")


def test_every_saying_finds_itself() -> None:
    """Each sentence is recognised when its parts are filled with whatever."""
    english = language.load()["en"]
    for saying in sayings.SAYINGS:
        sentence = PART.sub("100% (a) [b]", saying)
        assert sayings.say(sentence, english) == sentence
