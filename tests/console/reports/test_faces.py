"""What every face of a report says, in each language, and what it never lets through."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import Console

from console import foreseen, language, reports
from console.reports import markdown
from console.reports.telling import Telling, cut, visible
from drift import heard
from drift.report import Report
from lockstep.values import Verdict
from tests.support import drifting

CATALOGUES = language.load()
HOSTILE = "\x1b[31m[red]<script>alert(1)</script>|`*_\u202egnp.exe\x00\x07]]>\n&amp;"


def table(report: Report, code: str = "en", *, everything: bool = False, width: int = 1000) -> str:
    """The table as a pipe gets it."""
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(reports.table.write(report, CATALOGUES[code], everything=everything))
    return captured.get()


def page(report: Report, code: str = "en") -> str:
    """The page."""
    return reports.page.write(report, CATALOGUES[code])


@pytest.mark.parametrize("code", list(language.LANGUAGES))
@pytest.mark.parametrize("face", ["table", "markdown", "page"])
def test_every_face_says_everything_in_every_language(face: str, code: str) -> None:
    """The subject, verdicts in the reader's language, fields, values, notes and broken rules."""
    report = drifting.report()
    text = {
        "table": lambda: table(report, code),
        "markdown": lambda: re.sub(r"\\(.)", r"\1", reports.markdown.write(report, CATALOGUES[code])),
        "page": lambda: page(report, code),
    }[face]()
    say = CATALOGUES[code].text
    for wanted in (
        "pay: seoul → sejong",
        *(say(word) for word in ("Primary hot fix", "Missing at standby", "Standby drift", "Degraded", "absent")),
        *(say("Not known from files"), "Deployment pay/worker-0", "CrashLoopBackOff", "Deployment pay/proxy"),
        *("Deployment pay/api", "spec.replicas", "nobody knows", "It expired.", "cccccccccc"),
        "pay/tls-3 tls.crt",
    ):
        assert wanted in text, wanted
    assert "tls-300" not in text


def test_unknown_is_shown_as_such_and_never_as_passed() -> None:
    """With its reason; sides that nobody looked at are not absent."""
    blind = replace(drifting.entry(Verdict.UNKNOWN, path=""), row=replace(drifting.entry().row, values={}))
    unseen = replace(blind, row=replace(blind.row, verdict=Verdict.UNKNOWN, people_path="everything at sejong"))
    report = drifting.report(unseen, verdict=Verdict.UNKNOWN, problem="sejong does not answer")
    for text in (table(report), reports.markdown.write(report, CATALOGUES["en"]), page(report)):
        assert "sejong does not answer" in text
        assert "Unknown" in text
        assert "absent" not in text
    root = ET.fromstring(reports.junit.write(report))
    assert root.get("errors") == "2"


def test_a_list_or_an_object_is_one_line_of_a_table_and_many_of_a_page() -> None:
    """No end of a line is told as an escape in a cell; where there is room, it is read more easily."""
    found = drifting.entry(values={"primary": [{"name": "API"}], "standby": {}})
    report = drifting.report(found)
    for text in (table(report), re.sub(r"\\(.)", r"\1", reports.markdown.write(report, CATALOGUES["en"]))):
        assert '[{"name":"API"}]' in text
    assert Telling(report, CATALOGUES["en"]).cells(found, whole=True)[1].text == '[\n  {\n    "name": "API"\n  }\n]'


@pytest.mark.parametrize("code", list(language.LANGUAGES))
def test_every_face_says_which_method_spoke_and_what_became_of_dry_runs(code: str) -> None:
    """Beside each object, and once for each site that was asked; JUnit and JSON say it in the words of the house."""
    told = {"when": "whenDifferent", "asked": 2, "failed": 1, "notPermitted": 0, "notServed": 0, "left": 7}
    report = drifting.report(drifting.entry(), drifting.entry(name="web"))
    (one,) = report.compared
    coverage = {"sites": {"seoul": {"dryRun": told}, "sejong": {"dryRun": dict.fromkeys(told, 0)}}}
    both = [replace(entry, row=replace(entry.row, method=heard.BOTH)) for entry in report.differences[:1]]
    report = replace(report, compared=(replace(one, coverage=coverage),), differences=(*both, *report.differences[1:]))
    say = CATALOGUES[code].text
    sentence = foreseen.sentence({"dryRun": told}, CATALOGUES[code])
    for text in (
        table(report, code),
        re.sub(r"\\(.)", r"\1", reports.markdown.write(report, CATALOGUES[code])),
        page(report, code),
    ):
        assert say(foreseen.METHODS[heard.RULES]) in text
        assert say(foreseen.METHODS[heard.BOTH]) in text
        assert f"seoul: {sentence}" in text
        assert "sejong: " + sentence[:4] not in text
    assert sentence.count(",") == 2
    cases = {
        one.get("name"): one.findtext("failure") for one in ET.fromstring(reports.junit.write(report)).iter("testcase")
    }
    assert [(cases[f"Deployment pay/{name} spec.replicas"] or "").splitlines()[-1] for name in ("api", "web")] == [
        "method: rules and dry run",
        "method: rules",
    ]
    assert [entry["method"] for entry in report.to_json()["differences"]] == [heard.BOTH, heard.RULES]


@pytest.mark.parametrize("method", ["", "watch"])
def test_what_a_site_had_before_it_went_away_is_not_told_as_what_it_has(method: str) -> None:
    """Neither a value nor an absence; what the other site and git have stays."""
    values = {"gitPrimary": "strict", "primary": "strict", "gitStandby": "strict", "standby": "lax"}
    found = (drifting.entry(values=values), drifting.entry(name="job", path="", values={"primary": "(the object)"}))
    gaps = [{"what": "deployments in pay", "why": "it does not answer"}]
    read = {"seoul": {"method": "watch", "gaps": []}, "sejong": {"method": method, "gaps": gaps}}
    report = drifting.report(*(replace(one, behind=True) for one in found))
    report = replace(report, compared=(replace(report.compared[0], coverage={"sites": read}),))
    for code, wanted in (("en", "not known now"), ("ko", "지금은 알 수 없음")):
        telling = Telling(report, CATALOGUES[code])
        mode, job = (telling.cells(one) for one in report.differences)
        assert [cell.text for cell in mode] == ["strict", "strict", "strict", wanted]
        assert (job[3].text, job[1].there) == (wanted, True)
        seen = telling.cells(replace(report.differences[0], behind=False))
        assert seen[3].text == ("lax" if method else wanted)
    faces = table(report), reports.markdown.write(report, CATALOGUES["en"]), page(report), reports.junit.write(report)
    for text in faces:
        assert "not known now" in text
        assert "lax" not in text


def test_stale_evidence_says_what_it_was() -> None:
    """It is no verdict any more."""
    report = replace(drifting.report(), compared=(drifting.compared(Verdict.IN_SYNC, stale=True),), differences=())
    for text in (table(report), reports.markdown.write(report, CATALOGUES["en"]), page(report)):
        assert "Stale" in text
        assert "was In sync" in text
        assert "Nothing differs." not in text


def test_what_was_never_compared_is_listed() -> None:
    """By name, in every face."""
    report = replace(drifting.report(), uncompared=(("notice", "seoul-daegu"),))
    for text in (table(report), reports.markdown.write(report, CATALOGUES["en"]), page(report)):
        assert "notice: seoul" in text
        assert "Never compared" in text
    assert '"notice over seoul-daegu"' in reports.junit.write(report)


def test_the_table_lists_what_is_explained_when_asked() -> None:
    """Otherwise it counts it."""
    brief, whole = table(drifting.report()), table(drifting.report(), everything=True)
    assert "1 explained" in brief
    assert "imagePrefix of the sites" not in brief
    assert "imagePrefix of the sites" in whole
    assert "seoul: a/api" in whole
    assert "In sync" not in whole


@pytest.mark.parametrize("width", [80, 120, 200])
def test_columns_line_up_whatever_the_glyphs_are_wide(width: int) -> None:
    """Korean takes two cells a letter; no line is wider than the terminal."""
    values = {"gitPrimary": "한글 값", "primary": "값", "gitStandby": "한글 값", "standby": "abc"}
    report = drifting.report(drifting.entry(values=values), drifting.entry(name="b", path="spec.paused"))
    lines = table(report, "ko", width=width).splitlines()
    assert all(cell_len(line) <= width for line in lines)
    if width == 200:
        header, _, first, _, second = next(lines[at : at + 5] for at, line in enumerate(lines) if "판정" in line)
        start = cell_len(header[: header.index("판정")])
        assert all(cell_len(line[: line.index("주 사이트")]) == start for line in (first, second))


def test_a_page_needs_nothing_else() -> None:
    """No script, and nothing that is loaded from anywhere."""
    text = page(drifting.report())
    assert not re.search(r"<(script|link|img|iframe)|src=|url\(|@import|https?://", text)


def test_nothing_from_a_cluster_acts_on_a_page_or_a_terminal() -> None:
    """Tags, control characters and marks that turn the direction of writing arrive as text."""
    hostile = drifting.entry(name=HOSTILE, path=HOSTILE, values={"primary": HOSTILE}, note=HOSTILE, by=HOSTILE)
    report = drifting.report(hostile, problem=HOSTILE)
    for text in (table(report), page(report), reports.markdown.write(report, CATALOGUES["en"])):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", text)
    assert "<script>" not in page(report)
    assert "<script>" not in MarkdownIt("commonmark").enable("table").render(
        reports.markdown.write(report, CATALOGUES["en"])
    )


@given(st.text())
def test_junit_is_a_document_whatever_is_in_it(text: str) -> None:
    """What XML cannot hold is escaped."""
    report = drifting.report(drifting.entry(name=text, values={"primary": text}, note=text), problem=text)
    root = ET.fromstring(reports.junit.write(report))
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("4", "1", "2")


@given(st.text())
def test_a_cell_of_markdown_is_one_cell(text: str) -> None:
    """As plain text and as code it stays between its bars, on one line."""
    source = f"| a | b |\n|---|---|\n| {markdown.escaped(text)} | {markdown.code(text)} |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    assert [token.type for token in tokens].count("td_open") == 2
    assert [token.type for token in tokens].count("tr_open") == 2


@given(st.text())
def test_what_is_visible_is_printable(text: str) -> None:
    """And what was printable before is not touched."""
    shown = visible(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


@given(st.lists(st.text(max_size=60), min_size=2, max_size=4), st.text(max_size=300), st.integers(30, 200))
def test_cutting_shows_where_texts_differ(ends: list[str], lead: str, longest: int) -> None:
    """Different texts that begin to differ within the length stay different, and none becomes longer than that."""
    texts = [lead + end for end in ends]
    shown = cut(texts, longest=longest)
    assert all(len(one) <= longest + 2 for one in shown)
    if len(set(ends)) > 1 and longest > 90:
        assert len(set(shown)) == len(set(texts))


def test_an_age_is_told_in_the_readers_language() -> None:
    """Since when, and who said what."""
    entry = drifting.entry(state="acknowledged", by="kim")
    assert Telling(drifting.report(), CATALOGUES["ko"]).life(entry) == "60분 전, 확인함 (kim)"


def test_objects_that_are_not_well_are_named_as_far_as_anybody_reads() -> None:
    """The others are counted; in the language of the reader, but for what Kubernetes calls it."""
    telling = Telling(drifting.report(), CATALOGUES["ko"])
    told = telling.unwell(drifting.compared())
    assert len(told) == 12
    why = "복제본 1개 중 0개 사용 가능; Pod worker-0-x: worker 시작 불가: CrashLoopBackOff"
    assert told[0] == f"seoul: Deployment pay/worker-0: 이상: {why}"
    assert told[-2] == "seoul: 비정상 2개 더 있음"
    runs = "seoul sha256:aaaaaaaaaaaa; sejong sha256:bbbbbbbbbbbb"
    assert told[-1] == f"Deployment pay/proxy: 컨테이너 proxy: proxy:1 태그가 여러 다이제스트로 실행 중: {runs}"


def test_health_fails_no_case_of_junit() -> None:
    """It is a property of the suite, and why stands in its output: the exit code is that of the verdict."""
    suite = ET.fromstring(reports.junit.write(drifting.report(verdict=Verdict.IN_SYNC)))[0]
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert properties == {"health.seoul": "Degraded", "health.sejong": "NotApplicable"}
    assert suite.findall("testcase[@name='comparison']/*") == []
    assert "Deployment pay/worker-11: Degraded: has 0 of 1" in suite.findtext("system-out", "")
    assert f"Deployment pay/proxy: container proxy: proxy:1: seoul sha256:{'a' * 64}" in suite.findtext(
        "system-out", ""
    )
