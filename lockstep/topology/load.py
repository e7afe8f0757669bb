"""A directory of documents becomes one configuration, or the list of everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from lockstep import documents, errors
from lockstep.topology import admission, draft, files, kinds, references
from lockstep.topology.model import TektonDocument, Topology
from lockstep.topology.rules import (
    applications,
    contradictions,
    drills,
    ends,
    expected,
    mirrors,
    pairs,
    places,
    tekton,
    webhooks,
)

_Kind = TypeVar("_Kind", bound=kinds.Document)

RULES: tuple[Callable[[draft.Draft], Iterator[errors.Problem]], ...] = (
    references.check,
    tekton.check,
    pairs.check,
    ends.check,
    places.check,
    mirrors.check,
    applications.check,
    expected.check,
    contradictions.check,
    drills.check,
    webhooks.check,
)
"""What must hold between documents."""


def load(directory: Path) -> Topology:
    """Read a configuration, whole or not at all.

    Args:
        directory: Its ``*.yaml``, ``*.yml`` and ``*.json`` files are read, those in folders too; hidden ones are not.

    Raises:
        ConfigurationError: With every problem, each with file, line, field and remedy.
    """
    return check(files.read(directory))


def check(read: files.Files) -> Topology:
    """Make a configuration of what was read of a directory.

    Raises:
        ConfigurationError: With every problem.
    """
    problems = list(read.problems)
    gathered = _Documents()
    for file in read.files:
        problems += gathered.add(file)
    found = gathered.draft_of(read)
    for rule in RULES:
        problems += rule(found)
    if problems:
        raise errors.ConfigurationError(problems)
    return _topology(found, read.digest)


class _Documents:
    """Collects documents by kind and name."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], draft.Entry] = {}
        self._unread: list[str] = []
        self._nameless: set[str] = set()

    def add(self, file: files.File) -> list[errors.Problem]:
        """Take the documents of a file; what is wrong with them."""
        try:
            parts = documents.read(file.data, file=file.name)
        except errors.DocumentError as error:
            self._unread.append(file.data.decode("utf-8", "replace"))
            return [errors.Problem(file=file.name, line=error.line, field="", message=error.bare, remedy=error.remedy)]
        return [problem for part in parts for problem in self._take(part)]

    def _take(self, document: documents.Document) -> Iterator[errors.Problem]:
        admitted = admission.admit(document)
        yield from admitted.problems
        entry = admitted.entry
        if entry is None:
            self._nameless.add(admitted.kind)
            return
        first = self._entries.setdefault((entry.kind, entry.name), entry)
        if first is not entry:
            yield entry.problem(
                ("metadata", "name"),
                f"the {entry.kind} {entry.name} is already in {first.where}.",
                "Rename or remove one of the two.",
            )

    def draft_of(self, read: files.Files) -> draft.Draft:
        """Everything that was taken."""
        return draft.Draft(
            directory=read.directory,
            entries=MappingProxyType(self._entries),
            unread=tuple(self._unread),
            nameless=frozenset(self._nameless),
            blind=bool(read.problems),
        )


def _topology(found: draft.Draft, digest: str) -> Topology:
    return Topology(
        directory=found.directory,
        digest=digest,
        sites=_table(found, kinds.Site),
        pairs=_table(found, kinds.Pair),
        applications=_table(found, kinds.Application),
        git_mirrors=_table(found, kinds.GitMirror),
        image_mirrors=_table(found, kinds.ImageMirror),
        webhooks=_table(found, kinds.Webhook),
        expected_differences=_table(found, kinds.ExpectedDifference),
        drills=_table(found, kinds.Drill),
        notifications=_table(found, kinds.Notification),
        tekton=MappingProxyType(dict(_tekton(found.of_kind(kind) for kind in sorted(kinds.TEKTON_KINDS)))),
    )


def _table(found: draft.Draft, kind: type[_Kind]) -> Mapping[str, _Kind]:
    return MappingProxyType({entry.name: model for entry, model in found.each(kind)})


def _tekton(entries: Iterable[list[draft.Entry]]) -> Iterator[tuple[tuple[str, str], TektonDocument]]:
    for entry in (entry for of_kind in entries for entry in of_kind):
        yield (
            (entry.kind, entry.name),
            TektonDocument(kind=entry.kind, name=entry.name, source=entry.document),
        )
