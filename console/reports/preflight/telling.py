"""What every form of a preflight's report tells alike: its words in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from console import sayings, words, writing
from console.language import Catalogue, mark
from console.reports.telling import visible
from console.words import Word
from drift.dossier import whole
from drift.examine import THERE
from lockstep import documents
from lockstep.values import Json, Stance

_GOOD = ("PASS", "N/A")
_LONGEST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A report and who reads it."""

    report: Mapping[str, Json]
    catalogue: Catalogue

    def text(self, sentence: str) -> str:
        """A sentence of ours in the reader's language."""
        return self.catalogue.text(sentence)

    def said(self, sentence: str) -> str:
        """A sentence that a check noted, in the reader's language as far as it is known; nothing in it acts."""
        return visible(sayings.say(sentence, self.catalogue))

    def word(self, found: Word) -> str:
        """A word in the reader's language."""
        return self.text(found.label)

    @property
    def verdict(self) -> Word:
        """The verdict."""
        return words.of(words.PREFLIGHTS, str(self.report["verdict"]))

    def outcome(self, record: Mapping[str, Json]) -> Word:
        """How a check ended."""
        return words.of(words.OUTCOMES, str(record["outcome"]))

    def severity(self, record: Mapping[str, Json]) -> Word:
        """How grave it is."""
        return words.of(words.SEVERITIES, str(record["severity"]))

    def title(self, check: str) -> str:
        """What a check asserts."""
        titles: Mapping[str, Json] = next((one["titles"] for one in self.report["checks"] if one["id"] == check), {})
        return str(titles.get(self.catalogue.language) or titles.get("en") or check)

    def checks(self, *outcomes: str) -> list[Mapping[str, Json]]:
        """The checks that ended in one of these ways; all of them without any."""
        return [one for one in self.report["checks"] if not outcomes or one["outcome"] in outcomes]

    @property
    def open(self) -> list[Mapping[str, Json]]:
        """What is not good: every record but those that passed, do not apply or are not covered."""
        return [one for one in self.report["results"] if one["outcome"] not in (*_GOOD, "NOT_COVERED")]

    @property
    def passed(self) -> list[Mapping[str, Json]]:
        """What is good, with what was seen."""
        return [one for one in self.report["results"] if one["outcome"] == "PASS"]

    @property
    def uncovered(self) -> list[tuple[str, str]]:
        """The checks that are not covered, each with why."""
        found: dict[str, str] = {}
        for one in self.report["results"]:
            if one["outcome"] == "NOT_COVERED":
                found.setdefault(one["check"], one["message"])
        return [(check, self.said(why)) for check, why in found.items()]

    def place(self, record: Mapping[str, Json]) -> str:
        """Which application, object and field a record is about."""
        parts = [record["app"], record["object"], record["path"]]
        return visible(" ".join(str(part) for part in parts if part))

    def value(self, value: Json, *, longest: int = _LONGEST) -> str:
        """What a site has, in one line."""
        if value is None:
            return "–"
        if value == THERE:
            return self.text(mark("there"))
        text = value if isinstance(value, str) else documents.canonical(value).decode()
        text = visible(text)
        return text if len(text) <= longest else f"{text[:longest]}…"

    def moment(self, at: str | None) -> str:
        """A moment in UTC; a dash where there is none."""
        return writing.moment(datetime.fromisoformat(at), self.catalogue.locale) if at else "–"

    def since(self, at: str | None) -> str:
        """How long ago something was when the report was made."""
        made = datetime.fromisoformat(self.report["generatedAt"])
        return writing.age(datetime.fromisoformat(at), made, self.catalogue.locale) if at else "–"

    def seconds(self, count: float | None) -> str:
        """A length of time."""
        return writing.length(count, self.catalogue.language) if count is not None else "–"

    def age(self, now: datetime) -> timedelta:
        """How old the report is."""
        return whole.age(self.report, now)

    @property
    def summary(self) -> str:
        """``no blocker found in n of 50``, or how many blockers there are."""
        return self.said(str(self.report["statement"]))

    @property
    def direction(self) -> str:
        """From which site to which."""
        faced = self.report["direction"]
        return visible(f"{faced['truth']} → {faced['follower']}")

    @property
    def stance(self) -> Stance:
        """The stance of the pair when the report was made."""
        return Stance(self.report["direction"]["stance"])

    def pretty(self, value: Json) -> str:
        """Evidence as JSON that people can read; nothing in it acts."""
        return visible(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), keep="\n")

    @property
    def counted(self) -> Sequence[tuple[Word, int]]:
        """How many checks ended in which way, the worst first."""
        counts = self.report["counts"]["checks"]
        return [(word, counts[key]) for key, word in words.OUTCOMES.items() if counts.get(key)]

    @property
    def reasons(self) -> list[str]:
        """Why the verdict is what it is, at most five lines."""
        return [self._reason(one) for one in self.report["reasons"]]

    def _reason(self, one: Mapping[str, Json]) -> str:
        where = " ".join(visible(str(part)) for part in (one["app"], one["object"]) if part)
        said = f"{one['check']} {self.title(one['check'])}: {self.said(one['message'])}"
        return f"{said} ({where})" if where else said
