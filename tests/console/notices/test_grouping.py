"""From news to messages."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import language
from console.notices import grouping, wording
from console.notices.deciding import News
from console.notices.subject import About, Subject, plain, wanted
from lockstep.sites.channels import standard
from tests.console.notices.subjects import NOW, finding
from tests.support.topologies import topology

CHANGES = ("new", "worse", "resolved", "unknown", "failed", "held", "waiting")
CATALOGUES = language.load()

news_of = st.builds(
    lambda name, application, about, change, weight: News(
        change=change,
        subject=finding(f"{application}-{name}", application=application, about=about, weight=weight),
    ),
    st.text(min_size=1, max_size=300),
    st.sampled_from(["pay", "shop", ""]),
    st.sampled_from(About),
    st.sampled_from(CHANGES),
    st.floats(0, 1),
)


@given(st.lists(news_of, max_size=60), st.sets(st.sampled_from(CHANGES), min_size=1), st.integers(1, 20))
def test_everything_that_is_wanted_is_counted_once(news: list[News], when: set[str], most: int) -> None:
    """No news is lost or doubled, the worst stand first, and what is over stands last."""
    notices = grouping.group(news, when=sorted(when), most=most)
    counted: Counter[str] = Counter()
    for notice in notices:
        counted.update(notice.counts)
        assert notice.total == sum(notice.counts.values())
        assert len(notice.lines) == min(most, notice.total)
        orders = [(one.change == "resolved", -one.subject.weight) for one in notice.lines]
        assert orders == sorted(orders)
    assert counted == Counter(one.change for one in news if one.change in when)
    assert len({(notice.kind, notice.application) for notice in notices}) == len(notices)


@given(st.lists(news_of, min_size=1, max_size=60), st.sampled_from(["en", "ko"]))
def test_every_message_has_words_and_fits(news: list[News], code: str) -> None:
    """Hostile names cannot break lines, call everybody or make a body too large; what is left out is counted."""
    for notice in grouping.group(news, when=CHANGES):
        title, text = wording.text_of(notice, CATALOGUES[code], url="https://lockstep.bank.example")
        assert "\n" not in title
        assert len(text.splitlines()) == len(notice.lines) + bool(notice.more) + 2
        body = wording.json_of(notice, CATALOGUES[code], notification="ops", url="", at=NOW)
        assert len(body) <= standard.MOST_BYTES
        data = json.loads(body)["data"]
        assert len(data["items"]) + data["more"] == notice.total


def test_a_scan_of_an_application_is_one_message_with_counts_and_the_worst_first() -> None:
    """In the language that the Notification says, with a link to the page."""
    news = [
        News(change="new", subject=finding("a", weight=0.5, verdict="StandbyBehind")),
        News(change="new", subject=finding("b", verdict="MissingAtStandby", weight=1.0, field="")),
        News(change="resolved", subject=finding("c", weight=1.0, site="", field="", why="kubectl-edit")),
    ]
    (notice,) = grouping.group(news, when=CHANGES)
    title, text = wording.text_of(notice, CATALOGUES["en"], url="https://lockstep.bank.example")
    assert title == "[Lockstep] pay: 2 new, 1 resolved (blocker)"
    assert text.splitlines() == [
        "• New · Missing at standby · Deployment.apps pay/b · sejong · since 2026-11-23 09:00 UTC",
        "• New · Standby behind · Deployment.apps pay/a · spec.replicas · sejong · since 2026-11-23 09:00 UTC",
        "• Resolved · Standby drift · Deployment.apps pay/c · since 2026-11-23 09:00 UTC · kubectl-edit",
        "",
        "https://lockstep.bank.example/findings?application=pay",
    ]
    title, text = wording.text_of(notice, CATALOGUES["ko"], url="")
    assert title == "[Lockstep] pay: 새로 생김 2건, 해결 1건 (치명적)"
    assert "https" not in text


def test_a_silent_site_is_one_message_however_many_applications_it_has() -> None:
    """What belongs to no application is grouped by what it is."""
    news = [
        News(change="unknown", subject=finding(f"{n}", about=About.EVIDENCE, application=f"a{n}")) for n in range(50)
    ]
    (notice,) = grouping.group(news, when=CHANGES)
    assert (notice.total, len(notice.lines), notice.more) == (50, grouping.MOST_LINES, 30)


@pytest.mark.parametrize(
    ("spec", "subject", "is_wanted"),
    [
        ({}, finding(weight=0.5), True),
        ({}, finding(weight=0.49), False),
        ({"severity": "minor"}, finding(weight=0.0), True),
        ({"severity": "blocker"}, finding(weight=0.79), False),
        ({"applications": ["shop"]}, finding(), False),
        ({"applications": ["pay"]}, finding(), True),
        ({"pairs": ["seoul-daegu"]}, finding(), False),
        ({"verdicts": ["PrimaryHotfix"]}, finding(), False),
        ({"verdicts": ["PrimaryHotfix"]}, finding(about=About.SITE, application="", pair="", site="sejong"), True),
        ({"pairs": ["seoul-daegu"]}, finding(about=About.SITE, application="", pair="", site="sejong"), False),
        ({"pairs": ["seoul-daegu"]}, finding(about=About.SITE, application="", pair="", site="daegu"), True),
        ({"applications": ["pay"]}, finding(about=About.SITE, application="", pair="", site="daegu"), True),
    ],
)
def test_readers_hear_of_what_they_asked_for(spec: dict[str, object], subject: Subject, is_wanted: bool) -> None:
    """By application, pair, verdict and severity; filters of findings are for findings."""
    made = topology(
        ("Pair", "seoul-daegu", {"primary": "seoul", "standby": "daegu"}),
        ("Notification", "ops", {"apprise": [{"env": "CHAT"}], **spec}),
    )
    assert wanted(subject, made.notifications["ops"], made) is is_wanted


def test_names_of_others_are_shown_on_one_line_and_call_nobody() -> None:
    """Control signs, line ends, marks of direction and the sign that calls everybody."""
    assert plain("a\r\nb\u2028c\u202ed\x00e") == "a b c d e"
    assert plain("@channel") == "@\u200bchannel"
    assert len(plain("x" * 1000)) == 200
