"""Everything that is told at once, with its verdict and its exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from drift import certificates
from drift.report.parts import Compared, Ending, Entry, RuleNote, moment
from lockstep.values import Json, Verdict

IN_STEP, DRIFT, UNKNOWN = 0, 1, 2
"""Exit codes: nothing differs that may not; something does; nobody can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is told at once.

    ``differences`` are what differs and what could not be seen, ``declared`` what overlays in git make differ,
    ``explained`` what rules and the sites themselves explain. ``uncompared`` are the applications and pairs that
    nobody has compared yet.
    """

    made_at: datetime
    compared: tuple[Compared, ...]
    differences: tuple[Entry, ...]
    declared: tuple[Entry, ...] = ()
    explained: tuple[Entry, ...] = ()
    rules: tuple[RuleNote, ...] = ()
    uncompared: tuple[tuple[str, str], ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """The worst of all; Unknown when something was not compared, or nothing at all."""
        if self.uncompared or not self.compared:
            return Verdict.UNKNOWN
        return Verdict.worst(one.verdict for one in self.compared)

    @property
    def exit_code(self) -> int:
        """0 when everything is in step, 1 when something differs, 2 when nobody can say of everything."""
        return exit_code(self.verdict)

    @property
    def ending(self) -> list[Ending]:
        """The certificates that have ended or end soon, the most urgent first, each once."""
        found = {
            Ending(
                expires=datetime.fromisoformat(one["expires"]),
                site=site,
                name=f"{one['namespace']}/{one['name']} {one['key']}",
            )
            for compared in self.compared
            for site, read in compared.coverage.get("sites", {}).items()
            for one in read.get("certificates", ())
        }
        return sorted(one for one in found if one.expires - self.made_at < certificates.SOON)

    def of(self, compared: Compared, entries: Sequence[Entry]) -> list[Entry]:
        """Those of some entries that belong to a comparison."""
        return [one for one in entries if (one.application, one.row.pair) == compared.order]

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it; never with the value of a secret."""
        return {
            "verdict": self.verdict.value,
            "madeAt": moment(self.made_at),
            "differences": [one.to_json() for one in self.differences],
            "declared": [one.to_json() for one in self.declared],
            "explained": [one.to_json() for one in self.explained],
            "rules": [one.to_json() for one in self.rules],
            "certificates": [one.to_json() for one in self.ending],
            "scans": [one.to_json() for one in self.compared],
            "uncompared": [{"application": application, "pair": pair} for application, pair in self.uncompared],
            "coverage": [
                {"application": one.application, "pair": one.pair, **_covered(one.coverage)} for one in self.compared
            ],
        }


def exit_code(verdict: Verdict) -> int:
    """The exit code of a verdict (the design's: 0 none, 1 drift, 2 unknown)."""
    if verdict is Verdict.UNKNOWN:
        return UNKNOWN
    return IN_STEP if verdict.is_in_step else DRIFT


def _covered(coverage: Mapping[str, Json]) -> dict[str, Json]:
    """What was read; what else a scan's coverage holds is told elsewhere in the report."""
    return {name: value for name, value in coverage.items() if name in ("git", "sites")}
