"""What a killed process left behind is taken away by the next one, and nothing else is."""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path

from lockstep.sites import git
from lockstep.sites.ends import RefUpdate
from lockstep.sites.git import leftovers
from tests.support import repositories

_LONG_AGO = 1_000_000_000


def _killed_while_making(folder: Path, *, alone: bool = False) -> Path:
    """What a process leaves that was killed with -9 while it made a repository."""
    before = set(folder.iterdir())
    if (child := os.fork()) == 0:
        with leftovers.making(folder, alone=alone) as made:
            made.mkdir()
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    (left,) = set(folder.iterdir()) - before
    return left


def test_what_was_left_of_making_a_repository_goes_when_the_next_is_made(tmp_path: Path) -> None:
    """After some minutes: until then somebody may still be at work in it."""
    young, old = _killed_while_making(tmp_path), _killed_while_making(tmp_path)
    os.utime(old, (_LONG_AGO, _LONG_AGO))
    assert git.Remote(location=str(tmp_path / "x.git")).create(object_format="sha1")
    assert {path.name for path in tmp_path.iterdir()} == {"x.git", young.name}


def test_what_only_looks_like_a_leftover_stays(tmp_path: Path) -> None:
    """A folder that somebody named so, one with other things in it, a link and a file."""
    for name in (".new-projects-of-2026/git", ".new-abcdefgh/git", ".new-abcdefgh/precious", "elsewhere/git"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".new-01234567").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".new-76543210").write_text("precious")
    before = sorted(tmp_path.rglob("*"))
    for path in before:
        os.utime(path, (_LONG_AGO, _LONG_AGO), follow_symlinks=False)
    with leftovers.making(tmp_path):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_our_own_copy_is_made_without_what_was_left_of_it(source: repositories.Repository, cache: git.Cache) -> None:
    """It has one maker at a time, so that what is there is nobody's, however young."""
    cache.folder.mkdir(parents=True)
    left = _killed_while_making(cache.folder, alone=True)
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    assert not left.exists()
    assert cache.staged() == source.refs()


def test_what_killed_fetches_left_among_the_objects_goes_with_the_next(
    source: repositories.Repository, cache: git.Cache
) -> None:
    """Parts of packs as large as the repository, and the marks that keep a whole pack from being packed with others."""
    remote = git.Remote(location=str(source.path))
    source.commit("refs/heads/main", {f"file{n}": os.urandom(20) for n in range(200)})
    cache.fetch(remote, source.refs())
    packs = cache.repository / "objects/pack"
    (pack,) = packs.glob("*.pack")
    whole = {path for path in packs.iterdir() if path.suffix != ".keep"}
    names = ("pack/tmp_pack_aB3", "pack/tmp_idx_x", "pack/.tmp-7-pack-1.pack", f"pack/{pack.stem}.keep", "17/tmp_obj_q")
    for name in names:
        (cache.repository / "objects" / name).parent.mkdir(exist_ok=True)
        (cache.repository / "objects" / name).write_text("half")
    cache.fetch(remote, source.refs())
    assert (packs / "tmp_pack_aB3").exists()  # nothing was to be fetched, and nothing was looked for
    oid = source.commit("refs/heads/main", {"README": "newer"})
    cache.fetch(remote, source.refs())
    assert not any((cache.repository / "objects" / name).exists() for name in names)
    assert whole <= set(packs.iterdir())
    assert cache.has(oid)


def test_a_list_of_refs_that_was_half_written_is_written_over(
    source: repositories.Repository, cache: git.Cache
) -> None:
    """It has one name, so that killed writers leave one file and not one each."""
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    (cache.repository / "packed-refs.written").write_text("x" * 100_000)
    source.commit("refs/heads/main", {"README": "newer"})
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    assert cache.staged() == source.refs()
    assert [path.name for path in cache.repository.glob("packed-refs*")] == ["packed-refs"]


def test_whoever_serves_a_repository_that_was_filled_may_read_its_refs(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """The list of refs has the mode that git gives to files: to a server of another user it is no empty repository."""
    source.branches(300)
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    updates = [RefUpdate(ref=ref, old="", new=oid) for ref, oid in source.refs().items()]
    cache.push(git.Remote(location=str(site.path)), updates)
    modes = {name: stat.S_IMODE((site.path / name).stat().st_mode) for name in ("packed-refs", "config")}
    assert modes["packed-refs"] == modes["config"]


def test_what_killed_pushes_left_at_a_site_goes_with_the_next(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """What a process of ours left at once; what any git may still be writing, after a day. Nothing else is touched."""
    objects = site.path / "objects"
    if (child := os.fork()) == 0:
        with leftovers.apart(objects) as folder:
            (folder / "pack").mkdir()
            (folder / "pack/pack-1.pack").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    kept = ["tmp_objdir-incoming-young", "tmp_notes", "pack/pack-1.keep", "pack/old.pack"]
    dead = ["tmp_objdir-incoming-old", "pack/tmp_pack_x", "pack/tmp_idx_x"]
    for name in (*kept, *dead):
        (objects / name).parent.mkdir(exist_ok=True)
        (objects / name).mkdir() if "objdir" in name else (objects / name).touch()
        os.utime(objects / name, (_LONG_AGO, _LONG_AGO))
    (objects / "tmp_objdir-incoming-young/half").write_bytes(b"x")
    with leftovers.apart(objects) as living:
        cache.fetch(git.Remote(location=str(source.path)), source.refs())
        (oid,) = source.refs().values()
        cache.push(git.Remote(location=str(site.path)), [RefUpdate(ref="refs/heads/main", old="", new=oid)])
        left = {str(path.relative_to(objects)) for path in (*objects.glob("tmp_*"), *objects.glob("pack/tmp_*"))}
        assert left == {living.name, "tmp_objdir-incoming-young", "tmp_notes"}
    assert all((objects / name).exists() for name in kept)
    assert site.refs() == source.refs()


def test_a_folder_that_was_swept_before_it_was_locked_is_made_anew(tmp_path: Path) -> None:
    """Two who come at the same instant do not take away what the other has just made."""
    made: list[Path] = []

    def sweep_first(event: str, arguments: tuple[object, ...]) -> None:
        if event == "fcntl.flock" and not made and armed:
            made.extend(tmp_path.glob("tmp_objdir-*"))
            made[0].rmdir()

    armed = [True]
    sys.addaudithook(sweep_first)
    with leftovers.apart(tmp_path) as folder:
        assert folder.is_dir()
        assert [folder] != made
    armed.clear()
    assert list(tmp_path.iterdir()) == []


def test_git_itself_collects_what_we_would(site: repositories.Repository) -> None:
    """Where Lockstep is taken away for good, the next housekeeping of git's finds what it left."""
    left = site.path / "objects/tmp_objdir-lockstep-x"
    (left / "pack").mkdir(parents=True)
    os.utime(left, (_LONG_AGO, _LONG_AGO))
    site.git("prune", "--expire=2.weeks.ago")
    assert not left.exists()
