"""A hot fix as a patch for git: of the file in which the object stands, or for a kustomization beside it.

It is written for a person to read and to apply; nothing is pushed. What is or may be a secret is not put into it. A
change of a file counts only when the rendering says afterwards what the primary runs.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

from drift import redact
from lockstep import documents, errors
from lockstep.manifests import edit, editing, objects, render
from lockstep.topology import kinds
from lockstep.topology.selectors import parse_pointer
from lockstep.values import Json, ObjectKey

_ENDINGS = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotfix:
    """A field as somebody set it by hand: where, and how it is where the truth is; ``live`` is that object.

    ``people_path`` is the field as people write it: it tells which entry of a list is meant.
    """

    key: ObjectKey
    pointer: str
    live: dict[str, Json]
    people_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A file with its text before and after."""

    file: str
    before: str
    after: str


def change_of(hotfix: Hotfix, git: dict[str, Json]) -> editing.Edit:
    """The edit that brings a hot fix to what git says of its object.

    Raises:
        UnsupportedError: It is or may be a secret, or nobody can say which entry of a list is meant.
    """
    if redact.is_secret(hotfix.live) or redact.is_encrypted(hotfix.live):
        raise _unsupported("it is a Secret, and no value of one is written anywhere")
    added = _added(hotfix, git)
    if added is not None:
        if redact.Mask().hide("", added.value) != added.value:
            raise _unsupported("it may hold a secret")
        return added
    place = _place(hotfix, git)
    there = _exists(hotfix.live, place)
    value = edit.at(hotfix.live, place)
    names = [part for part in place if isinstance(part, str)]
    # The name of an environment variable stands beside its value.
    label = edit.at(hotfix.live, (*place[:-1], "name")) if names[-1] == "value" else None
    name = label if isinstance(label, str) else names[-1]
    if there and redact.Mask().hide(name, value) != value:
        raise _unsupported("it may hold a secret")
    return editing.Edit(place=place, value=value, remove=not there)


def change_files(tree: Path, application: kinds.Application, *, site: str, hotfix: Hotfix) -> Changed:
    """Change the file in which an object stands, in a checked-out repository, and see that it says so.

    Args:
        tree: The repository; its file is changed.
        application: Whose.
        site: The truth.
        hotfix: The change.

    Raises:
        UnsupportedError: No file can be found or changed so that the rendering says it.
    """
    git = rendered(tree, application, site=site, key=hotfix.key)
    if git is None:
        raise _unsupported("git does not have the object")
    wanted = change_of(hotfix, git)
    for file, position in _written(tree, application, hotfix.key):
        before = file.read_bytes().decode()
        try:
            after = editing.edited(before, wanted, file=file.name, position=position)
        except errors.UnsupportedError:
            continue
        file.write_bytes(after.encode())
        made = rendered(tree, application, site=site, key=hotfix.key)
        if made is not None and _same(made, wanted, git):
            return Changed(file=str(file.relative_to(tree)), before=before, after=after)
        file.write_bytes(before.encode())
    raise _unsupported("no file says it in a way that can be changed by lines")


def merge_patch(git: dict[str, Json], wanted: editing.Edit) -> str:
    """A strategic merge patch for a kustomization.

    Raises:
        UnsupportedError: It is inside a list, where such a patch means something else.
    """
    if wanted.append or any(isinstance(part, int) for part in wanted.place):
        raise _unsupported("it is inside a list")
    body: Json = None if wanted.remove else wanted.value
    for part in reversed(wanted.place):
        body = {part: body}
    known = {key: git["metadata"][key] for key in ("name", "namespace") if key in git["metadata"]}
    head = {"apiVersion": git["apiVersion"], "kind": git["kind"], "metadata": known}
    merged = {**head, **body}
    if "metadata" in body:
        merged["metadata"] = {**known, **body["metadata"]}
    return f"# A strategic merge patch: name this file under patches in the kustomization.\n{documents.dump(merged)}"


def mail(changed: Sequence[Changed], *, subject: str, author: str, revision: str, at: datetime) -> str:
    """A patch as ``git am`` takes it.

    Args:
        changed: The files.
        subject: What it does, on one line.
        author: Who is written down as its author, ``Name <address>``.
        revision: The commit that it is against, whole.
        at: When it was made.
    """
    # git-format-patch(1): the date of the first line says that it is such a mail.
    head = [f"From {revision} Mon Sep 17 00:00:00 2001", f"From: {author}", f"Date: {format_datetime(at)}"]
    parts = [*head, f"Subject: [PATCH] {' '.join(subject.split())}", "", "---", ""]
    text = "\n".join(parts) + "\n" + "".join(_diff(one) for one in changed)
    return f"{text}-- \nlockstep\n"


def _diff(one: Changed) -> str:
    lines = difflib.unified_diff(
        one.before.splitlines(keepends=True), one.after.splitlines(keepends=True), f"a/{one.file}", f"b/{one.file}"
    )
    marked = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return f"diff --git a/{one.file} b/{one.file}\n" + "".join(marked)


def _added(hotfix: Hotfix, git: dict[str, Json]) -> editing.Edit | None:
    """The edit that appends an entry to a list that goes by names, where that is the hot fix; None where it is not."""
    *parents, last = _tokens(hotfix) or [""]
    if not last.isdigit() or not parents or parents[-1].isdigit():
        return None
    place = _walked(hotfix, git, parents)
    entries, known = edit.at(hotfix.live, place), edit.at(git, place)
    if not isinstance(entries, list) or not isinstance(known, list | None) or int(last) >= len(entries):
        return None
    entry, names = entries[int(last)], [_name(one) for one in known or []]
    name = _name(entry)
    # A finding may also be about an entry that git has and that is gone: its label says which one is meant.
    if not name or not all(names) or name in names or not hotfix.people_path.endswith(f"[{name}]"):
        return None
    return editing.Edit(place=place, value=entry, append=True)


def _name(entry: Json) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else ""


def _tokens(hotfix: Hotfix) -> list[str]:
    return list(parse_pointer(hotfix.pointer.partition("#/")[0].removesuffix("#")))


def _place(hotfix: Hotfix, git: dict[str, Json]) -> edit.Place:
    """The place in git's object. Raises UnsupportedError for the whole object."""
    place = _walked(hotfix, git, _tokens(hotfix))
    if not place or (len(place) == 1 and place[0] in ("status", "metadata")):
        raise _unsupported("it is the whole object")
    return place


def _walked(hotfix: Hotfix, git: dict[str, Json], tokens: Sequence[str]) -> edit.Place:
    """Tokens as a place; entries of lists must be the same ones in git, by their names."""
    place: list[str | int] = []
    for token in tokens:
        value = edit.at(hotfix.live, tuple(place))
        if isinstance(value, list):
            if not token.isdigit() or not _same_entry(edit.at(git, tuple(place)), value, int(token)):
                raise _unsupported("nobody can say which entry of the list it is in git")
            place.append(int(token))
        else:
            place.append(token)
    return tuple(place)


def _same_entry(git: Json, live: list[Json], index: int) -> bool:
    """Whether both lists have the same entry at a position: by its name, or as the whole list is alike in length."""
    if not isinstance(git, list) or index >= len(git) or index >= len(live):
        return False
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in (git[index], live[index])]
    return names[0] == names[1] if any(names) else len(git) == len(live)


def _exists(value: Json, place: edit.Place) -> bool:
    parent, last = edit.at(value, place[:-1]), place[-1]
    return last in parent if isinstance(parent, dict) else isinstance(parent, list)


def _same(made: dict[str, Json], wanted: editing.Edit, git: dict[str, Json]) -> bool:
    """Whether what git says after an edit is what it said before, with the edit."""
    if wanted.append:
        # A kustomization may put it elsewhere in a list whose entries go by their names.
        before, after = wanted.of(git), copy.deepcopy(made)
        for one in (before, after):
            entries = edit.at(one, wanted.place)
            if not isinstance(entries, list):
                return False
            entries.sort(key=_name)
        return bool(before == after)
    if wanted.remove:
        return not _exists(made, wanted.place)
    return bool(edit.at(made, wanted.place) == wanted.value)


def rendered(tree: Path, application: kinds.Application, *, site: str, key: ObjectKey) -> dict[str, Json] | None:
    """The object as a checked-out repository renders it for a site; None when it does not have it."""
    spec = application.spec
    made = render.render(tree, spec.source, application=application.name, namespace=spec.namespace, site=site)
    return next((one for one in made.objects if _is(one, key, spec.namespace)), None)


def _written(tree: Path, application: kinds.Application, key: ObjectKey) -> Iterator[tuple[Path, int]]:
    """The documents of the application's folder that are this object, each a file and its position."""
    folder = (tree / application.spec.source.path).resolve()
    files = sorted(path for path in folder.rglob("*") if path.suffix in _ENDINGS and path.is_file())
    for file in files:
        if not file.resolve().is_relative_to(tree.resolve()) or file.is_symlink():
            continue
        try:
            known = documents.read(file.read_bytes(), file=file.name)
            for position, document in enumerate(known):
                found = objects.read([document])
                if len(found) == 1 and _is(found[0].manifest, key, application.spec.namespace):
                    yield file, position
        except errors.DocumentError:
            continue


def _is(manifest: dict[str, Json], key: ObjectKey, namespace: str) -> bool:
    found = ObjectKey.of(manifest)
    same = (found.group, found.kind, found.name) == (key.group, key.kind, key.name)
    return same and (found.namespace or namespace) == (key.namespace or namespace)


def _unsupported(why: str) -> errors.UnsupportedError:
    return errors.UnsupportedError(f"No patch can be written: {why}.", remedy="Bring it to git by hand.")
