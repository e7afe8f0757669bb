"""Names that refer to other documents: where they stand, and that what they name is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from lockstep import errors
from lockstep.documents import Path
from lockstep.topology import draft, suggest
from lockstep.values import Json


class Each:
    """In a path: every item of a list."""


class Key:
    """In a path: every key of a table."""


Pattern: TypeAlias = tuple[str | type[Each] | type[Key], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A place in documents of one kind that names a document of another (or of one of several)."""

    kind: str
    path: Pattern
    to: tuple[str, ...]


def _reference(kind: str, path: Pattern, *to: str) -> Reference:
    return Reference(kind=kind, path=("spec", *path), to=to)


REFERENCES = (
    _reference("Pair", ("primary",), "Site"),
    _reference("Pair", ("standby",), "Site"),
    _reference("Application", ("protection", Key), "Pair"),
    _reference("Application", ("source", "overlays", Key), "Site"),
    _reference("Application", ("source", "helm", "siteValues", Key), "Site"),
    _reference("Application", ("pipeline", "name"), "Pipeline"),
    _reference("GitMirror", ("sites", Each), "Site"),
    _reference("ImageMirror", ("sites", Each), "Site"),
    _reference("ImageMirror", ("source", "site"), "Site"),
    _reference("Webhook", ("mirrors", Each), "GitMirror", "ImageMirror"),
    _reference("ExpectedDifference", ("applications", Each), "Application"),
    _reference("ExpectedDifference", ("pairs", Each), "Pair"),
    _reference("ExpectedDifference", ("onlyAt", Each), "Site"),
    _reference("Drill", ("pair",), "Pair"),
    _reference("Drill", ("applications", Each), "Application"),
    _reference("Drill", ("pipeline",), "Pipeline"),
    _reference("Notification", ("applications", Each), "Application"),
    _reference("Notification", ("pairs", Each), "Pair"),
)
"""Every field of our kinds that names another document."""


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """The references that lead nowhere. They are read from the documents as written, sound or not."""
    for reference in REFERENCES:
        for entry in documents.of_kind(reference.kind):
            for path, name in found(entry.document.value, reference.path):
                if path not in entry.wrong and isinstance(name, str):
                    yield from dangling(documents, entry, path, name=name, to=reference.to)


def dangling(
    documents: draft.Draft, entry: draft.Entry, path: Path, *, name: str, to: tuple[str, ...]
) -> Iterator[errors.Problem]:
    """The problem that no document of these kinds has this name, when none has."""
    if any((kind, name) in documents.entries or documents.may_define(kind, name) for kind in to):
        return
    what = " or ".join(to)
    known = [known for kind in to for known in documents.names(kind)]
    yield entry.problem(
        path,
        f"there is no {what} {draft.shown(name)}.",
        suggest.remedy(name, known, listed="There are") if known else f"Add a document of kind {what}.",
    )


def found(value: Json, pattern: Pattern, at: Path = ()) -> Iterator[tuple[Path, Json]]:
    """The values that a pattern leads to in a document, with their paths."""
    if not pattern:
        yield at, value
        return
    part, rest = pattern[0], pattern[1:]
    if part is Each and isinstance(value, list):
        for position, item in enumerate(value):
            yield from found(item, rest, (*at, position))
    elif part is Key and isinstance(value, dict):
        for key in value:
            yield (*at, key), key
    elif isinstance(part, str) and isinstance(value, dict) and part in value:
        yield from found(value[part], rest, (*at, part))
