"""What a commit's tree may make of a folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites import trees

_OID = "1" * 40
_TARGETS = st.lists(st.sampled_from(["..", ".", "a", "b", "l", "m", ""]), min_size=1, max_size=6).map("/".join)


def _entry(path: str, *, mode: str = "100644", size: int = 1) -> trees.Entry:
    return trees.Entry(mode=mode, oid=_OID, size=size, path=path)


@pytest.mark.parametrize(
    "path",
    [
        *("../x", "a/../../x", "a//b", "./x", "a/."),
        *(".git/config", "a/.GIT/hooks/x", ".git ", ".git. .", "git~1/x", ".git::$INDEX_ALLOCATION", ".g\u200cit/x"),
        *("a\nb", "a\x1b[31m", "x" * 256, "/".join(["x" * 200] * 20)),
    ],
)
def test_a_path_that_would_do_harm_somewhere_is_refused_by_name(path: str) -> None:
    """Climbing, another tool's ``.git`` on any file system, characters that draw, names too long."""
    with pytest.raises(errors.RefusedError) as caught:
        trees.check([_entry(path)], trees.Bounds())
    assert ascii(path)[:50] in str(caught.value)


@pytest.mark.parametrize(
    "path", [".gitignore", ".github/x", "git", "a.git", "-rf", "한글", "a b", "\udcb1\udcd7", ".." * 2]
)
def test_a_path_that_is_only_odd_is_taken(path: str) -> None:
    """Other alphabets, other encodings, dashes and dots are what people have."""
    trees.check([_entry(path)], trees.Bounds())


@pytest.mark.parametrize("second", ["a", "a/b"])
def test_two_things_of_one_name_are_refused(second: str) -> None:
    """A file that is also a folder, or is there twice: git's own tools would take either."""
    for order in (["a", second], [second, "a"]):
        with pytest.raises(errors.RefusedError, match="twice"):
            trees.check([_entry(path) for path in order], trees.Bounds())


def test_an_unknown_mode_is_refused() -> None:
    """Git has five modes; a device is none of them."""
    with pytest.raises(errors.RefusedError, match="060000"):
        trees.check([_entry("disk", mode="060000")], trees.Bounds())


def test_more_than_may_be_written_is_refused() -> None:
    """All files together count."""
    entries = [_entry("a", size=600), _entry("b", size=600)]
    trees.check(entries, trees.Bounds(most_bytes=1200))
    with pytest.raises(errors.RefusedError, match="1200"):
        trees.check(entries, trees.Bounds(most_bytes=1199))


def test_paths_that_some_file_systems_take_for_one_are_said() -> None:
    """Equal but for case, or for the way an accent is written."""
    paths = ["README", "readme", "caf\u00e9", "cafe\u0301", "other"]
    assert trees.alike([_entry(path) for path in paths]) == (("cafe\u0301", "caf\u00e9"), ("README", "readme"))


@pytest.mark.parametrize(
    ("links", "harm"),
    [
        ({"l": "a"}, False),
        ({"l": "nowhere/yet"}, False),
        ({"a/l": "../b"}, False),
        ({"l": "/etc/passwd"}, True),
        ({"l": "../x"}, True),
        ({"a/l": "../../x"}, True),
        ({"a/l": "..", "m": "a/l/.."}, True),
        ({"a/l": "..", "m": "a/l/a"}, False),
        ({"l": "m", "m": "l"}, True),
        ({"l": "l"}, True),
        ({"l": ""}, True),
        ({"l": "x" * 5000}, True),
    ],
)
def test_a_link_stays_inside_also_by_way_of_others(links: dict[str, str], harm: bool) -> None:
    """Where ``..`` leads depends on the links before it; a circle leads nowhere."""
    if not harm:
        trees.check_links(links)
        return
    with pytest.raises(errors.RefusedError):
        trees.check_links(links)


@given(_TARGETS, _TARGETS)
def test_links_that_are_taken_never_lead_out_of_a_real_folder(one: str, two: str) -> None:
    """The kernel is the judge: what it makes of the links stays below the root."""
    links = {"a/l": one, "m": two}
    try:
        trees.check_links(links)
    except errors.RefusedError:
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "outer/root"
        (root / "a").mkdir(parents=True)
        (root / "b").mkdir()
        for path, target in links.items():
            (root / path).symlink_to(target)
        assert all(Path(os.path.realpath(root / path)).is_relative_to(root) for path in links)


_NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=5)


@given(st.lists(st.tuples(st.sampled_from(["100644", "100755", "120000", "160000"]), _NAMES)))
def test_a_listing_is_read_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    """Any name comes back, but for the zero byte that ends it."""
    rows = [
        (mode, path.replace("\0", "").encode(errors="surrogateescape").decode())
        for mode, path in rows
        if "\0" not in path
    ]
    listing = b"".join(f"{mode} blob {_OID}       7\t{path}\0".encode() for mode, path in rows)
    assert [(entry.mode, entry.path, entry.size) for entry in trees.parse(listing)] == [(*row, 7) for row in rows]
