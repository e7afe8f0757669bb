"""Which sides of a difference nobody could read at the newest comparison. Pure; every form of a report asks it."""

from __future__ import annotations

from drift.report import Entry, Report


def unseen(report: Report, entry: Entry) -> frozenset[str]:
    """Of ``primary`` and ``standby`` those that could not be read here: what they had before is not what they have."""
    compared = next((one for one in report.compared if report.of(one, [entry])), None)
    if compared is None:
        return frozenset()
    known = compared.coverage.get("sites", {})
    sides = [(side, known.get(site, {})) for side, site in zip(("primary", "standby"), compared.sites, strict=True)]
    return frozenset(side for side, read in sides if read.get("gaps") and (entry.behind or not read.get("method")))
