"""Notices in words: text for people in their language, and JSON for their programs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlencode

import orjson

from console import words
from console.language import Catalogue, mark
from console.notices import grouping
from console.notices.deciding import News
from console.notices.grouping import Notice
from console.notices.subject import About, plain
from lockstep.sites.channels import standard
from lockstep.values import Json, Severity, Verdict

Texts: TypeAlias = tuple[str, str]
"""A title and a body."""

_CHANGES: Mapping[str, str] = {
    "new": mark("%(count)s new"),
    "unknown": mark("%(count)s unreadable"),
    "failed": mark("%(count)s failed"),
    "held": mark("%(count)s held"),
    "waiting": mark("%(count)s waiting"),
    "worse": mark("%(count)s worse"),
    "open": mark("%(count)s still open"),
    "settled": mark("%(count)s settled"),
    "resolved": mark("%(count)s resolved"),
}
_LEADS: Mapping[str, str] = {
    "new": mark("New"),
    "unknown": mark("Unreadable"),
    "failed": mark("Failed"),
    "held": mark("Held"),
    "waiting": mark("Waits for a person"),
    "worse": mark("Worse"),
    "open": mark("Still open"),
    "settled": mark("Stands still again"),
    "resolved": mark("Resolved"),
}
_KINDS: Mapping[str, str] = {
    "findings": mark("Differences"),
    "sites": mark("Sites"),
    "approvals": mark("Approvals"),
    "deploys": mark("Deploys"),
    "mirrors": mark("Mirrors"),
    "jobs": mark("Jobs"),
    grouping.REMINDER: mark("Reminder"),
    grouping.TEST: mark("Test"),
}
_SEVERITIES: Mapping[Severity, str] = {
    Severity.BLOCKER: mark("blocker"),
    Severity.MAJOR: mark("major"),
    Severity.MINOR: mark("minor"),
}


def text_of(notice: Notice, catalogue: Catalogue, *, url: str) -> Texts:
    """Title and body for people: one line for each subject, no value of any field.

    Args:
        notice: What is told.
        catalogue: Their language.
        url: Where the pages are; without it there are no links.
    """
    say = catalogue.text
    counts = ", ".join(say(_CHANGES[change]) % {"count": count} for change, count in notice.counts.items())
    about = notice.application or say(_KINDS[notice.kind])
    title = f"[Lockstep] {about}: {counts}"
    if notice.kind == grouping.TEST:
        return f"[Lockstep] {about}", say(mark("This is a test. This channel works."))
    if any(one.change != "resolved" for one in notice.lines):
        title += f" ({say(_SEVERITIES[notice.severity])})"
    lines = [_line(one, catalogue) for one in notice.lines]
    if notice.more:
        lines.append(say(mark("and %(count)s more")) % {"count": notice.more})
    if url:
        lines += ["", url + _page(notice)]
    return plain(title), "\n".join(lines)


def json_of(notice: Notice, catalogue: Catalogue, *, notification: str, url: str, at: datetime) -> bytes:
    """The body of a Standard Webhook: ``type``, ``timestamp`` and ``data``, within the size that is recommended.

    Lines are left out, the least bad first, until it fits; ``more`` says how many are not there.
    """
    title, _ = text_of(notice, catalogue, url=url)
    lines = list(notice.lines)
    while True:
        data: dict[str, Json] = {
            "notification": notification,
            "application": notice.application,
            "severity": notice.severity.value,
            "title": title,
            "counts": dict(notice.counts),
            "items": [_item(one) for one in lines],
            "more": notice.total - len(lines),
            **({"url": url + _page(notice)} if url else {}),
        }
        body = orjson.dumps({"type": f"lockstep.{notice.kind}", "timestamp": at.isoformat(), "data": data})
        if len(body) <= standard.MOST_BYTES or not lines:
            return body
        lines.pop()


def _line(news: News, catalogue: Catalogue) -> str:
    subject, say = news.subject, catalogue.text
    lead = say(_LEADS[news.change])
    if news.flapping:
        lead = say(mark("Still comes and goes") if news.change == "open" else mark("Comes and goes"))
    verdict = _verdict(subject.verdict, catalogue)
    since = subject.since.strftime("%Y-%m-%d %H:%M UTC")
    parts = (
        lead,
        verdict,
        # A message about one application need not say so on each line.
        subject.application if subject.about in (About.DEPLOY, About.EVIDENCE, About.RUN) else "",
        plain(subject.what),
        plain(subject.field),
        subject.site,
        say(mark("since %(moment)s")) % {"moment": since},
        plain(subject.why),
    )
    return "• " + " · ".join(part for part in parts if part)


def _verdict(text: str, catalogue: Catalogue) -> str:
    known = {verdict.value: verdict for verdict in Verdict}
    return catalogue.text(words.VERDICTS[known[text]].label) if text in known else text


def _item(news: News) -> dict[str, Json]:
    subject = news.subject
    return {
        "change": news.change,
        "flapping": news.flapping,
        "about": subject.about.value,
        "id": subject.key,
        "severity": subject.severity.value,
        "verdict": subject.verdict,
        "application": subject.application,
        "pair": subject.pair,
        "site": subject.site,
        "object": plain(subject.what),
        "field": plain(subject.field),
        "why": plain(subject.why),
        "since": subject.since.isoformat(),
    }


def _page(notice: Notice) -> str:
    """The path of the page that shows most of a notice."""
    pages = {one.subject.page for one in notice.lines}
    if len(pages) == 1:
        return pages.pop()
    if notice.application:
        return f"/findings?{urlencode({'application': notice.application})}"
    return {"mirrors": "/mirrors", "jobs": "/jobs", grouping.REMINDER: "/findings"}.get(notice.kind, "/")
