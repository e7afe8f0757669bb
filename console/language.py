"""Messages in the reader's language, from ``.po`` files as translators write them: no step between.

The English sentence is the key. A language that lacks a sentence shows it in English, and a test says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.messages import pofile

FOLDER = Path(__file__).parent / "locales"
DEFAULT = "en"
LANGUAGES: Mapping[str, str] = {"en": "English", "ko": "한국어"}
"""The languages that there are, each by its own name."""


def mark(message: str) -> str:
    """Mark a sentence for translation where it is written down but not shown yet."""
    return message


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The messages of one language: ``messages`` maps a sentence to its forms, of which Korean has one."""

    language: str
    locale: Locale
    messages: Mapping[str, tuple[str, ...]]

    def text(self, message: str) -> str:
        """The sentence in this language."""
        return next((form for form in self.messages.get(message, ()) if form), message)

    def counted(self, one: str, many: str, count: int) -> str:
        """The sentence for a count."""
        forms = [form for form in self.messages.get(one, ()) if form] or [one, many]
        return forms[min(int(count != 1), len(forms) - 1)]


def load(folder: Path = FOLDER) -> dict[str, Catalogue]:
    """Every language, by its code."""
    return {language: _read(language, folder) for language in LANGUAGES}


def _read(language: str, folder: Path) -> Catalogue:
    with (folder / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = pofile.read_po(file, locale=language, abort_invalid=True)
    messages: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        if message.id and not message.fuzzy:
            key = message.id if isinstance(message.id, str) else message.id[0]
            forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            messages[key] = tuple(form or "" for form in forms)
    return Catalogue(language=language, locale=Locale(language), messages=messages)


def choose(*wishes: str | None) -> str:
    """The first wish that is a language of ours; English when none is."""
    return next((wish for wish in wishes if wish and wish in LANGUAGES), DEFAULT)
