"""Reading commits of our own copy."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lockstep import errors
from lockstep.sites import git
from tests.support import repositories


@pytest.fixture
def copy(source: repositories.Repository, cache: git.Cache) -> git.Cache:
    """A copy with three commits, a branch and an annotated tag."""
    source.commit("refs/heads/main", {"deploy/a.yaml": "1"}, subject="Add a\x1b[31m\n\nbody")
    source.tag("v1", "refs/heads/main")
    source.commit("refs/heads/main", {"README": "2"}, subject="두 번째")
    source.commit("refs/heads/side", {"x": "3"}, orphan=True, subject="")
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    return cache


def test_a_revision_is_an_id_a_branch_a_tag_or_a_ref(source: repositories.Repository, copy: git.Cache) -> None:
    """A tag means its commit; what is not here is None."""
    main = source.refs()["refs/heads/main"]
    tagged = source.git("rev-parse", "v1^{commit}").strip()
    assert (
        copy.resolve("main") == copy.resolve("refs/heads/main") == copy.resolve(main) == copy.resolve(main[:9]) == main
    )
    assert copy.resolve("v1") == copy.resolve("refs/tags/v1") == tagged
    assert [copy.resolve(text) for text in ("nope", "-x", "", "HEAD", "main^{tree}", "1" * 40, main[:3])] == [None] * 7


def test_a_commit_tells_who_when_and_why(source: repositories.Repository, copy: git.Cache) -> None:
    """Its subject is fit to be shown."""
    commit = copy.commit(source.git("rev-parse", "v1^{commit}").strip())
    assert (commit.author, commit.email, commit.subject) == ("Ada", "ada@bank.example", "Add a")
    assert commit.committed_at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_the_log_of_a_path_is_what_changed_it(source: repositories.Repository, copy: git.Cache) -> None:
    """The newest first, no more than asked for."""
    assert [commit.subject for commit in copy.log("main")] == ["두 번째", "Add a", "Change"]
    assert [commit.subject for commit in copy.log("main", path="deploy")] == ["Add a"]
    assert [commit.subject for commit in copy.log("main", most=1)] == ["두 번째"]
    assert [commit.subject for commit in copy.log("side")] == [""]


def test_a_commit_that_changes_nothing_is_still_itself(source: repositories.Repository, copy: git.Cache) -> None:
    """An empty commit, or a merge, is never mistaken for the last one that changed a file."""
    main = source.refs()["refs/heads/main"]
    empty = source.git("commit-tree", "-p", main, "-m", "nothing", f"{main}^{{tree}}").strip()
    source.point("refs/heads/main", empty)
    copy.fetch(git.Remote(location=str(source.path)), source.refs())
    assert copy.commit(empty).oid == empty
    assert copy.log("main")[0].subject == "nothing"


def test_changed_paths_are_those_that_differ(source: repositories.Repository, copy: git.Cache) -> None:
    """All of them when there is nothing to compare with."""
    main, tagged = source.refs()["refs/heads/main"], source.git("rev-parse", "v1^{commit}").strip()
    assert copy.changed_paths(tagged, main) == ["README"]
    assert copy.changed_paths("", main) == ["README", "deploy/a.yaml"]


def test_ancestry_is_told_and_unknown_is_no(source: repositories.Repository, copy: git.Cache) -> None:
    """An object that is not here contains nothing that we could prove."""
    refs = source.refs()
    tagged = source.git("rev-parse", "v1^{commit}").strip()
    assert copy.is_ancestor(tagged, refs["refs/heads/main"])
    assert not copy.is_ancestor(refs["refs/heads/main"], tagged)
    assert not copy.is_ancestor("1" * 40, refs["refs/heads/main"])
    assert (copy.has(tagged), copy.has("1" * 40), copy.has("--help")) == (True, False, False)


def test_what_is_not_here_is_said(copy: git.Cache) -> None:
    """It is never an empty answer."""
    for call in (
        lambda: copy.commit("1" * 40),
        lambda: copy.log("nope"),
        lambda: copy.changed_paths("", "1" * 40),
        lambda: copy.changed_paths("1" * 40, "2" * 40),
    ):
        with pytest.raises(errors.NotFoundError):
            call()


def test_something_that_is_no_id_is_refused(copy: git.Cache) -> None:
    """An option never gets to git."""
    with pytest.raises(errors.InputError):
        copy.commit("--output=/tmp/x")
