"""A pack is copied to an empty repository on disk when it holds what is wanted: all of it, nothing else, unharmed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from lockstep import children, errors
from lockstep.sites import git
from lockstep.sites.ends import PushOutcome, PushResult, RefUpdate
from lockstep.sites.git import process
from tests.support.repositories import Repository

MAIN = "refs/heads/main"


@pytest.fixture(params=["sha1", "sha256"])
def source(tmp_path: Path, request: pytest.FixtureRequest) -> Repository:
    """Commits, a tag of a tag, and a tag of a file."""
    made = Repository.make(tmp_path / "source.git", object_format=request.param)
    made.commit(MAIN, {"README": "hello", "deep/down": "below"})
    made.commit(MAIN, {"README": "hello again"})
    made.tag("v1", MAIN)
    made.tag("again", "v1")
    made.point("refs/tags/file", made.git("rev-parse", f"{MAIN}:README").strip())
    return made


@pytest.fixture
def site(tmp_path: Path, source: Repository) -> Repository:
    """An empty repository of the same format."""
    object_format = "sha256" if len(source.refs()[MAIN]) == 64 else "sha1"
    return Repository.make(tmp_path / "site.git", object_format=object_format)


@pytest.fixture
def cache(tmp_path: Path, source: Repository) -> git.Cache:
    """Our own copy, all in one pack."""
    made = git.Cache(tmp_path / "cache")
    made.fetch(git.Remote(location=str(source.path)), source.refs())
    Repository(made.repository).git("repack", "-a", "-d", "--quiet")
    return made


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The git commands that run from here on."""
    commands: list[str] = []
    run = process.run

    def noted(call: process.Call, **heard: Any) -> children.Finished:
        commands.append(next(word for word in call.arguments if word in _COMMANDS))
        return run(call, **heard)

    monkeypatch.setattr(process, "run", noted)
    return commands


_COMMANDS = ("rev-list", "fetch", "push", "ls-remote", "pack-refs")


def _push(cache: git.Cache, site: Repository, refs: dict[str, str]) -> list[PushResult]:
    updates = [RefUpdate(ref=ref, old="", new=oid) for ref, oid in refs.items()]
    return cache.push(git.Remote(location=str(site.path)), updates)


def _files(repository: Repository) -> set[str]:
    return {path.name for path in (repository.path / "objects").rglob("*") if path.is_file()}


def test_a_pack_with_exactly_what_is_wanted_is_copied(
    source: Repository, site: Repository, cache: git.Cache, ran: list[str]
) -> None:
    """Byte for byte, and git itself has counted what the refs reach there."""
    results = _push(cache, site, source.refs())
    assert ran == ["rev-list"]
    assert {result.outcome for result in results} == {PushOutcome.UPDATED}
    assert site.refs() == source.refs()
    ours = {path.name for path in (cache.repository / "objects/pack").iterdir()}
    assert _files(site) == {name for name in ours if name.endswith((".pack", ".idx"))}
    assert [path.name for path in (site.path / "objects").iterdir() if path.name.startswith("tmp")] == []
    site.git("fsck", "--full", "--strict")


def test_what_no_ref_reaches_any_more_is_not_handed_on(
    source: Repository, site: Repository, cache: git.Cache, ran: list[str]
) -> None:
    """A commit that was taken back at the source stays with us, and reaches no new site."""
    source.delete("refs/tags/v1", "refs/tags/again", "refs/tags/file")
    source.commit(MAIN, {"README": "without the password"}, orphan=True)
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    Repository(cache.repository).git("repack", "-a", "-d", "--quiet", "--keep-unreachable")
    _push(cache, site, source.refs())
    assert ran[-2:] == ["rev-list", "push"]
    assert site.refs() == source.refs()
    assert len(site.objects()) == 3
    assert not list((site.path / "objects").glob("tmp*"))


def test_a_pack_that_lacks_something_is_not_enough(
    source: Repository, site: Repository, cache: git.Cache, ran: list[str]
) -> None:
    """A file of it stands beside it, alone: then it is an ordinary push."""
    ours = Repository(cache.repository)
    blob = ours.git("rev-parse", "refs/mirror/tags/file").strip()
    (pack,) = (cache.repository / "objects/pack").glob("*.pack")
    content = pack.read_bytes()
    others = "".join(f"{oid}\n" for oid in sorted(ours.objects() - {blob}))
    shutil.rmtree(pack.parent)
    ours.git("unpack-objects", "-q", stdin=content)
    pack.parent.mkdir()
    ours.git("pack-objects", "-q", str(pack.parent / "pack"), stdin=others.encode())
    _push(cache, site, source.refs())
    assert ran == ["rev-list", "push"]
    assert site.refs() == source.refs()
    site.git("fsck", "--full", "--strict")


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
@pytest.mark.parametrize("where", [100, -30])
def test_a_byte_that_changed_on_our_disk_reaches_no_site(
    source: Repository, site: Repository, cache: git.Cache, suffix: str, where: int
) -> None:
    """The hash of the whole file says so, before any of it can be seen there."""
    (file,) = (cache.repository / "objects/pack").glob(f"*{suffix}")
    content = bytearray(file.read_bytes())
    content[where] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    with pytest.raises(errors.IntegrityError, match="damaged"):
        _push(cache, site, source.refs())
    assert (_files(site), site.refs()) == (set(), {})


def test_a_history_that_was_cut_off_at_the_site_is_no_empty_repository(
    source: Repository, site: Repository, cache: git.Cache, ran: list[str]
) -> None:
    """What git would count there is not what everybody sees."""
    (site.path / "shallow").write_text(f"{source.refs()[MAIN]}\n")
    _push(cache, site, source.refs())
    assert "rev-list" not in ran
