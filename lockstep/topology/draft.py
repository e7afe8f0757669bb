"""A configuration that is being checked: every document that could be named, sound or not.

A document with a problem of its own still takes part: what refers to it does not dangle, and its own references
are checked. But nothing is said to be missing because of it, so that one mistake is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as Directory
from typing import TypeVar

from lockstep import documents, errors
from lockstep.documents import Path
from lockstep.topology import kinds

_Kind = TypeVar("_Kind", bound=kinds.Document)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def spelled(path: Path) -> str:
    """A path as people write it: ``spec.sites[1]``, ``spec.floor["StatefulSet/ledger"]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _BARE.fullmatch(part):
            text += f".{part}" if text else part
        else:
            shown = part if len(part) <= 80 else f"{part[:79]}…"
            text += f"[{_quoted(shown)}]"
    return text


def _quoted(text: str) -> str:
    printable = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return f'"{printable}"'


def problem_at(document: documents.Document, path: Path, message: str, remedy: str) -> errors.Problem:
    """A problem at a path of a document."""
    line, _ = document.place(path)
    return errors.Problem(file=document.file, line=line, field=spelled(path), message=message, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document that has a kind and a name. ``model`` is None when it is Tekton's, or not sound."""

    kind: str
    name: str
    document: documents.Document
    model: kinds.Document | None
    sound: bool
    wrong: frozenset[Path] = frozenset()
    """The paths that already have a problem."""

    def problem(self, path: Path, message: str, remedy: str) -> errors.Problem:
        """A problem at a path of this document."""
        return problem_at(self.document, path, message, remedy)

    @property
    def where(self) -> str:
        """File and line, for another document's problem to name."""
        return f"{self.document.file}:{self.document.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """All documents by kind and name, and what stands in the way of saying that something is not there."""

    directory: Directory
    entries: Mapping[tuple[str, str], Entry]
    unread: tuple[str, ...] = ()
    """The text of files that could not be read: what is named in them may well be defined in them."""
    nameless: frozenset[str] = frozenset()
    """Kinds of documents whose name is missing or wrong."""
    blind: bool = False
    """There are files of which not even the text is known."""

    def of_kind(self, kind: str) -> list[Entry]:
        """The documents of a kind, sound or not, in order of their names."""
        return [entry for (of, _), entry in sorted(self.entries.items()) if of == kind]

    def each(self, model: type[_Kind]) -> Iterator[tuple[Entry, _Kind]]:
        """The sound documents of a kind, in order of their names."""
        for entry in self.of_kind(model.__name__):
            if isinstance(entry.model, model):
                yield entry, entry.model

    def find(self, model: type[_Kind], name: str) -> _Kind | None:
        """The sound document of this kind and name; None when it is not there or not sound."""
        entry = self.entries.get((model.__name__, name))
        return entry.model if entry and isinstance(entry.model, model) else None

    def names(self, kind: str) -> list[str]:
        """The names of a kind's documents, sound or not."""
        return [entry.name for entry in self.of_kind(kind)]

    def may_define(self, kind: str, name: str) -> bool:
        """Whether something that could not be read may be the document of this kind and name."""
        return self.blind or kind in self.nameless or any(name in text for text in self.unread)

    def complete(self, *models: type[kinds.Document]) -> bool:
        """Whether every document of these kinds is known and sound, so that one may be said to be missing."""
        names = {model.__name__ for model in models}
        return (
            not self.blind
            and not self.unread
            and not names & self.nameless
            and all(entry.sound for (kind, _), entry in self.entries.items() if kind in names)
        )
