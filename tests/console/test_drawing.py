"""Where the boxes of a graph stand: laws that hold for every graph."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from console import drawing
from console.drawing import Picture

NAMES = [f"task-{number}" for number in range(12)]
# Each task may wait for tasks before it: such a graph has no circle.
graphs = st.lists(st.sets(st.integers(0, 11)), max_size=12).map(
    lambda sets: {NAMES[i]: [NAMES[j] for j in after if j < i] for i, after in enumerate(sets)}
)
STAGES = ["source-get-from-git", "source-validation-check", "source-build", "container-image-build"]


def overlapping(picture: Picture) -> list[tuple[str, str]]:
    """Pairs of boxes that stand on one another."""
    size = picture.size
    return [
        (one.name, other.name)
        for index, one in enumerate(picture.boxes)
        for other in picture.boxes[index + 1 :]
        if abs(one.x - other.x) < size.width and abs(one.y - other.y) < size.height
    ]


@given(parents=graphs, always=st.lists(st.sampled_from(["notify", "tidy", "report"]), unique=True))
def test_every_task_has_one_box_inside_the_picture_and_none_overlap(
    parents: dict[str, list[str]], always: list[str]
) -> None:
    """Whatever the graph, nothing is missing, hidden or cut off."""
    picture = drawing.draw(list(parents), parents, always=always)
    assert sorted(box.name for box in picture.boxes) == sorted([*parents, *always])
    assert overlapping(picture) == []
    for box in picture.boxes:
        assert 0 <= box.x <= picture.width - picture.size.width
        assert 0 <= box.y <= picture.height - picture.size.height


@given(parents=graphs)
def test_a_box_stands_right_of_all_that_it_waits_for(parents: dict[str, list[str]]) -> None:
    """Work goes from left to right, and each line does."""
    picture = drawing.draw(list(parents), parents)
    left = {box.name: box.x for box in picture.boxes}
    assert all(left[near] < left[name] for name, before in parents.items() for near in before)
    for line in picture.lines:
        numbers = [float(number) for number in re.findall(r"[MCH ](-?[\d.]+),?", line.path)]
        assert numbers[0] < numbers[-1]


@given(parents=graphs)
def test_lines_say_all_that_must_wait_and_nothing_twice(parents: dict[str, list[str]]) -> None:
    """Whatever waits for another, directly or not, is reached by lines; a shortcut is not drawn."""
    picture = drawing.draw(list(parents), parents)
    drawn = {name: {line.start for line in picture.lines if line.end == name} for name in parents}
    assert closure(drawn) == closure({name: set(before) for name, before in parents.items()})
    assert len(picture.lines) == len({(line.start, line.end) for line in picture.lines})


def closure(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """Everything that each task waits for in the end; tasks come after what they wait for."""
    found: dict[str, set[str]] = {}
    for name, before in edges.items():
        found[name] = before | {far for near in before for far in found[near]}
    return found


@given(parents=graphs)
def test_no_line_runs_beneath_a_box(parents: dict[str, list[str]]) -> None:
    """Where a line passes a column it keeps clear of every box that stands there."""
    picture = drawing.draw(list(parents), parents)
    for line in picture.lines:
        for left, height in re.findall(r" (-?[\d.]+),(-?[\d.]+) H", line.path):
            beneath = [box for box in picture.boxes if box.x == float(left)]
            assert not [box for box in beneath if box.y < float(height) < box.y + picture.size.height]


def test_stages_in_a_row_stand_in_a_row() -> None:
    """A pipeline without branches is one straight line, its names cut at dashes."""
    picture = drawing.draw(STAGES, {name: [before] for before, name in itertools.pairwise(STAGES)})
    assert len({box.y for box in picture.boxes}) == 1
    assert picture.boxes[0].label == ("source-get-from-", "git")


def test_thirty_tasks_at_once_are_drawn_small() -> None:
    """A fan of thirty stays below two screens, every name readable."""
    fan = {f"deploy-{number}": ["plan"] for number in range(30)}
    picture = drawing.draw(["plan", *fan, "check"], {**fan, "check": list(fan)})
    assert picture.size == drawing.SMALL
    assert picture.height < 1300
    assert overlapping(picture) == []
    assert len(picture.lines) == 60


def test_tasks_that_always_run_stand_behind_a_divider() -> None:
    """The finally tasks are the last column; without others there is nothing to divide."""
    picture = drawing.draw(["build"], {}, always=["notify"])
    build, notify = picture.boxes
    assert picture.divider is not None
    assert build.x < picture.divider < notify.x
    assert drawing.draw([], {}, always=["notify"]).divider is None


def test_a_circle_and_unknown_names_are_drawn_without_lines() -> None:
    """What no pipeline may have is shown all the same."""
    picture = drawing.draw(["a", "b"], {"a": ["b"], "b": ["a", "nobody"]})
    assert (len(picture.boxes), picture.lines) == (2, ())


def test_a_long_name_is_cut_to_fit_its_box() -> None:
    """Latin and Korean names keep inside, the second half as wide again."""
    korean, latin = drawing.draw(["가" * 40, "x" * 80], {}).boxes
    assert [len(line) for line in latin.label] == [16, 16]
    assert [len(line) for line in korean.label] == [8, 8]
    assert latin.label[-1].endswith("…")
