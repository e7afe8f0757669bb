"""A preflight's report as JUnit XML, as CI systems read it: a suite for each check, a case for each result.

What failed is a ``failure``; what nobody could say is an ``error``; a warning, and what is not covered, waived or
does not apply, is ``skipped``. Names are never translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from console.reports.junit import sound
from lockstep.values import Json

_TAGS = {
    "FAIL": "failure",
    "UNKNOWN": "error",
    "STALE": "error",
    "NOT_AUTHORIZED": "error",
    "WARN": "skipped",
    "WAIVED": "skipped",
    "NOT_COVERED": "skipped",
    "N/A": "skipped",
}


def write(report: Json) -> str:
    """The report, as one XML document."""
    verdict = str(report["verdict"])
    suites = ET.Element("testsuites", {"name": f"lockstep preflight {sound(report['scope']['pair'])} {verdict}"})
    for check in report["checks"]:
        found = [one for one in report["results"] if one["check"] == check["id"]]
        name = f"{check['id']} {check['titles']['en']}"
        suite = ET.SubElement(suites, "testsuite", {"name": sound(name), "timestamp": str(report["generatedAt"])})
        for one in found:
            _case(suite, one)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
        suite.set("tests", str(len(found)))
    for attribute in ("tests", "failures", "errors", "skipped"):
        suites.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in suites)))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _case(suite: ET.Element, one: Mapping[str, Json]) -> None:
    place = " ".join(str(one[part]) for part in ("app", "object", "path") if one[part])
    case = ET.SubElement(suite, "testcase", {"name": sound(place or str(one["pair"])), "classname": str(one["check"])})
    tag = _TAGS.get(str(one["outcome"]))
    if tag:
        kind = f"{one['outcome']} {one['severity']}"
        ET.SubElement(case, tag, {"type": kind, "message": sound(str(one["message"]))}).text = sound(str(one["fix"]))
