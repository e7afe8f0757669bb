"""What people can be told of: one thing that is so, with enough about it to tell it, and to say later that it is over.

Pure, and of plain values: it is kept as JSON between two looks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum

from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import Json, Severity

# What is shown of a name that somebody else chose.
_LONGEST = 200


class About(Enum):
    """What a subject is."""

    FINDING = "finding"
    SITE = "site"  # nobody can read it
    EVIDENCE = "evidence"  # nobody has compared for too long
    APPROVAL = "approval"
    DEPLOY = "deploy"
    RUN = "run"
    REFS = "refs"
    IMAGES = "images"
    JOB = "job"
    HEALING = "healing"  # it stopped itself

    @property
    def change(self) -> str:
        """What it is told as when it is new."""
        return _CHANGES[self]

    @property
    def ends(self) -> bool:
        """Whether its end is told: an answered question and a job that was taken up again are no news."""
        return self not in (About.APPROVAL, About.JOB)


_CHANGES = {
    About.FINDING: "new",
    About.SITE: "unknown",
    About.EVIDENCE: "unknown",
    About.APPROVAL: "waiting",
    About.DEPLOY: "failed",
    About.RUN: "failed",
    About.REFS: "held",
    About.IMAGES: "held",
    About.JOB: "failed",
    About.HEALING: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing that is so.

    Args:
        key: What it is known by.
        about: What it is.
        what: The object, repository or question.
        weight: How much it matters to a fail-over, from 0 to 1.
        verdict: Of a finding.
        application: Whose it is; empty for what belongs to none.
        pair: Over which pair; empty for what belongs to none.
        site: Where; two with a comma.
        field: The field, as people write it.
        why: The cause, as far as it is known; no value of a field.
        since: Since when.
        page: The path of its page.
        quiet: Somebody looks after it already, or accepts it: it is no news.
        flapping: It comes and goes, as those know who have watched it all along.
    """

    key: str
    about: About
    what: str
    weight: float
    since: datetime
    page: str
    verdict: str = ""
    application: str = ""
    pair: str = ""
    site: str = ""
    field: str = ""
    why: str = ""
    quiet: bool = False
    flapping: bool = False

    @property
    def severity(self) -> Severity:
        """How much it matters, in steps."""
        return Severity.of(self.weight)

    @property
    def order(self) -> tuple[float, str, str, str]:
        """Subjects are told the worst first."""
        return (-self.weight, self.application, self.what, self.key)

    def to_json(self) -> dict[str, Json]:
        """As it is kept."""
        return asdict(self) | {"about": self.about.value, "since": self.since.isoformat()}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Subject:
        """As it was kept."""
        return cls(**{**value, "about": About(value["about"]), "since": datetime.fromisoformat(value["since"])})


def wanted(subject: Subject, readers: kinds.Notification, topology: Topology) -> bool:
    """Whether the readers of a Notification want to hear of something at all."""
    spec = readers.spec
    if subject.application and subject.application not in (spec.applications or (subject.application,)):
        return False
    if spec.pairs and not _in_pairs(subject, spec.pairs, topology):
        return False
    if subject.about is not About.FINDING:
        return True
    if subject.verdict not in (spec.verdicts or (subject.verdict,)):
        return False
    return subject.weight >= Severity(spec.severity).least


def _in_pairs(subject: Subject, pairs: Collection[str], topology: Topology) -> bool:
    if subject.pair:
        return subject.pair in pairs
    if not subject.site:
        return True
    known = [topology.pairs[name].spec for name in pairs if name in topology.pairs]
    return any(subject.site in (pair.primary, pair.standby) for pair in known)


def plain(text: str) -> str:
    """Text on one line and not too long: names come from others, and a chat reads signs between the lines."""
    shown = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    # A chat would call everybody: the sign is followed by one that nobody sees.
    shown = " ".join(shown.split()).replace("@", "@\u200b")
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
