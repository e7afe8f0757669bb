"""How far git is: real output of git 2.39 in C, read whole, cut anywhere, and with strangers' words in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.sites.ends import Movement, Stage
from lockstep.sites.git import progress

RECORDED = Path(__file__).parent / "recorded"
MIB = 2**20


def _read(*chunks: bytes) -> tuple[list[Movement], bytes]:
    told: list[Movement] = []
    reader = progress.Reader(told.append)
    kept = b"".join(reader.feed(chunk) for chunk in chunks)
    return told, kept + reader.rest()


def test_a_fetch_tells_objects_and_bytes_and_leaves_nothing_else() -> None:
    """What the server counts, then from the first object to the last: 144 of them, 80.15 MiB."""
    told, kept = _read((RECORDED / "fetch-http.stderr").read_bytes())
    assert list(dict.fromkeys(one.stage for one in told)) == [Stage.COUNTING, Stage.RECEIVING]
    received = [one.done for one in told if one.stage is Stage.RECEIVING]
    assert received == sorted(received)
    assert told[-1] == Movement(stage=Stage.RECEIVING, done=144, total=144, size=int(80.15 * MIB))
    assert kept == b""


def test_a_push_tells_its_stages_in_order_and_keeps_what_the_other_side_said() -> None:
    """Its hook wrote lines that look like git's, and codes for the terminal: they count as nothing but its words."""
    told, kept = _read((RECORDED / "push-http.stderr").read_bytes())
    assert list(dict.fromkeys(one.stage for one in told)) == [Stage.COUNTING, Stage.COMPRESSING, Stage.WRITING]
    assert told[-1] == Movement(stage=Stage.WRITING, done=144, total=144, size=int(80.15 * MIB))
    assert max(one.size for one in told) == told[-1].size
    assert {line[:8] for line in kept.splitlines()} <= {b"remote: "}
    assert b"\x1b[31mWriting objects:  99% (1/1)" in kept


def test_a_small_fetch_has_little_to_tell() -> None:
    """Git takes it apart without a word; what the server counted is told, and is no remark of it."""
    told, kept = _read((RECORDED / "fetch-small.stderr").read_bytes())
    assert {one.stage for one in told} == {Stage.COUNTING}
    assert kept == b""


@pytest.mark.parametrize("name", ["fetch-http", "push-http"])
@given(data=st.data())
def test_wherever_it_is_cut_the_same_is_read(name: str, data: st.DataObject) -> None:
    """A pipe hands on what it has: half a line, half a number, an end without its line."""
    whole = (RECORDED / f"{name}.stderr").read_bytes()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=40)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert _read(*pieces) == _read(whole)


@pytest.mark.parametrize(
    ("line", "movement"),
    [
        (b"Receiving objects:   0% (1/8)", Movement(stage=Stage.RECEIVING, done=1, total=8)),
        (
            b"Receiving objects:  12% (1/8), 3.40 MiB | 1.20 MiB/s",
            Movement(stage=Stage.RECEIVING, done=1, total=8, size=int(3.4 * MIB)),
        ),
        (
            b"Unpacking objects: 100% (3/3), 230 bytes | 230.00 KiB/s, done.",
            Movement(stage=Stage.RECEIVING, done=3, total=3, size=230),
        ),
        (b"Resolving deltas:  68% (37/54)", Movement(stage=Stage.RESOLVING, done=37, total=54)),
        (b"Resolving deltas: 100% (54/54), done.", Movement(stage=Stage.RESOLVING, done=54, total=54)),
        (b"remote: Resolving deltas:  68% (37/54)        ", Movement(stage=Stage.RESOLVING, done=37, total=54)),
        (b"Enumerating objects: 300, done.", Movement(stage=Stage.COUNTING, done=300, total=0)),
        (
            b"Writing objects:  48% (5/9), 1.50 GiB | 12.00 MiB/s",
            Movement(stage=Stage.WRITING, done=5, total=9, size=1536 * MIB),
        ),
    ],
)
def test_each_form_of_a_line_is_read(line: bytes, movement: Movement) -> None:
    """With and without a percentage, bytes, a speed, and an end."""
    assert progress.parse(line) == movement


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"remote: Receiving objects:  12% (1/8)",
        b"remote: Writing objects:  12% (1/8), 3.40 MiB | 1.20 MiB/s",
        b"remote: remote: Counting objects:  12% (1/8)",
        b" Receiving objects:  12% (1/8)",
        b"Receiving objects:  12% (1/8) and more",
        b"Receiving objects:  12% (1/8)\x1b[2J",
        b"Receiving objects:  12% (1/9999999999999)",
        b"Receiving objects:  12% (-1/8)",
        b"Receiving objects:  12% (1/8), 99999999999999999999.00 GiB",
        b"Receiving objects:  12% (1/8), 1e9 GiB",
        "Receiving objects:  12% (١/٨)".encode(),
        b"receiving objects:  12% (1/8)",
        b"From https://git.example/Receiving objects:  12% (1/8)",
    ],
)
def test_what_is_not_exactly_gits_own_line_is_none(line: bytes) -> None:
    """Whatever the other side makes of it."""
    assert progress.parse(line) is None


def test_the_end_of_an_endless_line_is_no_line_of_its_own() -> None:
    """Nothing is kept waiting for an end that does not come, and what comes after the bound is still the same line."""
    told, kept = _read(
        b"remote: " + b"x" * 1000, b"Receiving objects:  12% (1/8)\r", b"Receiving objects:  25% (2/8)\r"
    )
    assert [one.done for one in told] == [2]
    assert kept.endswith(b"xReceiving objects:  12% (1/8)\r")


@given(st.lists(st.binary(max_size=400).map(lambda chunk: chunk.replace(b":", b"")), max_size=20))
def test_what_has_no_title_is_handed_back_byte_for_byte(chunks: list[bytes]) -> None:
    """An error message is whole, whatever is in it."""
    assert _read(*chunks) == ([], b"".join(chunks))


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_anything_can_be_read_and_what_is_kept_was_written(chunks: list[bytes]) -> None:
    """Nothing that a stranger writes ends the reading, or becomes more than it was."""
    told, kept = _read(*chunks)
    whole = b"".join(chunks)
    assert len(kept) <= len(whole)
    assert all(line in whole for line in kept.splitlines())
    assert all(0 <= one.done < 10**12 and one.size >= 0 for one in told)
