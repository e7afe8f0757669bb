"""A report as JUnit XML, as CI systems read it: a suite for each comparison, a case for each object that differs.

Drift is a ``failure``, what nobody could see is an ``error``, and what was looked at and differs on purpose is
``skipped``. Health is a property of the suite for each site, with why in ``system-out``: like the exit code, no case
fails for it. Names are those of the house, never translated: dashboards go by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from console import comparing
from console.reports.telling import called, cut, visible
from console.reports.unseen import unseen
from drift.report import Compared, Entry, Report
from drift.rows import SIDES
from lockstep.values import Health, Verdict

# XML 1.0, "Characters": what may not stand in a document, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(report: Report) -> str:
    """The report, as one XML document."""
    suites = ET.Element("testsuites", {"name": "lockstep drift"})
    for one in report.compared:
        suites.append(_suite(report, one))
    for application, pair in report.uncompared:
        suite = ET.SubElement(suites, "testsuite", {"name": sound(f"{application} over {pair}")})
        case = ET.SubElement(suite, "testcase", {"name": "comparison", "classname": sound(application)})
        ET.SubElement(case, "error", {"type": Verdict.UNKNOWN.value, "message": "never compared"})
        _count(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        suites.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _suite(report: Report, one: Compared) -> ET.Element:
    name = f"{one.application} over {one.pair}" if one.application else " and ".join(one.sites)
    seconds = (one.ended_at - one.started_at).total_seconds()
    suite = ET.Element(
        "testsuite", {"name": sound(name), "timestamp": one.ended_at.isoformat(), "time": f"{seconds:.3f}"}
    )
    if one.health:
        properties = ET.SubElement(suite, "properties")
        for site, health in one.health.items():
            ET.SubElement(properties, "property", {"name": sound(f"health.{site}"), "value": health})
    whole = ET.SubElement(suite, "testcase", {"name": "comparison", "classname": sound(name)})
    if one.verdict is Verdict.UNKNOWN:
        why = "the evidence is stale" if one.stale else one.problem
        ET.SubElement(whole, "error", {"type": one.verdict.value, "message": sound(why)})
    for entry in report.of(one, report.differences):
        kind = "error" if entry.row.verdict is Verdict.UNKNOWN else "failure"
        ET.SubElement(_case(suite, name, entry), kind, _said(entry)).text = _told(report, one, entry)
    for entry in (*report.of(one, report.declared), *report.of(one, report.explained)):
        ET.SubElement(_case(suite, name, entry), "skipped", _said(entry)).text = _told(report, one, entry)
    if ailing := list(_unwell(one)):
        ET.SubElement(suite, "system-out").text = sound("\n".join(ailing))
    _count(suite)
    return suite


def _unwell(one: Compared) -> Iterator[str]:
    for site, vitals in one.vitals.items():
        if vitals.why and vitals.health is not Health.NOT_APPLICABLE:
            yield f"{site}: {vitals.health.value}: {vitals.why}"
        yield from (f"{site}: {called(each.key)}: {each.health.value}: {each.why}" for each in vitals.unwell)
    for container in one.running.different:
        runs = "; ".join(f"{site} {', '.join(digests)}" for site, digests in container.digests.items())
        yield f"{called(container.key)}: container {container.container}: {container.image}: {runs}"


def _case(suite: ET.Element, classname: str, entry: Entry) -> ET.Element:
    name = f"{called(entry.row.key)} {entry.row.people_path or entry.row.path}".strip() or entry.row.site
    return ET.SubElement(suite, "testcase", {"name": sound(name), "classname": sound(classname)})


def _said(entry: Entry) -> dict[str, str]:
    told = [f"{entry.row.verdict.value} at {entry.row.site}", entry.row.note]
    return {"type": entry.row.verdict.value, "message": sound(": ".join(part for part in told if part))}


def _told(report: Report, one: Compared, entry: Entry) -> str:
    """What the sides have, and which method spoke."""
    lines = [_values(report, entry)]
    if one.application and entry.row.values:
        lines.append(f"method: {entry.row.method}")
    return "\n".join(line for line in lines if line)


def _values(report: Report, entry: Entry) -> str:
    hidden = unseen(report, entry)
    sides = zip(SIDES, comparing.sides(entry.row.values), strict=True)
    present = [(side, value.text) for side, value in sides if value.there or side in hidden]
    texts = cut(["" if side in hidden else text for side, text in present])
    shown = zip(present, texts, strict=True)
    return sound("\n".join(f"{side}: {'not known now' if side in hidden else text}" for (side, _), text in shown))


def _count(suite: ET.Element) -> None:
    cases: Sequence[ET.Element] = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for case in cases if case.find(tag) is not None)))


def sound(text: str) -> str:
    """A text that XML may hold; what it may not is escaped as Python writes it."""
    return _FORBIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode(), visible(text, keep="\n\t"))
