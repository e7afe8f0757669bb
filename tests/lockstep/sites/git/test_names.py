"""Names of refs, and what git says of them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.sites import ends
from lockstep.sites.git import names

_PARTS = st.text(st.sampled_from("ab.-@{}~^:?*[]\\ /\t\n\x7fé한lock"), min_size=1, max_size=8)
_REFS = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3).map(
    lambda parts: "refs/heads/" + "/".join(parts)
)
OLD, NEW = "1" * 40, "2" * 40


@given(st.builds("refs/heads/{}".format, _PARTS))
def test_a_name_is_allowed_exactly_when_git_allows_it(name: str) -> None:
    """Git's own check-ref-format is the judge."""
    judged = subprocess.run(["git", "check-ref-format", name.encode()], check=False)
    assert names.is_ref(name) is (judged.returncode == 0)


@pytest.mark.parametrize(
    "name",
    ["HEAD", "main", "", "--upload-pack=x", "refs/heads/\udcff", "refs/heads/x\nrefs/heads/y", "refs/" + "x" * 999],
)
def test_what_is_no_full_name_of_text_is_no_ref(name: str) -> None:
    """Options, second lines, undecodable and endless names never get further."""
    assert not names.is_ref(name)


def test_a_name_that_looks_like_an_option_is_harmless_in_full() -> None:
    """Git allows such branches, and so do we: written in full they begin with ``refs/``."""
    assert names.is_ref("refs/heads/--upload-pack=touch")


@given(st.sets(_REFS), st.sets(_REFS))
def test_what_stands_in_the_way_is_what_files_and_folders_say(existing: set[str], wanted: set[str]) -> None:
    """``a`` and ``a/b`` exclude each other, in both directions, and nothing else does."""
    expected = {
        ref for ref in existing if any(ref.startswith(f"{other}/") or other.startswith(f"{ref}/") for other in wanted)
    }
    blocked = names.in_the_way(existing, wanted)
    assert set(blocked) == expected
    assert all(other in wanted for other in blocked.values())


@given(st.dictionaries(_REFS, st.sampled_from([(OLD, ""), ("", NEW), (OLD, NEW)])))
def test_stages_keep_every_update_and_put_deletes_where_they_belong(changes: dict[str, tuple[str, str]]) -> None:
    """Deletes wait for the writes, but for those that a write needs out of its way."""
    updates = [ends.RefUpdate(ref=ref, old=old, new=new) for ref, (old, new) in changes.items()]
    stages = names.stages(updates)
    assert sorted(update for stage in stages for update in stage) == sorted(updates)
    order = [update for stage in stages for update in stage]
    writes = [at for at, update in enumerate(order) if update.new]
    for at, update in enumerate(order):
        if not update.new and writes:
            needed = names.in_the_way([update.ref], [other.ref for other in order if other.new])
            assert at < writes[0] if needed else at > writes[-1]


def test_an_advertisement_is_read_without_peeled_tags_and_with_its_head() -> None:
    """A tag is its own id; HEAD is the ref that it names."""
    rows = [("ref: refs/heads/main", "HEAD"), (OLD, "HEAD"), (OLD, "refs/heads/main")]
    rows += [(NEW, "refs/tags/v1"), (OLD, "refs/tags/v1^{}")]
    output = "".join(f"{left}\t{right}\n" for left, right in rows)
    assert names.parse_advertised(output.encode()) == ends.Advertised(
        head="refs/heads/main", refs={"refs/heads/main": OLD, "refs/tags/v1": NEW}
    )


def test_a_branch_that_follows_another_is_mirrored_as_what_it_is_now() -> None:
    """A symbolic ref is told twice: whom it follows, and its id."""
    output = f"ref: refs/heads/main\trefs/heads/alias\n{OLD}\trefs/heads/alias\n{OLD}\trefs/heads/main\n"
    assert names.parse_advertised(output.encode()) == ends.Advertised(
        head="",
        refs={"refs/heads/alias": OLD, "refs/heads/main": OLD},
        aliases={"refs/heads/alias": "refs/heads/main"},
    )


def test_no_number_of_names_that_are_none_hides_one_of_another_namespace() -> None:
    """What is said of each is bounded by itself: a tag that cannot be read is not lost behind a forge's own refs."""
    rows = b"".join(OLD.encode() + b"\trefs/changes/\xff%d\n" % n for n in range(1000))
    told = names.parse_advertised(rows + OLD.encode() + b"\trefs/tags/caf\xe9\n").unsound
    assert len(told) < 100
    assert r"refs/tags/caf\udce9" in told


@pytest.mark.parametrize(
    "line", [b"ref: refs/heads/gone\tHEAD", b"1" * 40 + b"\tHEAD", b""], ids=["dangling", "detached", "none"]
)
def test_a_head_that_names_no_branch_is_empty(line: bytes) -> None:
    """Dangling, detached and absent are the same: there is nothing to follow."""
    assert names.parse_advertised(line + b"\n" + b"1" * 40 + b"\trefs/heads/main\n").head == ""


def test_what_names_no_ref_is_kept_as_unknown() -> None:
    """A line that cannot be understood is said, escaped, and bounded in number."""
    output = b"1" * 40 + b"\trefs/heads/\xb1\xd7\n" + b"what\n" + b"x\trefs/heads/y\n" * 100
    advertised = names.parse_advertised(output)
    assert advertised.refs == {}
    assert advertised.unsound[:2] == (r"refs/heads/\udcb1\udcd7", "what")
    assert len(advertised.unsound) == 1 + 20


@given(st.binary(max_size=300))
def test_anything_can_be_read_as_an_advertisement(output: bytes) -> None:
    """No answer of a server ends in anything but refs that git allows."""
    assert all(names.is_ref(name) for name in names.parse_advertised(output).refs)


def test_porcelain_is_read_by_the_ref_at_the_other_side() -> None:
    """Flag and summary, for writes and deletes."""
    output = b"To /x\n*\trefs/heads/a:refs/heads/a\t[new branch]\n!\t:refs/heads/b\t[rejected] (stale info)\nDone\n"
    assert names.parse_pushed(output) == {
        "refs/heads/a": ("*", "[new branch]"),
        "refs/heads/b": ("!", "[rejected] (stale info)"),
    }
