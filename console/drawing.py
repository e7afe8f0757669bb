"""Where the boxes of a graph stand and how its lines run: a pure function from names and edges to a picture.

Columns follow the order of work: a box stands right of everything that it waits for. Lines that pass a column
get a place of their own there, so that none runs beneath a box.
"""

from __future__ import annotations

import graphlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_SWEEPS = 4
_MARGIN = 12.0
# A column with more boxes than this is drawn with small boxes, so that it still fits a screen or two.
_MOST_LARGE = 8
# Width of a Latin letter in the picture's font, in pixels; letters of East Asia are twice as wide (UAX #11).
_LETTER = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Measures of boxes, in pixels."""

    width: float
    height: float
    column_gap: float
    row_gap: float
    lines: int


LARGE = Size(width=152, height=62, column_gap=30, row_gap=16, lines=2)
SMALL = Size(width=224, height=30, column_gap=64, row_gap=8, lines=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A task: ``label`` is its name, cut into lines that fit."""

    name: str
    label: tuple[str, ...]
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A way from one task to the next, as the ``d`` of an SVG path."""

    start: str
    end: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A graph, drawn. ``divider`` is where the tasks that always run begin; None when there are none."""

    width: float
    height: float
    size: Size
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    divider: float | None = None


@dataclass(frozen=True, slots=True)
class _Node:
    """A task in its column, or the place of a line that passes (``start`` and ``end`` name its edge)."""

    name: str
    column: int
    start: str = ""
    end: str = ""


def draw(names: Sequence[str], parents: Mapping[str, Iterable[str]], *, always: Sequence[str] = ()) -> Picture:
    """Draw tasks.

    Args:
        names: The tasks, in the order of their document.
        parents: For each task, those that it waits for; names that are no task are left out.
        always: Tasks that run at the end, whatever happened.
    """
    edges = _without_shortcuts(_known(names, parents))
    columns = _columns(names, edges)
    widest = max([len(always), *(sum(1 for node in column if not node.start) for column in columns)], default=0)
    size = SMALL if widest > _MOST_LARGE else LARGE
    ordered = _ordered(columns, edges)
    ordered += [[_Node(name, len(columns)) for name in always]] if always else []
    middles = _middles(ordered, edges, size)
    return _picture(ordered, edges, middles, size, divided=bool(always) and bool(names))


def _known(names: Sequence[str], parents: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    there = set(names)
    known = {name: sorted(set(parents.get(name, ())) & there - {name}) for name in names}
    try:
        graphlib.TopologicalSorter(known).prepare()
    except graphlib.CycleError:  # such a run was refused: its tasks stand side by side
        return {name: [] for name in names}
    return known


def _without_shortcuts(edges: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Leave out an edge when a longer way says the same."""
    above: dict[str, set[str]] = {}
    for name in graphlib.TopologicalSorter(edges).static_order():
        above[name] = {far for near in edges[name] for far in above[near]} | set(edges[name])
    return {
        name: [near for near in parents if not any(near in above[other] for other in parents)]
        for name, parents in edges.items()
    }


def _columns(names: Sequence[str], edges: Mapping[str, list[str]]) -> list[list[_Node]]:
    column: dict[str, int] = {}
    for name in graphlib.TopologicalSorter(edges).static_order():
        column[name] = max((column[near] + 1 for near in edges[name]), default=0)
    columns: list[list[_Node]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for name in names:
        columns[column[name]].append(_Node(name, column[name]))
        for near in edges[name]:
            for passed in range(column[near] + 1, column[name]):
                columns[passed].append(_Node(f"{near} → {name}", passed, start=near, end=name))
    return columns


def _neighbours(node: _Node, edges: Mapping[str, list[str]]) -> list[str]:
    """The names, in the column before, of what leads to a node."""
    if node.start:
        return [node.start, f"{node.start} → {node.end}"]
    return [*edges.get(node.name, ()), *(f"{near} → {node.name}" for near in edges.get(node.name, ()))]


def _ordered(columns: list[list[_Node]], edges: Mapping[str, list[str]]) -> list[list[_Node]]:
    """Order each column by where what leads to it, and what it leads to, stands: fewer crossings."""
    ordered = [list(column) for column in columns]
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        walk = range(1, len(ordered)) if forward else range(len(ordered) - 2, -1, -1)
        for index in walk:
            beside = ordered[index - 1 if forward else index + 1]
            place = {node.name: float(row) for row, node in enumerate(beside)}
            weights = {
                node.name: _mean(_places(node, beside, place, edges, forward=forward), row)
                for row, node in enumerate(ordered[index])
            }
            ordered[index].sort(key=lambda node, weights=weights: weights[node.name])  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    return ordered


def _places(
    node: _Node, beside: Sequence[_Node], place: Mapping[str, float], edges: Mapping[str, list[str]], *, forward: bool
) -> list[float]:
    if forward:
        return [place[name] for name in _neighbours(node, edges) if name in place]
    return [place[other.name] for other in beside if node.name in _neighbours(other, edges)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else float(otherwise)


def _middles(columns: list[list[_Node]], edges: Mapping[str, list[str]], size: Size) -> dict[tuple[int, str], float]:
    """The height of each node's middle: near what leads to it, never on one another, all centred around 0."""
    middles: dict[tuple[int, str], float] = {}
    before: dict[str, float] = {}
    for index, column in enumerate(columns):
        wanted = [_mean([before[n] for n in _neighbours(node, edges) if n in before], 0.0) for node in column]
        heights = [size.height if not node.start else size.row_gap for node in column]
        found = _spread(wanted, heights, size.row_gap)
        before = {node.name: middle for node, middle in zip(column, found, strict=True)}
        middles |= {(index, name): middle for name, middle in before.items()}
    return middles


def _spread(wanted: Sequence[float], heights: Sequence[float], gap: float) -> list[float]:
    """Middles in this order, as near to those that are wanted as boxes of these heights allow."""
    found: list[float] = []
    for index, middle in enumerate(wanted):
        if index:
            middle = max(middle, found[-1] + (heights[index - 1] + heights[index]) / 2 + gap)  # noqa: PLW2901
        found.append(middle)
    shift = (sum(wanted) - sum(found)) / len(found) if found else 0.0
    return [middle + shift for middle in found]


def _picture(
    columns: list[list[_Node]],
    edges: Mapping[str, list[str]],
    middles: Mapping[tuple[int, str], float],
    size: Size,
    *,
    divided: bool,
) -> Picture:
    top = min(middles.values(), default=0.0) - size.height / 2 - _MARGIN
    bottom = max(middles.values(), default=0.0) + size.height / 2 + _MARGIN
    step = size.width + size.column_gap
    boxes: dict[str, Box] = {}
    for index, column in enumerate(columns):
        for node in column:
            if not node.start:
                y = middles[index, node.name] - top - size.height / 2
                label = _fitting(node.name, size)
                boxes[node.name] = Box(name=node.name, label=label, x=_MARGIN + index * step, y=round(y, 1))
    at = {node.name: index for index, column in enumerate(columns) for node in column if not node.start}
    lines = [
        Line(start=near, end=name, path=_path(boxes[near], boxes[name], _passing(near, name, at, middles, top), size))
        for name, parents in edges.items()
        for near in parents
    ]
    width = 2 * _MARGIN + max(len(columns) * step - size.column_gap, 0.0)
    divider = _MARGIN + (len(columns) - 1) * step - size.column_gap / 2 if divided else None
    return Picture(
        width=width,
        height=round(bottom - top, 1),
        size=size,
        boxes=tuple(boxes.values()),
        lines=tuple(lines),
        divider=divider,
    )


def _passing(
    start: str, end: str, at: Mapping[str, int], middles: Mapping[tuple[int, str], float], top: float
) -> list[tuple[int, float]]:
    """Columns that a line passes, with the height at which it does."""
    return [(index, middles[index, f"{start} → {end}"] - top) for index in range(at[start] + 1, at[end])]


def _path(start: Box, end: Box, passing: Sequence[tuple[int, float]], size: Size) -> str:
    """A smooth line from the right of a box to the left of another, straight through what it passes."""
    step = size.width + size.column_gap
    half = size.column_gap / 2
    x, y = start.x + size.width, start.y + size.height / 2
    parts = [f"M{x:g},{y:g}"]
    for index, height in [*((index, round(height, 1)) for index, height in passing), (-1, end.y + size.height / 2)]:
        left = _MARGIN + index * step if index >= 0 else end.x
        parts.append(f"C{left - half:g},{y:g} {left - half:g},{height:g} {left:g},{height:g}")
        if index >= 0:
            parts.append(f"H{left + size.width:g}")
        y = height
    return " ".join(parts)


def _fitting(name: str, size: Size) -> tuple[str, ...]:
    """A name in lines that fit into a box, cut at dashes where it can be; the last one is shortened."""
    most = int((size.width - (36 if size.lines > 1 else 92)) / _LETTER)
    lines: list[str] = []
    rest = name
    while rest and len(lines) < size.lines - 1 and _width(rest) > most:
        fits = _prefix(rest, most)
        dash = max(fits.rfind(mark) for mark in "-_.") + 1
        lines.append(fits[: dash or len(fits)])
        rest = rest[len(lines[-1]) :]
    lines.append(rest if _width(rest) <= most else _prefix(rest, most - 1) + "…")
    return tuple(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _prefix(text: str, most: int) -> str:
    width = 0
    for index, letter in enumerate(text):
        width += _width(letter)
        if width > most:
            return text[:index]
    return text
