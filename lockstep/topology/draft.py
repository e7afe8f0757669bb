"""A configuration that is being checked: every document that could be named, sound or not.

A document with a problem of its own still takes part: what refers to it does not dangle, and its own references
are checked. But nothing is said to be missing because of it, so that one mistake is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
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
            text += f".{shown(part)}" if text else shown(part)
        else:
            text += f'["{shown(part)}"]'
    return text


def shown(text: str) -> str:
    """A text of a document as it may stand in a message: printable, and not too long."""
    short = text if len(text) <= 80 else f"{text[:79]}…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in short)


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


@dataclass(frozen=True, kw_only=True)
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
        """The documents of a kind, sound or not, in the order in which they are written."""
        return self._by_kind.get(kind, [])

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for (kind, _), entry in self.entries.items():
            found.setdefault(kind, []).append(entry)
        return found

    def each(self, model: type[_Kind]) -> Iterator[tuple[Entry, _Kind]]:
        """The sound documents of a kind, in the order in which they are written."""
        for entry in self.of_kind(model.__name__):
            if isinstance(entry.model, model):
                yield entry, entry.model

    def find(self, model: type[_Kind], name: str) -> _Kind | None:
        """The sound document of this kind and name; None when it is not there or not sound."""
        entry = self.entries.get((model.__name__, name))
        return entry.model if entry and isinstance(entry.model, model) else None

    def pairs_of(self, application: kinds.Application) -> list[tuple[kinds.Pair, kinds.Protection]]:
        """The pairs that protect an application, with how; those that are not there or not sound are left out."""
        found = [(self.find(kinds.Pair, name), how) for name, how in application.spec.protection.items()]
        return [(pair, how) for pair, how in found if pair is not None]

    def sites_of(self, application: kinds.Application) -> list[str] | None:
        """The names of the sites of an application, each once; None when one of its pairs is not known."""
        pairs = self.pairs_of(application)
        if len(pairs) < len(application.spec.protection):
            return None
        return list(dict.fromkeys(name for pair, _ in pairs for name in (pair.spec.primary, pair.spec.standby)))

    def names(self, kind: str) -> list[str]:
        """The names of a kind's documents, sound or not."""
        return [entry.name for entry in self.of_kind(kind)]

    def may_define(self, kind: str, name: str) -> bool:
        """Whether something that could not be read may be the document of this kind and name."""
        return self.blind or kind in self.nameless or any(name in text for text in self.unread)

    def complete(self, *models: type[kinds.Document]) -> bool:
        """Whether every document of these kinds is known and sound, so that one may be said to be missing."""
        return not self.blind and not self.unread and not self._doubtful & {model.__name__ for model in models}

    @cached_property
    def _doubtful(self) -> frozenset[str]:
        """The kinds that have a document without a name, or one that is not sound."""
        return self.nameless | {kind for (kind, _), entry in self.entries.items() if not entry.sound}
