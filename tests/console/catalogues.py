"""The sentences of the pages as they are written now.

``python -m tests.console.catalogues`` puts them into the catalogues: a sentence that is new stands there without a
translation, one that is gone is taken out.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from babel.messages import Catalog, extract, pofile

import console
from console import language

FOLDER = Path(console.__file__).parent
_METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
_KEYWORDS = {**extract.DEFAULT_KEYWORDS, "mark": None}
_HEADER = """# Lockstep, {name}. Every sentence is its own key; `make messages` adds new ones.
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""

Sentence: TypeAlias = str | tuple[str, str]
"""A sentence, or its singular and its plural."""


def written() -> list[Sentence]:
    """Every sentence that stands in a template or is marked in a module, each once, in order."""
    found = extract.extract_from_dir(FOLDER, _METHODS, keywords=_KEYWORDS)
    return list(dict.fromkeys(text if isinstance(text, str) else (text[0], text[1]) for _, _, text, _, _ in found))


def read(code: str) -> Catalog:
    """The catalogue of a language, as it is on disk."""
    with file(code).open("rb") as opened:
        return pofile.read_po(opened, locale=code, abort_invalid=True)


def file(code: str) -> Path:
    """Where the catalogue of a language is."""
    return FOLDER / "locales" / code / "LC_MESSAGES" / "messages.po"


def update(code: str) -> None:
    """Bring a catalogue to the sentences as they are written now."""
    known, made = read(code), Catalog(locale=code)
    for sentence in written():
        message = known.get(sentence)
        made.add(sentence, message.string if message else "")
    body = BytesIO()
    pofile.write_po(body, made, width=0, omit_header=True)
    header = _HEADER.format(name=language.LANGUAGES[code], code=code, plurals=made.plural_forms)
    file(code).write_text(header + body.getvalue().decode().lstrip(), encoding="utf-8")


if __name__ == "__main__":
    for one in language.LANGUAGES:
        update(one)
