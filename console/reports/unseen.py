"""Which sides of a difference nobody could read at the newest comparison. Pure; every form of a report asks it."""

from __future__ import annotations

from collections.abc import Mapping

from drift import unseen as hiding
from drift.report import Entry, Report
from lockstep.values import Json


def unseen(report: Report, entry: Entry) -> frozenset[str]:
    """Of ``primary`` and ``standby`` those that could not be read here: what they had before is not what they have."""
    compared = next((one for one in report.compared if report.of(one, [entry])), None)
    if compared is None:
        return frozenset()
    known = compared.coverage.get("sites", {})
    sides = [(side, known.get(site, {})) for side, site in zip(("primary", "standby"), compared.sites, strict=True)]
    return frozenset(side for side, read in sides if _is_unseen(read, entry))


def _is_unseen(read: Mapping[str, Json], entry: Entry) -> bool:
    if not (read.get("gaps") and not read.get("method")):
        return entry.behind and hiding.hides(read, entry.row.key)
    return True
