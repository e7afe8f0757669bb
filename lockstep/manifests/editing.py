"""One value of a YAML document changed in its text: comments, order and everything else stay as they are. Pure.

The text is edited by lines and read again: what comes out says exactly what was wanted, or the edit is refused. So the
edit itself may be simple, and documents in a style that it does not know are left to a person.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass

import orjson

from lockstep import documents, errors
from lockstep.manifests import appending, edit
from lockstep.values import Json

# What stands at a place inside brackets or braces: a key, if there is one, and a scalar.
_SCALAR = re.compile(
    r"""(?P<key>(?:"[^"]*"|'[^']*'|[^\s:{}\[\],][^:{}\[\],]*):\s+)?(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,{}\[\]\n]+)"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A value at a place; ``remove`` takes away what stands there.

    ``append``: the value is put at the end of the list at the place, which is made where there is none.
    """

    place: edit.Place
    value: Json = None
    remove: bool = False
    append: bool = False

    def of(self, value: Json) -> Json:
        """A document's value with this edit.

        Raises:
            UnsupportedError: What it would be in is not there.
        """
        *parents, last = self.place
        made = copy.deepcopy(value)
        parent = edit.at(made, tuple(parents))
        if self.append:
            there = edit.at(made, self.place)
            if not isinstance(parent, dict) or not isinstance(there, list | None):
                raise _unsupported("what it is in is not there")
            parent[last] = [*(there or []), self.value]
            return made
        known = isinstance(parent, dict) or (isinstance(parent, list) and isinstance(last, int) and last < len(parent))
        if not known or (self.remove and isinstance(parent, dict) and last not in parent):
            raise _unsupported("what it is in is not there")
        if self.remove:
            del parent[last]
        else:
            parent[last] = self.value
        return made


def edited(text: str, wanted: Edit, *, file: str, position: int) -> str:
    """The text of a file with one value of one of its documents changed.

    Args:
        text: The file.
        wanted: The change.
        file: Its name, for errors.
        position: Which of its documents, from 0.

    Raises:
        UnsupportedError: It cannot be done by lines.
        DocumentError: The file cannot be read.
    """
    known = documents.read(text.encode(), file=file)
    expected = [one.value for one in known]
    expected[position] = wanted.of(expected[position])
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for made in _attempts(lines, known[position], wanted):
        try:
            read = documents.read(made.encode(), file=file)
        except errors.DocumentError:
            continue
        if documents.canonical([one.value for one in read]) == documents.canonical(expected):
            return made
    raise _unsupported(f"{file} is written in another way than line by line")


def _attempts(lines: list[str], document: documents.Document, wanted: Edit) -> list[str]:
    """Texts that may be what is wanted, the least changed first."""
    *parents, last = wanted.place
    if wanted.append:
        if edit.at(document.value, wanted.place):
            return appending.attempts(lines, document, wanted.place, wanted.value)
        wanted = Edit(place=wanted.place, value=[wanted.value])
    if wanted.place not in document.places:
        siblings = edit.at(document.value, tuple(parents))
        if not isinstance(siblings, dict) or not siblings:
            return []
        neighbour = document.places.get((*parents, list(siblings)[-1]))
        if neighbour is None:  # it comes from elsewhere, by a merge key
            return []
        line, column = neighbour
        _, end = _extent(lines, line - 1, column - 1)
        written = _written(wanted, last, column - 1)
        if isinstance(wanted.value, list):
            written = appending.outdented(lines, written)
        return ["".join([*lines[:end], *written, *lines[end:]])]
    line, column = document.places[wanted.place]
    start, end = _extent(lines, line - 1, column - 1)
    head = lines[start][: column - 1]
    if wanted.remove:
        return ["".join([*lines[:start], *lines[end:]])]
    written = _written(wanted, last, column - 1)
    made = [[*lines[:start], head + written[0][column - 1 :], *written[1:], *lines[end:]]]
    comment = _comment(lines[start])
    if len(written) == 1 and end == start + 1 and comment:
        entry = f"{head}{written[0][column - 1 :].rstrip()}  {comment}\n"
        made.insert(0, [*lines[:start], entry, *lines[end:]])
    made.append([*lines[:start], _inline(lines[start], wanted, column - 1), *lines[start + 1 :]])
    return ["".join(one) for one in made]


def _extent(lines: list[str], start: int, indent: int) -> tuple[int, int]:
    """The lines of an entry that begins at a column: what is below it and further in, or a list beneath its key."""
    end = start + 1
    last = end
    while end < len(lines):
        line = lines[end]
        stripped = line.strip()
        inner = len(line) - len(line.lstrip())
        if stripped and not stripped.startswith("#"):
            below = inner > indent or (inner == indent and stripped.startswith("- ") and _opens_list(lines[start]))
            if not below:
                break
            last = end + 1
        end += 1
    return start, last


def _opens_list(line: str) -> bool:
    return line.split(" #", maxsplit=1)[0].rstrip().endswith(":")


def _written(wanted: Edit, last: str | int, indent: int) -> list[str]:
    """The entry as lines, at its column."""
    value = wanted.value if isinstance(last, int) else {last: wanted.value}
    text = documents.dump(value)
    return [" " * indent + line for line in text.removesuffix("...\n").splitlines(keepends=True)]


def _inline(line: str, wanted: Edit, column: int) -> str:
    """The line with the scalar after a key, or of an entry, inside brackets and braces written anew, as JSON."""
    new = orjson.dumps(wanted.value).decode()
    return line[:column] + _SCALAR.sub(lambda match: (match["key"] or "") + new, line[column:], count=1)


def _comment(line: str) -> str:
    """The comment at the end of a line, if that is what it is; the text is read again afterwards."""
    before, sign, after = line.rstrip("\n").rpartition(" #")
    # With a quote in it, it may be the end of a text.
    return f"#{after}" if sign and before.strip() and not {'"', "'"} & set(after) else ""


def _unsupported(why: str) -> errors.UnsupportedError:
    return errors.UnsupportedError(f"This cannot be changed in the text: {why}.", remedy="Change it by hand.")
