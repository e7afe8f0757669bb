"""An entry put at the end of a list in the text of a YAML document, in the way in which the others are written. Pure.

The caller reads the text again: an attempt that says something else is thrown away.
"""

from __future__ import annotations

import re
from itertools import pairwise

import orjson

from lockstep import documents
from lockstep.manifests import edit
from lockstep.values import Json

_KEY = re.compile(r"(?P<indent> *)(?:- +)?(?P<key>\S[^#]*):\s*(?:#.*)?$")
_DASH = re.compile(r"(?P<indent> *)- ")


def attempts(lines: list[str], document: documents.Document, place: edit.Place, value: Json) -> list[str]:
    """Texts in which the list at a place, which has entries, has one more.

    Args:
        lines: The file, each line with its end.
        document: The document as it was read.
        place: The list.
        value: The entry.
    """
    there = edit.at(document.value, place)
    where = document.places.get((*place, len(there) - 1))
    if where is None:  # it comes from elsewhere, by an alias
        return []
    line, column = where[0] - 1, where[1] - 1
    head = lines[line][:column]
    if not head.strip(" -") and head.rstrip().endswith("-"):
        dash = head.rindex("-")
        end = _end(lines, line, dash)
        # An entry in braces is followed by one in braces.
        flow = lines[line][column : column + 1] == "{"
        entry = [f"{orjson.dumps(value).decode()}\n"] if flow else _block(value)
        written = [f"{head if not index else ' ' * column}{text}" for index, text in enumerate(entry)]
        written[0] = f"{' ' * dash}-{head[dash + 1 :]}{entry[0]}"
        return ["".join([*lines[:end], *written, *lines[end:]])]
    return list(_in_brackets(lines, line, value))


def outdented(lines: list[str], written: list[str]) -> list[str]:
    """The lines of a key with a list below it, its dashes as deep as those that the text has already."""
    for first, second in pairwise(lines):
        key, dash = _KEY.match(first), _DASH.match(second)
        if key and dash and not first.lstrip().startswith("- "):
            deeper = len(dash["indent"]) - len(key["indent"])
            return [written[0], *(" " * deeper + line for line in written[1:])] if deeper > 0 else written
    return written


def _block(value: Json) -> list[str]:
    return documents.dump(value).removesuffix("...\n").splitlines(keepends=True)


def _end(lines: list[str], start: int, dash: int) -> int:
    """Where an entry ends whose dash stands in a column: before the first line that is not further in."""
    end = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if len(line) - len(line.lstrip(" ")) <= dash:
            break
        end = number + 1
    return end


def _in_brackets(lines: list[str], line: int, value: Json) -> list[str]:
    """A list in brackets: the entry before each bracket that may be its end."""
    entry = f", {orjson.dumps(value).decode()}]"
    found = []
    for number in range(line, min(len(lines), line + 20)):
        for match in re.finditer(r"\]", lines[number]):
            text = lines[number][: match.start()].rstrip(" ,") + entry + lines[number][match.end() :]
            found.append("".join([*lines[:number], text, *lines[number + 1 :]]))
    return found
