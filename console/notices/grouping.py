"""From news to messages: one for each application, with counts and the worst first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.notices.deciding import News
from console.notices.subject import About, Subject
from lockstep.values import Severity

MOST_LINES = 20
"""What is listed in one message; the rest is counted."""
REMINDER, TEST = "reminder", "test"
"""Messages that tell nothing new."""
_KINDS = {
    About.FINDING: "findings",
    About.SITE: "sites",
    About.EVIDENCE: "sites",
    About.APPROVAL: "approvals",
    About.DEPLOY: "deploys",
    About.RUN: "deploys",
    About.REFS: "mirrors",
    About.IMAGES: "mirrors",
    About.JOB: "jobs",
    About.HEALING: "deploys",
}
_ORDER = ("new", "unknown", "failed", "held", "waiting", "worse", "open", "settled", "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message before it has words.

    ``kind`` is what it is about, or ``reminder`` or ``test``; ``counts`` is by change; ``lines`` are the worst, of
    ``total``.
    """

    kind: str
    application: str
    counts: Mapping[str, int]
    lines: tuple[News, ...]
    total: int

    @property
    def severity(self) -> Severity:
        """The worst of what is not over; of what is, when all is."""
        lasting = [news.subject for news in self.lines if news.change != "resolved"]
        return Severity.of(max((subject.weight for subject in lasting), default=0.0))

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.total - len(self.lines)


def group(news: Iterable[News], *, when: Sequence[str], most: int = MOST_LINES) -> list[Notice]:
    """One notice for each application, and for each kind of what belongs to none or is no finding.

    Args:
        news: Everything that could be told to the readers of one Notification.
        when: The changes that they want to hear of.
        most: Lines of one notice.
    """
    groups: dict[tuple[str, str], list[News]] = {}
    for one in news:
        if one.change in when:
            kind = _KINDS[one.subject.about]
            # One silent site is one message, however many applications it has.
            application = one.subject.application if kind in ("findings", "approvals", "deploys") else ""
            groups.setdefault((kind, application), []).append(one)
    return [_notice(kind, application, found, most) for (kind, application), found in sorted(groups.items())]


def remind(subjects: Iterable[Subject], *, most: int = MOST_LINES) -> Notice | None:
    """One notice of all that is still so; None when nothing is."""
    found = [News(change="open", subject=subject, flapping=subject.flapping) for subject in subjects]
    return _notice(REMINDER, "", found, most) if found else None


def _notice(kind: str, application: str, found: Sequence[News], most: int) -> Notice:
    counts = Counter(one.change for one in found)
    # What is over stands last, however bad it was.
    ordered = sorted(found, key=lambda one: (one.change == "resolved", one.subject.order))
    return Notice(
        kind=kind,
        application=application,
        counts={change: counts[change] for change in _ORDER if counts[change]},
        lines=tuple(ordered[:most]),
        total=len(found),
    )
