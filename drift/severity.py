"""How much a difference matters to a fail-over: 1 stops it, 0 would not be noticed."""

from __future__ import annotations

import re

from lockstep.values import Verdict

_BY_VERDICT = {
    Verdict.UNKNOWN: 0.9,
    Verdict.MISSING_AT_STANDBY: 1.0,
    Verdict.PRIMARY_HOTFIX: 0.8,
    Verdict.STANDBY_DRIFT: 0.8,
    Verdict.DIVERGED: 0.7,
    Verdict.EDITED_AT_BOTH: 0.5,
    Verdict.MISSING_AT_PRIMARY: 0.4,
    Verdict.NOT_DEPLOYED: 0.4,
    Verdict.PRIMARY_BEHIND: 0.3,
    Verdict.STANDBY_BEHIND: 0.5,
    Verdict.UNDEPLOYED: 0.2,
    Verdict.DECLARED: 0.1,
}
# What a start needs, and what only describes it, by the path as people write it.
_NEEDED = re.compile(r"\.image$|\.env(?:From)?\[|^data\b|^binaryData\b|Probe\b|\.resources\.|\.replicas$|[sS]ecrets?\[")
_DESCRIBING = re.compile(r"^metadata\.(?:labels|annotations)\b")


def of(verdict: Verdict, path: str) -> float:
    """How much a difference of a verdict at a path matters, from 0 to 1.

    Args:
        verdict: What is said of it.
        path: The path as people write it; empty for a whole object.
    """
    weight = _BY_VERDICT.get(verdict, 0.0)
    if _DESCRIBING.search(path):
        return round(weight * 0.25, 2)
    return weight if not path or _NEEDED.search(path) else round(weight * 0.75, 2)
