"""YAML and JSON documents, with the place of every value and bounds on what reading may cost."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import orjson
import yaml
from yaml import events
from yaml._yaml import CParser

from lockstep import errors
from lockstep.documents.scalars import plain
from lockstep.values import Json

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a document: keys and positions from the top."""

_STRING = "tag:yaml.org,2002:str"
_TAGS = {
    "tag:yaml.org,2002:null",
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:int",
    "tag:yaml.org,2002:float",
}
_MERGE = "<<"
# RFC 8259, section 7: a character outside the Basic Multilingual Plane is a pair of UTF-16 surrogates.
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
# Line breaks to YAML 1.1 (section 4.2), and characters that it does not allow (section 4.1): text to JSON.
_FOREIGN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may cost to read."""

    size: int = 16 * 2**20
    """Bytes."""
    depth: int = 100
    """Mappings and lists inside each other."""
    values: int = 500_000
    """Values after aliases are expanded: a bomb of anchors is small until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document and where its values stand. ``places`` maps a path to (line, column), both from 1."""

    value: Json
    file: str
    line: int
    places: Mapping[Path, tuple[int, int]] = field(repr=False)

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column of a path, or of the nearest ancestor that is there."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (self.line, 1))


def read(
    data: bytes, *, file: str, limits: Limits | None = None, scalar: Callable[[str], Json] = plain
) -> list[Document]:
    """Read every document of a YAML or JSON file; empty documents are left out.

    Args:
        data: The bytes, UTF-8.
        file: The name to use in errors.
        limits: What reading may cost.
        scalar: What a scalar without quotes means; by default, what it means to Kubernetes. A ``ValueError``
            says that it means nothing.

    Raises:
        DocumentError: With file, line and column, at the first thing that is wrong.
    """
    limits = limits or Limits()
    if len(data) > limits.size:
        raise errors.DocumentError(
            f"the file has {len(data)} bytes; at most {limits.size} are read.", file=file, remedy="Split it."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise errors.DocumentError("the file is not UTF-8.", file=file, line=line, remedy="Save it as UTF-8.") from None
    return _Reader(file=file, limits=limits, scalar=scalar).documents(_as_yaml(text))


def _as_yaml(text: str) -> str:
    """JSON that YAML reads otherwise, written so that both read the same; any other text as it is.

    JSON writes what is beyond 16 bits as two escapes, which YAML does not know, and lets stand in its strings what
    YAML takes for the end of a line or refuses. ``kubectl`` reads JSON as JSON.
    """
    if not (text.lstrip()[:1] in ("{", "[") and ("\\u" in text or _FOREIGN.search(text))):
        return text
    try:
        orjson.loads(text)
    except ValueError:
        return text
    # All of it is JSON, so an escape can only stand inside quotes, after an even number of backslashes.
    text = _SURROGATES.sub(lambda found: found[1] + _joined(found[2], found[3]), text)
    return _FOREIGN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _joined(high: str, low: str) -> str:
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    value: dict[str, Json] | list[Json]
    path: Path
    anchor: str | None
    values_before: int
    key: str | None = None
    merging: bool = False
    """The value that comes next is merged in: its key was ``<<`` without quotes."""
    merged: dict[str, Json] | None = None
    depth: int = 1
    """Mappings and lists inside each other, from this one down."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias repeats: a value, how many values it holds, and how deep it is."""

    value: Json
    values: int
    depth: int


class _Reader:
    """Builds values from the parser's events, on a stack of its own: no nesting can exhaust the machine's."""

    def __init__(self, *, file: str, limits: Limits, scalar: Callable[[str], Json]) -> None:
        self._file = file
        self._limits = limits
        self._scalar = scalar
        self._values = 0
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._places: dict[Path, tuple[int, int]] = {}
        self._root: Json = None

    def documents(self, text: str) -> list[Document]:
        documents: list[Document] = []
        line = 1
        for event in self._events(text):
            if isinstance(event, events.DocumentStartEvent):
                self._anchors, self._places, self._root = {}, {}, None
            elif isinstance(event, events.DocumentEndEvent):
                if self._root is not None:
                    line = self._places[()][0]
                    documents.append(Document(value=self._root, file=self._file, line=line, places=self._places))
            elif isinstance(event, events.NodeEvent):
                self._node(event)
            elif isinstance(event, events.CollectionEndEvent):
                self._close()
        return documents

    def _events(self, text: str) -> Iterator[events.Event]:
        parser = CParser(text)
        try:
            while (event := parser.get_event()) is not None:
                yield event
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            what = " ".join(part for part in (error.context, error.problem) if part)
            raise self._wrong(line, column, f"this is not YAML: {what}.", "Mend the syntax.") from None
        except yaml.YAMLError as error:
            what = " ".join(str(error).split())
            raise self._wrong(0, 0, f"this is not YAML: {what}.", "Mend the syntax.") from None
        finally:
            parser.dispose()

    def _wrong(self, line: int, column: int, message: str, remedy: str) -> errors.DocumentError:
        return errors.DocumentError(message, file=self._file, line=line, column=column, remedy=remedy)

    def _error(self, event: events.Event, message: str, remedy: str) -> errors.DocumentError:
        return self._wrong(*_place(event), message, remedy)

    def _too_deep(self, event: events.Event) -> errors.DocumentError:
        return self._error(event, f"the document is nested deeper than {self._limits.depth}.", "Flatten it.")

    def _count(self, event: events.Event, values: int) -> None:
        self._values += values
        if self._values > self._limits.values:
            raise self._error(
                event,
                f"the file has more than {self._limits.values} values once its aliases are expanded.",
                "Write out what the anchors repeat, or split the file.",
            )

    def _node(self, event: events.NodeEvent) -> None:
        self._count(event, 1)
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._begin_entry(top, event)
            return
        path = self._path(top)
        if path not in self._places or top is None:
            self._places[path] = _place(event)
        if isinstance(event, events.CollectionStartEvent):
            self._open(event, path)
        elif isinstance(event, events.AliasEvent):
            self._put(*self._alias(event))
        else:
            self._put(self._leaf(event), 0)

    @staticmethod
    def _path(top: _Open | None) -> Path:
        if top is None:
            return ()
        if isinstance(top.value, list):
            return (*top.path, len(top.value))
        return (*top.path, top.key or "")

    def _begin_entry(self, top: _Open, event: events.NodeEvent) -> None:
        """The next entry of a mapping begins with its key."""
        assert isinstance(top.value, dict)  # noqa: S101 - the caller looked
        top.merging = _is_merge(event)
        key = _MERGE if top.merging else self._key(event)
        if key in top.value and not top.merging:
            raise self._error(event, f"the key {key[:80]!r} is given twice.", "Keep one of them.")
        top.key = key
        self._places[(*top.path, key)] = _place(event)

    def _key(self, event: events.NodeEvent) -> str:
        if isinstance(event, events.CollectionStartEvent):
            raise self._error(event, "a key is not a scalar.", "Use text as keys.")
        key = self._alias(event)[0] if isinstance(event, events.AliasEvent) else self._leaf(event)
        if key is None or isinstance(key, dict | list):
            raise self._error(event, "a key is empty or not a scalar.", "Use text as keys.")
        if isinstance(key, str):
            return event.value if isinstance(event, events.ScalarEvent) else key
        return str(key).lower() if isinstance(key, bool) else str(key)

    def _open(self, event: events.CollectionStartEvent, path: Path) -> None:
        if len(self._stack) >= self._limits.depth:
            raise self._too_deep(event)
        if event.tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise self._error(event, f"the tag {event.tag} is not read.", "Remove the tag.")
        value: dict[str, Json] | list[Json] = {} if isinstance(event, events.MappingStartEvent) else []
        self._stack.append(_Open(value=value, path=path, anchor=event.anchor, values_before=self._values - 1))

    def _close(self) -> None:
        done = self._stack.pop()
        value = done.value
        if isinstance(value, dict) and done.merged:
            value = {**done.merged, **value}
        if done.anchor:
            self._anchors[done.anchor] = _Anchored(value, self._values - done.values_before, done.depth)
        self._put(value, done.depth)

    def _put(self, value: Json, depth: int) -> None:
        if not self._stack:
            self._root = value
            return
        top = self._stack[-1]
        top.depth = max(top.depth, depth + 1)
        if isinstance(top.value, list):
            top.value.append(value)
            return
        key, top.key = top.key or "", None
        if top.merging:
            self._merge(top, value)
        else:
            top.value[key] = value

    def _merge(self, top: _Open, value: Json) -> None:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            line, column = self._places[(*top.path, _MERGE)]
            raise self._wrong(line, column, "<< merges mappings only.", "Give it an alias of a mapping.")
        merged = top.merged if top.merged is not None else {}
        for source in sources:
            for key, item in source.items():
                # The first source wins (YAML 1.1, merge key).
                merged.setdefault(key, item)
        top.merged = merged

    def _leaf(self, event: events.NodeEvent) -> Json:
        assert isinstance(event, events.ScalarEvent)  # noqa: S101 - neither an alias nor a collection
        value: Json
        if _is_plain(event) or event.tag in _TAGS:
            try:
                value = self._scalar(event.value)
            except ValueError as error:
                raise self._error(event, f"{event.value} {error}.", "Put it in quotes if it is text.") from None
        elif event.tag in (None, "!", _STRING):
            value = event.value
        else:
            raise self._error(event, f"the tag {event.tag} is not read.", "Remove the tag.")
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        return value

    def _alias(self, event: events.AliasEvent) -> tuple[Json, int]:
        """What an alias repeats, and how deep it is."""
        if any(level.anchor == event.anchor for level in self._stack):
            raise self._error(event, "an alias stands inside what it repeats.", "Remove the alias.")
        anchored = self._anchors.get(event.anchor or "")
        if anchored is None:
            raise self._error(event, f"the alias {event.anchor} repeats nothing.", "Define its anchor above it.")
        self._count(event, anchored.values)
        if len(self._stack) + anchored.depth > self._limits.depth:
            raise self._too_deep(event)
        # A copy: whoever changes one of two equal parts must not change the other.
        return copy.deepcopy(anchored.value), anchored.depth


def _is_plain(event: events.NodeEvent) -> bool:
    return isinstance(event, events.ScalarEvent) and event.tag is None and bool(event.implicit[0])


def _is_merge(event: events.NodeEvent) -> bool:
    return isinstance(event, events.ScalarEvent) and _is_plain(event) and event.value == _MERGE


def _place(event: events.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)
