"""Many refs for a repository on disk that is empty: they come at once, unless it has rules of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lockstep import children
from lockstep.sites import git
from lockstep.sites.ends import PushOutcome, PushResult, RefUpdate
from lockstep.sites.git import locks, packs, process, pushing, seeding
from tests.support.killing import killed_at_each_step
from tests.support.repositories import Repository

MAIN = "refs/heads/main"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Twenty-two refs, which count as many here."""
    monkeypatch.setattr(pushing, "_MANY", 10)
    made = Repository.make(tmp_path / "source.git")
    made.commit(MAIN, {"README": "hello"})
    made.branches(20)
    made.tag("v1", MAIN)
    return made


@pytest.fixture
def site(tmp_path: Path) -> Repository:
    """An empty repository."""
    return Repository.make(tmp_path / "site.git")


def _push(source: Repository, site: Repository, tmp_path: Path) -> list[PushResult]:
    cache = git.Cache(tmp_path / "cache")
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    updates = [RefUpdate(ref=ref, old="", new=oid) for ref, oid in source.refs().items()]
    return cache.push(git.Remote(location=str(site.path)), updates)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_blank_repository_gets_all_refs_in_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, object_format: str
) -> None:
    """With every object that they reach, and nothing that a later push would stumble over."""
    monkeypatch.setattr(packs, "only_one", lambda _repository: None)
    monkeypatch.setattr(pushing, "_MANY", 1)
    source = Repository.make(tmp_path / "source.git", object_format=object_format)
    source.commit(MAIN, {"README": "hello"})
    source.tag("v1", MAIN)
    site = Repository.make(tmp_path / "site.git", object_format=object_format)
    results = _push(source, site, tmp_path)
    assert {result.outcome for result in results} == {PushOutcome.UPDATED}
    assert site.refs() == source.refs()
    assert not [path for path in (site.path / "refs").rglob("*") if path.is_file()]
    assert not (site.path / "packed-refs.lock").exists()
    site.git("fsck", "--full", "--strict")
    assert site.objects() == source.objects()
    site.commit(MAIN, {"README": "newer"})
    site.delete("refs/tags/v1")


@pytest.mark.parametrize("rule", ["hook", "config", "ref"])
def test_a_repository_with_rules_or_refs_is_pushed_to(
    source: Repository, site: Repository, tmp_path: Path, rule: str
) -> None:
    """What it refuses is refused, what it has stays."""
    if rule == "hook":
        site.hook("update", 'case "$1" in */b7) exit 1;; esac')
    elif rule == "config":
        site.git("config", "receive.hideRefs", "refs/heads/b7")
    else:
        site.commit("refs/heads/b7", {"theirs": "x"})
    assert not seeding.is_blank(git.Remote(location=str(site.path)))
    refused = [result.update.ref for result in _push(source, site, tmp_path) if result.outcome.value != "updated"]
    assert refused == ["refs/heads/b7"]
    assert set(site.refs()) | {"refs/heads/b7"} == set(source.refs())


@pytest.mark.parametrize("way", ["rev-list", "fetch.fsckObjects=false"])
def test_whoever_begins_to_write_meanwhile_is_pushed_beside(
    source: Repository, site: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A ref that appears while the objects come is not overwritten, whether they are copied or fetched."""
    if way != "rev-list":
        monkeypatch.setattr(packs, "only_one", lambda _repository: None)
    theirs: list[str] = []
    run = process.run

    def meanwhile(call: process.Call, **heard: Any) -> children.Finished:
        if not theirs and way in call.arguments:
            theirs.append(site.commit("refs/heads/b7", {"theirs": "x"}))
        return run(call, **heard)

    monkeypatch.setattr(process, "run", meanwhile)
    results = _push(source, site, tmp_path)
    assert [result.update.ref for result in results if result.outcome is PushOutcome.STALE] == ["refs/heads/b7"]
    assert site.refs()["refs/heads/b7"] == theirs[0]


def test_a_lock_that_somebody_holds_is_respected(source: Repository, site: Repository, tmp_path: Path) -> None:
    """Then it is an ordinary push."""
    (site.path / "packed-refs.lock").touch()
    _push(source, site, tmp_path)
    assert site.refs() == source.refs()
    assert (site.path / "packed-refs.lock").exists()


@pytest.mark.parametrize("way", ["copied", "fetched"])
def test_killed_at_any_step_of_filling_a_site_the_next_leaves_nothing_of_it(
    source: Repository, site: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Gigabytes that a killed process had copied would stay for weeks: there is never more than one such copy."""
    if way == "fetched":
        monkeypatch.setattr(packs, "only_one", lambda _repository: None)
    cache = git.Cache(tmp_path / "cache")
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    Repository(cache.repository).git("repack", "-a", "-d", "--quiet")
    updates = [RefUpdate(ref=ref, old="", new=oid) for ref, oid in source.refs().items()]

    def fill() -> None:
        cache.push(git.Remote(location=str(site.path)), updates)

    left = [_unfinished(site) for _ in killed_at_each_step(fill)]
    assert len(left) > 10
    assert any(left)
    assert max(map(len, left)) == 1
    assert _unfinished(site) == []
    assert site.refs() == source.refs()
    site.git("fsck", "--full", "--strict")


def _unfinished(site: Repository) -> list[str]:
    """What nobody would ever look at again."""
    left = [*site.path.glob("objects/tmp_*"), *site.path.glob("objects/pack/tmp_*"), *site.path.rglob("*.lock")]
    return sorted(path.name for path in left)


def test_a_lock_of_ours_that_still_lives_is_respected(source: Repository, site: Repository, tmp_path: Path) -> None:
    """Another instance fills the same repository at this instant: then ours is an ordinary push."""
    remote = git.Remote(location=str(site.path))
    with locks.of_refs(site.path) as ours:
        assert ours
        assert not seeding.write(remote, source.refs())
        _push(source, site, tmp_path)
        assert (site.path / "packed-refs.lock").exists()
    assert site.refs() == source.refs()
    assert _unfinished(site) == []
