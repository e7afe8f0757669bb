"""What all faces of a report say alike: titles, values side by side, ages, sums; and nothing that could bite.

Names and values come from clusters and are anybody's. What no terminal and no page should obey (control
characters, marks that turn the direction of writing) is shown escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from console import comparing, foreseen, sayings, words, writing
from console.language import Catalogue, mark
from console.reports.unseen import unseen
from console.words import Word
from drift.report import Compared, Entry, Report, RuleNote
from drift.running import Container
from lockstep.values import Health, Json, ObjectKey, Stance, Verdict

_LONGEST = 160
# How much that is equal is shown before the first difference of long texts.
_LEAD = 24
# More objects of a site that are not well are counted.
_MOST_UNWELL = 10
_THERE = "(the object)"
_THERE_IS = "\0there"
_EXPLAINED = Word(label=mark("Explained"), tone="note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one side has, as text. ``against``: what it is unlike (``git``, ``primary``), else empty."""

    text: str
    there: bool
    against: str


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells a report in a language."""

    report: Report
    catalogue: Catalogue

    def gettext(self, message: str) -> str:
        """A sentence in the reader's language."""
        return self.catalogue.text(message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """A sentence for a count, with the count in it."""
        shown = writing.number(count, self.catalogue.locale)
        return self.catalogue.counted(one, many, count) % {"num": shown}

    def subject(self, one: Compared) -> str:
        """What was compared with what: ``pay: seoul → sejong``."""
        left, right = (visible(site) for site in one.sites)
        arrow = f"{left} → {right}" if one.application else f"{left} ↔ {right}"
        return f"{visible(one.application)}: {arrow}" if one.application else arrow

    def word(self, one: Compared) -> Word:
        """The verdict as it may be told; stale evidence is no verdict."""
        return words.STALE if one.stale else words.VERDICTS[one.verdict]

    def facts(self, one: Compared) -> list[str]:
        """What else is to be known of a comparison, shortest first."""
        told = [self.gettext("compared %(age)s") % {"age": self.age(one.ended_at)}]
        if one.stale:
            told.append(self.gettext("was %(verdict)s") % {"verdict": self.gettext(words.VERDICTS[one.was].label)})
        if one.revision:
            told.append(writing.short(one.revision))
        if one.stance not in ("", Stance.NORMAL.value):
            told.append(self.gettext(words.STANCES[Stance(one.stance)].label))
        told.append(self.ngettext("%(num)s object", "%(num)s objects", one.objects))
        told += [f"{visible(site)}: {self.gettext(word.label)}" for site, word in healths(one)]
        return told

    def unwell(self, one: Compared, *, most: int = _MOST_UNWELL) -> list[str]:
        """What is not well at the sites, and why, a sentence for each: ``sejong: Deployment shop/web: Degraded: ...``.

        Args:
            one: The comparison.
            most: So many objects of a site are named, and the others counted.
        """
        told = []
        for site, vitals in one.vitals.items():
            if vitals.why and vitals.health is not Health.NOT_APPLICABLE:
                told.append(self._ailing(site, "", vitals.health, vitals.why))
            shown = vitals.unwell[:most]
            told += [self._ailing(site, called(each.key), each.health, each.why) for each in shown]
            if more := vitals.ailing - len(shown):
                many = self.ngettext("%(num)s more is not well", "%(num)s more are not well", more)
                told.append(f"{visible(site)}: {many}")
        return told + self._running(one, most=most)

    def _running(self, one: Compared, *, most: int) -> list[str]:
        """Tags that are not one image where they run."""
        different = one.running.different
        told = [f"{called(each.key)}: {self._resolved(each)}" for each in different[:most]]
        if more := len(different) - len(told):
            many = self.ngettext("%(num)s more tag is several images", "%(num)s more tags are several images", more)
            told.append(many)
        return told

    def _resolved(self, each: Container) -> str:
        runs = "; ".join(
            f"{visible(site)} {', '.join(writing.short(digest) for digest in digests)}"
            for site, digests in each.digests.items()
        )
        parts = {"container": visible(each.container), "image": visible(each.image), "runs": runs}
        return self.gettext("container %(container)s: %(image)s was resolved to several digests: %(runs)s") % parts

    def _ailing(self, site: str, name: str, health: Health, why: str) -> str:
        parts = (visible(site), name, self.gettext(words.HEALTHS[health].label), self._why(why))
        return ": ".join(part for part in parts if part)

    def _why(self, why: str) -> str:
        return visible(sayings.say(why, self.catalogue))

    def age(self, at: datetime) -> str:
        """How long ago."""
        return writing.age(at, self.report.made_at, self.catalogue.locale)

    def verdict(self, entry: Entry) -> str:
        """What is said of a difference."""
        return self.gettext(word_of(entry).label)

    def field(self, entry: Entry) -> str:
        """Which field, as people write it."""
        return visible(entry.row.people_path or entry.row.path) or self.gettext("the whole object")

    def life(self, entry: Entry) -> str:
        """Since when, and what a person said of it."""
        told = [self.age(entry.since)] if entry.since is not None else []
        if entry.state not in ("open", ""):
            state = self.gettext(words.of(words.FINDINGS, entry.state).label)
            told.append(f"{state} ({visible(entry.by)})" if entry.by else state)
        if entry.behind:
            since = {"age": self.age(entry.last_seen)} if entry.last_seen is not None else {"age": ""}
            told.append(self.gettext("not confirmed since %(age)s") % since)
        return ", ".join(told)

    def note(self, entry: Entry) -> str:
        """Why it is so, as far as anybody knows."""
        told = sayings.say(entry.row.note, self.catalogue)
        return visible("; ".join(part for part in (told, self._cause(entry)) if part))

    def _cause(self, entry: Entry) -> str:
        """Who set it, as far as the server knows."""
        cause = entry.row.cause
        if not cause.get("by"):
            return ""
        parts = {"name": cause["by"], "how": cause.get("kind", ""), "moment": cause.get("at", "")}
        return self.gettext("set by %(name)s (%(how)s, %(moment)s)") % parts

    def wrong(self, one: RuleNote) -> str:
        """What is wrong with a rule."""
        return visible(sayings.say(one.message, self.catalogue))

    def method(self, one: Compared, found: Sequence[Entry]) -> str:
        """Which method spoke of an object, by its differences; nothing of two ends, and of what could not be seen."""
        if not one.application or not found[0].row.values:
            return ""
        return foreseen.method(found[0].row.method, self.catalogue)

    def foreseen(self, one: Compared) -> list[str]:
        """What became of the questions to servers, a sentence for each site where there were any."""
        known = one.coverage.get("sites", {})
        told = {site: foreseen.sentence(known.get(site, {}), self.catalogue) for site in one.sites}
        return [f"{visible(site)}: {sentence}" for site, sentence in told.items() if sentence]

    def problem(self, one: Compared) -> str:
        """What could not be seen."""
        return visible(sayings.say(one.problem, self.catalogue))

    def columns(self, one: Compared, entries: Sequence[Entry]) -> list[tuple[int, str]]:
        """Which of the four sides are shown, with their titles: git once where it says the same for both sites."""
        left, right = (visible(site) for site in one.sites)
        if not one.application:
            return [(1, left), (3, right)]
        if all(_same_git(entry.row.values) for entry in entries):
            return [(0, "git"), (1, left), (3, right)]
        git = self.gettext("git for %(site)s")
        return [(0, git % {"site": left}), (1, left), (2, git % {"site": right}), (3, right)]

    def cells(self, entry: Entry, *, longest: int = _LONGEST, whole: bool = False) -> list[Cell]:
        """What the four sides have. Values are cut to where they begin to differ, unless they are wanted whole."""
        if not entry.row.values:
            # Nobody looked: that is not the same as nothing being there.
            unknown = self.gettext(words.VERDICTS[entry.row.verdict].label)
            return [Cell(text=unknown, there=True, against="")] * len(comparing.SIDES)
        hidden, gone = unseen(self.report, entry), Cell(text=self.gettext("not known now"), there=True, against="")
        found = comparing.sides(entry.row.values, compact=not whole)
        texts = [_THERE_IS if value.text == _THERE and not entry.row.path else value.text for value in found]
        shown = texts if whole else cut(texts, longest=longest)
        return [
            gone
            if side in hidden
            else Cell(text=self._value(text, value.there, whole=whole), there=value.there, against=value.against)
            for side, text, value in zip(comparing.SIDES, shown, found, strict=True)
        ]

    def endings(self) -> list[str]:
        """Certificates that have ended or end soon, a sentence for each."""
        sentence = self.gettext("The certificate %(name)s at %(site)s ends: %(age)s")
        return [
            sentence % {"name": visible(one.name), "site": visible(one.site), "age": self.age(one.expires)}
            for one in self.report.ending
        ]

    def sums(self) -> list[str]:
        """The report in a few words: how many differences, how many that may be."""
        report = self.report
        blind = sum(entry.row.verdict is Verdict.UNKNOWN for entry in report.differences)
        told = [self.ngettext("%(num)s difference", "%(num)s differences", len(report.differences) - blind)]
        if blind:
            told.append(self.ngettext("%(num)s could not be seen", "%(num)s could not be seen", blind))
        if report.declared:
            told.append(self.ngettext("%(num)s declared in git", "%(num)s declared in git", len(report.declared)))
        if explained := sum(one.explained for one in report.compared):
            told.append(self.ngettext("%(num)s explained", "%(num)s explained", explained))
        if report.uncompared:
            told.append(self.ngettext("%(num)s never compared", "%(num)s never compared", len(report.uncompared)))
        return told

    def _value(self, text: str, there: bool, *, whole: bool) -> str:
        if not there:
            return self.gettext("absent")
        if text == _THERE_IS:
            return self.gettext("there")
        return visible(text, keep="\n\t" if whole else "") or '""'


def word_of(entry: Entry) -> Word:
    """The verdict of a difference; one that was explained is not in sync, it may be."""
    return _EXPLAINED if entry.row.verdict is Verdict.IN_SYNC else words.VERDICTS[entry.row.verdict]


def by_object(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Differences object by object, with what the object is called; they come sorted."""
    for key, found in groupby(entries, key=lambda entry: entry.row.key):
        yield called(key), list(found)


def called(key: ObjectKey) -> str:
    """An object as people call it: ``Deployment shop/web``; with its group when that is a vendor's."""
    vendor = f".{key.group}" if "." in key.group and not key.group.endswith(".k8s.io") else ""
    name = f"{key.namespace}/{key.name}" if key.namespace else key.name
    # What could not be seen may be anything: nobody knows its name.
    return visible(" ".join(part for part in (f"{key.kind}{vendor}", name) if part.strip("*/")))


def visible(text: str, *, keep: str = "") -> str:
    """A text in which nothing acts: what is not printable is escaped, except the characters in ``keep``."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else one.encode("unicode_escape").decode() for one in text)


def cut(texts: Sequence[str], *, longest: int = _LONGEST) -> list[str]:
    """Long texts from a little before where they begin to differ, none longer than ``longest`` characters."""
    present = {text for text in texts if text}
    start = 0
    if len(present) > 1 and max(map(len, present)) > longest:
        start = max(_common(present) - _LEAD, 0)
    return [_part(text, start, longest) for text in texts]


def _common(texts: set[str]) -> int:
    """How many characters some texts begin with alike."""
    shortest, longest = min(texts), max(texts)
    return next(
        (at for at, pair in enumerate(zip(shortest, longest, strict=False)) if pair[0] != pair[1]), len(shortest)
    )


def _part(text: str, start: int, longest: int) -> str:
    part = text[start : start + longest]
    if not part:
        return text
    return ("…" if start else "") + part + ("…" if start + longest < len(text) else "")


def _same_git(values: Mapping[str, Json]) -> bool:
    _, _, git_standby, _ = comparing.sides(values)
    return not git_standby.against


def healths(one: Compared) -> list[tuple[str, Word]]:
    """How what runs is at each site, the truth first; a site is left out where nobody looked."""
    return [(site, words.HEALTHS[Health(one.health[site])]) for site in one.sites if site in one.health]
