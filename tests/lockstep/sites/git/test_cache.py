"""Our own copy of a repository: fetched once, pushed many times."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import git
from lockstep.sites.ends import PushOutcome, PushResult, RefUpdate
from lockstep.sites.git import cache as caches
from lockstep.sites.git import pushing
from tests.support import git_http, repositories, sshd


def _at(repository: repositories.Repository) -> git.Remote:
    return git.Remote(location=str(repository.path))


def _fetch(cache: git.Cache, source: repositories.Repository) -> dict[str, str]:
    refs = source.refs()
    cache.fetch(_at(source), refs)
    return refs


def _creates(refs: dict[str, str]) -> list[RefUpdate]:
    return [RefUpdate(ref=ref, old="", new=oid) for ref, oid in refs.items()]


def _outcomes(results: list[PushResult]) -> dict[str, PushOutcome]:
    return {result.update.ref: result.outcome for result in results}


# --- fetching


def test_what_was_advertised_is_here_and_nothing_else_is_named(
    source: repositories.Repository, cache: git.Cache
) -> None:
    """The staging namespace is the source's refs, under ``refs/mirror``."""
    source.tag("v1", "refs/heads/main")
    refs = _fetch(cache, source)
    assert cache.staged() == refs
    copy = repositories.Repository(cache.repository)
    assert copy.refs() == {f"refs/mirror/{name.removeprefix('refs/')}": oid for name, oid in refs.items()}
    assert copy.objects() == source.objects()


def test_a_second_fetch_asks_for_nothing(source: repositories.Repository, cache: git.Cache) -> None:
    """What is here is not asked for again, whatever it is called now."""
    main = _fetch(cache, source)["refs/heads/main"]
    with git_http.serve(source.path.parents[1]) as server:
        remote = git.Remote(location=f"{server.url}/bank/pay.git")
        assert cache.fetch(remote, {"refs/heads/other": main}) == 0
        assert server.requests == []
    assert cache.staged() == {"refs/heads/other": main}


def test_a_ref_that_moved_meanwhile_comes_as_it_was_advertised(
    source: repositories.Repository, cache: git.Cache
) -> None:
    """Ids are asked for, not names: a push in between changes nothing about this fetch."""
    advertised = source.refs()
    source.commit("refs/heads/main", {"README": "newer"})
    cache.fetch(_at(source), advertised)
    assert cache.staged() == advertised


def test_a_server_of_the_first_protocol_gives_what_it_advertises(
    source: repositories.Repository, cache: git.Cache
) -> None:
    """Tips by their ids, tags of blobs among them; what is no tip any more is a conflict, and asked again."""
    source.tag("v1", "refs/heads/main")
    source.point("refs/tags/blob", source.git("hash-object", "-w", "--stdin", stdin=b"x").strip())
    refs = source.refs()
    with git_http.serve(source.path.parents[1]) as server:
        server.old = True
        remote = git.Remote(location=f"{server.url}/bank/pay.git")
        assert remote.advertised() == _at(source).advertised()
        source.commit("refs/heads/main", {"README": "newer"})
        with pytest.raises(errors.ConflictError):
            cache.fetch(remote, refs)
        cache.fetch(remote, source.refs())
    assert cache.staged() == source.refs()


def test_an_id_that_is_gone_is_a_conflict(source: repositories.Repository, cache: git.Cache) -> None:
    """A force-push and a gc in between: the source is asked again."""
    with pytest.raises(errors.ConflictError):
        cache.fetch(_at(source), {"refs/heads/main": "1" * 40})
    assert cache.staged() == {}


def test_names_may_turn_into_folders_and_back(source: repositories.Repository, cache: git.Cache) -> None:
    """``a`` becomes ``a/b``: the list of refs changes as a whole."""
    main = source.refs()["refs/heads/main"]
    for name in ("a", "a/b", "a"):
        cache.fetch(_at(source), {f"refs/heads/{name}": main})
        assert repositories.Repository(cache.repository).refs() == {f"refs/mirror/heads/{name}": main}


def test_a_site_can_be_read_before_anything_came_from_the_source(
    source: repositories.Repository, cache: git.Cache
) -> None:
    """A service that starts at the other side, with the source gone, knows what its own site has."""
    refs = source.refs()
    cache.fetch(_at(source), refs, beside="sejong")
    assert cache.has(refs["refs/heads/main"])
    assert cache.staged() == {}


def test_what_is_kept_beside_is_no_ref_of_the_source(source: repositories.Repository, cache: git.Cache) -> None:
    """A site's refs are kept apart, and each namespace changes alone."""
    refs = _fetch(cache, source)
    cache.fetch(_at(source), {"refs/heads/x": refs["refs/heads/main"]}, beside="sejong")
    assert cache.staged() == refs
    assert "refs/beside/sejong/heads/x" in repositories.Repository(cache.repository).refs()


@pytest.mark.parametrize("ref", ["refs/heads/..", "refs/heads/x\n", "--upload-pack=x", "refs/heads/x:y"])
def test_a_name_that_git_would_not_allow_never_reaches_git(
    source: repositories.Repository, cache: git.Cache, ref: str
) -> None:
    """Neither when fetching nor when pushing."""
    main = source.refs()["refs/heads/main"]
    with pytest.raises(errors.InputError):
        cache.fetch(_at(source), {ref: main})
    with pytest.raises(errors.InputError):
        cache.push(_at(source), [RefUpdate(ref=ref, old="", new=main)])


def test_refs_named_like_options_are_mirrored_like_any(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """Written in full they are harmless."""
    for name in ("--upload-pack=touch", "-x", "한글", "a b".replace(" ", "'\"$(x)`;&|")):
        source.point(f"refs/heads/{name}", source.refs()["refs/heads/main"])
    refs = _fetch(cache, source)
    cache.push(_at(site), _creates(refs))
    assert site.refs() == refs


def test_a_source_that_changes_its_hash_is_copied_anew(
    source: repositories.Repository, cache: git.Cache, tmp_path: Path
) -> None:
    """SHA-256 repositories are mirrored like others; the copy follows its source."""
    _fetch(cache, source)
    modern = repositories.Repository.make(tmp_path / "modern.git", object_format="sha256")
    oid = modern.commit("refs/heads/main")
    assert len(oid) == 64
    assert _fetch(cache, modern) == cache.staged()
    target = repositories.Repository.make(tmp_path / "target.git", object_format="sha256")
    cache.push(_at(target), _creates(cache.staged()))
    assert target.refs() == {"refs/heads/main": oid}


def test_a_site_that_keeps_another_hash_is_unsupported(
    site: repositories.Repository, cache: git.Cache, tmp_path: Path
) -> None:
    """Ids cannot be the same there; the error says to make it anew."""
    modern = repositories.Repository.make(tmp_path / "modern.git", object_format="sha256")
    modern.commit("refs/heads/main")
    with pytest.raises(errors.UnsupportedError) as caught:
        cache.push(_at(site), _creates(_fetch(cache, modern)))
    assert "anew" in caught.value.remedy


def test_damaged_objects_are_not_taken(tmp_path: Path, cache: git.Cache) -> None:
    """A tree that climbs out of its folder fails git's own check, and leaves no ref here."""
    source = repositories.Repository.make(tmp_path / "evil.git")
    blob = source.git("hash-object", "-w", "--stdin", stdin=b"x").strip()
    tree = source.git("mktree", stdin=f"100644 blob {blob}\t.git\n".encode()).strip()
    commit = source.git("commit-tree", "-m", "evil", tree).strip()
    source.point("refs/heads/main", commit)
    with pytest.raises(errors.IntegrityError):
        _fetch(cache, source)
    assert cache.staged() == {}


def test_old_faults_that_forges_let_through_are_no_reason_to_refuse(tmp_path: Path, cache: git.Cache) -> None:
    """A commit with an impossible time zone is in many old repositories."""
    source = repositories.Repository.make(tmp_path / "old.git")
    tree = source.git("mktree").strip()
    commit = f"tree {tree}\nauthor A <a> 1 +051800\ncommitter A <a> 1 +051800\n\nold\n"
    oid = source.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=commit.encode()).strip()
    source.point("refs/heads/main", oid)
    assert _fetch(cache, source) == {"refs/heads/main": oid}


def test_a_pack_larger_than_its_bound_is_given_up(tmp_path: Path, cache: git.Cache) -> None:
    """What a stranger sends cannot fill the disk."""
    source = repositories.Repository.make(tmp_path / "big.git")
    source.commit("refs/heads/main", {"big": os.urandom(300_000)})
    remote = git.Remote(location=str(source.path), patience=git.Patience(most_pack_bytes=100_000))
    with pytest.raises(errors.TemporaryError, match="bound"):
        cache.fetch(remote, source.refs())
    assert cache.staged() == {}


def test_many_who_fetch_at_once_end_with_one_copy(source: repositories.Repository, tmp_path: Path) -> None:
    """Threads and processes wait for each other; nobody sees half a list."""
    refs = source.refs()
    script = (
        "import sys; from pathlib import Path; from lockstep.sites import git\n"
        "git.Cache(Path(sys.argv[1])).fetch(git.Remote(location=sys.argv[2]), {sys.argv[3]: sys.argv[4]})\n"
    )
    folder = tmp_path / "shared"
    arguments = [
        sys.executable,
        "-c",
        script,
        str(folder),
        str(source.path),
        "refs/heads/main",
        refs["refs/heads/main"],
    ]
    running = [subprocess.Popen(arguments) for _ in range(2)]
    threads = [threading.Thread(target=git.Cache(folder).fetch, args=(_at(source), refs)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(60) for process in running] == [0, 0]
    assert git.Cache(folder).staged() == refs


def test_a_server_that_stops_answering_in_a_transfer_is_given_up(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """A fetch and a push end at our own bound, with everything that git started."""
    refs = source.refs()
    with git_http.serve(source.path.parents[2]) as server:
        server.behaviour = "hang"
        patience = git.Patience(transfer_seconds=0.5)
        away = git.Remote(location=f"{server.url}/forge/bank/pay.git", patience=patience)
        with pytest.raises(errors.UnreachableError, match="in time"):
            cache.fetch(away, refs)
        _fetch(cache, source)
        with pytest.raises(errors.UnreachableError, match="in time"):
            cache.push(git.Remote(location=f"{server.url}/site/bank/pay.git", patience=patience), _creates(refs))
    assert site.refs() == {}


@pytest.mark.chaos
def test_a_fetch_that_was_killed_is_simply_done_again(source: repositories.Repository, tmp_path: Path) -> None:
    """SIGKILL in the middle leaves no lock and no half list behind."""
    source.commit("refs/heads/big", {"big": os.urandom(3_000_000)})
    with git_http.serve(source.path.parents[1]) as server:
        script = (
            "import sys; from pathlib import Path; from lockstep.sites import git\n"
            "remote = git.Remote(location=sys.argv[2]); print(flush=True)\n"
            "git.Cache(Path(sys.argv[1])).fetch(remote, remote.advertised().refs)\n"
        )
        address = f"{server.url}/bank/pay.git"
        with subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "c"), address], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while not server.packs and process.poll() is None:
                os.sched_yield()
            process.send_signal(signal.SIGKILL)
        cache = git.Cache(tmp_path / "c")
        assert cache.staged() in ({}, source.refs())
        cache.fetch(git.Remote(location=address), source.refs())
    assert cache.staged() == source.refs()


# --- pushing


@pytest.fixture(params=["disk", "http", "ssh"])
def target(request: pytest.FixtureRequest, site: repositories.Repository, tmp_path: Path) -> Iterator[git.Remote]:
    """The site by every protocol."""
    if request.param == "disk":
        yield _at(site)
    elif request.param == "http":
        with git_http.serve(site.path.parents[1]) as server:
            server.password = "hunter2"
            yield git.Remote(location=f"{server.url}/bank/pay.git", access=git.Access(password="hunter2"))
    else:
        with sshd.serve(tmp_path / "sshd") as host:
            access = git.Access(ssh_key=host.key, known_hosts=host.known_hosts)
            yield git.Remote(location=f"ssh://{host.host}{site.path}", access=access)


@pytest.mark.needs("sshd", "git-http-backend")
def test_exact_ids_arrive_and_moves_and_deletes_follow(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache, target: git.Remote
) -> None:
    """Branches, annotated tags, a rewind, a moved tag and a delete, over every protocol."""
    first = source.refs()["refs/heads/main"]
    second = source.commit("refs/heads/main", {"README": "more"})
    tag = source.tag("v1", first)
    refs = _fetch(cache, source)
    assert set(_outcomes(cache.push(target, _creates(refs))).values()) == {PushOutcome.UPDATED}
    assert site.refs() == refs
    moved = source.tag("v1", second)
    source.point("refs/heads/main", first)
    _fetch(cache, source)
    results = cache.push(
        target,
        [
            RefUpdate(ref="refs/heads/main", old=second, new=first),
            RefUpdate(ref="refs/tags/v1", old=tag, new=moved),
        ],
    )
    assert set(_outcomes(results).values()) == {PushOutcome.UPDATED}
    assert site.refs() == {"refs/heads/main": first, "refs/tags/v1": moved}
    cache.push(target, [RefUpdate(ref="refs/tags/v1", old=moved, new="")])
    assert site.refs() == {"refs/heads/main": first}


def test_a_stale_lease_is_reported_and_the_rest_goes_through(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """Somebody moved one ref at the site: it is not overwritten, and it does not stop the others."""
    refs = _fetch(cache, source)
    cache.push(_at(site), _creates(refs))
    theirs = site.commit("refs/heads/main", {"hotfix": "x"})
    newer = source.commit("refs/heads/main", {"README": "newer"})
    _fetch(cache, source)
    results = cache.push(
        _at(site),
        [
            RefUpdate(ref="refs/heads/main", old=refs["refs/heads/main"], new=newer),
            RefUpdate(ref="refs/heads/other", old="", new=newer),
        ],
    )
    assert [result.outcome for result in results] == [PushOutcome.STALE, PushOutcome.UPDATED]
    assert site.refs() == {"refs/heads/main": theirs, "refs/heads/other": newer}


def test_a_new_ref_never_overwrites_one_that_appeared(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """It is pushed without force, for a branch and for a tag."""
    branch, tag = site.commit("refs/heads/main", {"x": "theirs"}), site.commit("refs/tags/v1", {"x": "theirs"})
    main = _fetch(cache, source)["refs/heads/main"]
    results = cache.push(_at(site), _creates({"refs/heads/main": main, "refs/tags/v1": main}))
    assert set(_outcomes(results).values()) == {PushOutcome.STALE}
    assert site.refs() == {"refs/heads/main": branch, "refs/tags/v1": tag}


def test_a_delete_of_what_is_gone_is_stale_and_stops_nothing(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """Another writer was faster."""
    main = _fetch(cache, source)["refs/heads/main"]
    results = cache.push(
        _at(site), [RefUpdate(ref="refs/heads/gone", old=main, new=""), *_creates({"refs/heads/main": main})]
    )
    assert [result.outcome for result in results] == [PushOutcome.STALE, PushOutcome.UPDATED]


@pytest.mark.parametrize(("old", "new"), [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b")])
def test_a_branch_may_become_a_folder_of_branches(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache, old: str, new: str
) -> None:
    """What stands in the way goes first, everything else that is deleted goes last."""
    main = _fetch(cache, source)["refs/heads/main"]
    cache.push(_at(site), _creates({f"refs/heads/{old}": main, "refs/heads/z": main}))
    updates = [
        RefUpdate(ref=f"refs/heads/{new}", old="", new=main),
        RefUpdate(ref=f"refs/heads/{old}", old=main, new=""),
        RefUpdate(ref="refs/heads/z", old=main, new=""),
    ]
    results = cache.push(_at(site), updates)
    assert [result.update for result in results] == updates
    assert set(_outcomes(results).values()) == {PushOutcome.UPDATED}
    assert site.refs() == {f"refs/heads/{new}": main}


def test_a_hidden_ref_is_refused_alone(source: repositories.Repository, cache: git.Cache, tmp_path: Path) -> None:
    """What a host keeps for itself does not stop the others."""
    site = repositories.Repository.make(tmp_path / "hub/x.git")
    main = _fetch(cache, source)["refs/heads/main"]
    with git_http.serve(tmp_path / "hub") as server:
        server.config["receive.hideRefs"] = "refs/pull"
        remote = git.Remote(location=f"{server.url}/x.git")
        results = cache.push(remote, _creates({"refs/heads/main": main, "refs/pull/1/head": main}))
    assert [result.outcome for result in results] == [PushOutcome.UPDATED, PushOutcome.REJECTED]
    assert "hidden ref" in results[1].message
    assert site.refs() == {"refs/heads/main": main}


def test_a_protected_branch_is_refused_with_what_its_hook_said(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """The words are the site's, cleaned; the other refs arrive."""
    site.hook("update", 'case "$1" in */release) printf "\\033[31mrelease is frozen\\n" >&2; exit 1;; esac')
    main = _fetch(cache, source)["refs/heads/main"]
    results = cache.push(_at(site), _creates({"refs/heads/main": main, "refs/heads/release": main}))
    assert [result.outcome for result in results] == [PushOutcome.UPDATED, PushOutcome.REJECTED]
    assert results[1].message.startswith("hook declined: release is frozen")
    assert "\x1b" not in results[1].message


def test_one_ref_that_spoils_a_whole_push_is_found(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """A pre-receive hook refuses everything for one ref: the others are pushed without it."""
    site.hook("pre-receive", "while read old new ref; do case $ref in */bad*) exit 1;; esac; done")
    main = _fetch(cache, source)["refs/heads/main"]
    wanted = {f"refs/heads/{name}": main for name in ("a", "b", "bad", "c", "d", "e", "bad2", "f", "g")}
    outcomes = _outcomes(cache.push(_at(site), _creates(wanted)))
    refused = {ref for ref, outcome in outcomes.items() if outcome is PushOutcome.REJECTED}
    assert refused == {"refs/heads/bad", "refs/heads/bad2"}
    assert set(site.refs()) == set(wanted) - refused


def test_why_a_site_cannot_unpack_what_it_was_sent_is_told(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """A disk that is full or only read, a bound of the server: "unpacker error" alone sends nobody anywhere."""
    site.git("config", "receive.maxInputSize", "10")
    main = _fetch(cache, source)["refs/heads/main"]
    # What is blank would be filled without a push.
    site.git("config", "receive.denyDeletes", "true")
    (result,) = cache.push(_at(site), _creates({"refs/heads/main": main}))
    assert result.outcome is PushOutcome.REJECTED
    assert re.match(r"unpacker error: .*abnormal exit", result.message), result.message


def test_finding_the_refs_that_spoil_a_push_has_an_end(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache, tmp_path: Path
) -> None:
    """A site that refuses everything is not asked for ever."""
    site.hook("pre-receive", f"echo >> {tmp_path}/asked; exit 1")
    main = _fetch(cache, source)["refs/heads/main"]
    many = _creates({f"refs/heads/b{n}": main for n in range(200)})
    pusher = pushing.Pusher(repository=cache.repository, views=cache.folder / "views", remote=_at(site), most=6)
    results = pusher.push(many)
    assert {result.outcome for result in results} == {PushOutcome.REJECTED}
    assert len((tmp_path / "asked").read_text()) <= 7


def test_the_branch_that_head_names_is_not_deleted_before_head_moves(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """Git refuses it; once HEAD names another it goes."""
    main = _fetch(cache, source)["refs/heads/main"]
    cache.push(_at(site), _creates({"refs/heads/main": main, "refs/heads/trunk": main}))
    delete = [RefUpdate(ref="refs/heads/main", old=main, new="")]
    assert cache.push(_at(site), delete)[0].outcome is PushOutcome.REJECTED
    _at(site).set_head("refs/heads/trunk")
    assert cache.push(_at(site), delete)[0].outcome is PushOutcome.UPDATED


def test_a_lock_that_a_killed_git_left_is_removed_when_it_is_old(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """A young one may be somebody's; an old one would refuse this ref for ever."""
    refs = _fetch(cache, source)
    lock = site.path / "refs/heads/main.lock"
    lock.write_text("")
    assert cache.push(_at(site), _creates(refs))[0].outcome is PushOutcome.LOCKED
    assert list((cache.folder / "pushing").iterdir()) == []
    os.utime(lock, (0, 0))
    assert cache.push(_at(site), _creates(refs))[0].outcome is PushOutcome.UPDATED
    assert not lock.exists()


@pytest.mark.parametrize("name", ["refs/heads/main.lock", "refs/heads/other.lock", "HEAD.lock"])
@pytest.mark.parametrize("age", [5.0, 30.0, 160.0], ids=["just now", "since it", "before it"])
def test_a_lock_is_waited_for_no_longer_where_a_push_of_ours_died_since(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache, name: str, age: float
) -> None:
    """It was that push's, whatever is pushed now; one from before it is anybody's, and so is one from just now."""
    refs = _fetch(cache, source)
    lock = site.path / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    os.utime(lock, (time.time() - age, time.time() - age))
    mark = cache._mark(_at(site))
    mark.parent.mkdir()
    mark.touch()
    os.utime(mark, (time.time() - 100, time.time() - 100))
    cache.push(_at(site), _creates(refs))
    assert lock.exists() == mark.exists() == (age != 30.0)


def test_a_push_that_dies_leaves_its_mark_and_one_that_ends_takes_it_away(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark says since when locks there may be ours; a refusal leaves none."""
    refs = _fetch(cache, source)
    cache.push(_at(site), _creates(refs))
    assert list((cache.folder / "pushing").iterdir()) == []

    def dies(*_arguments: object) -> None:
        raise errors.LostWorkError("killed")

    monkeypatch.setattr(pushing.Pusher, "push", dies)
    with pytest.raises(errors.LostWorkError):
        cache.push(_at(site), _creates(refs))
    assert list((cache.folder / "pushing").iterdir()) == [cache._mark(_at(site))]


def test_names_that_fill_the_arguments_of_one_command_take_several(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every ref arrives, however little fits into one push."""
    monkeypatch.setattr(pushing, "_MOST_ARGUMENTS", 600)
    first = source.refs()["refs/heads/main"]
    second = source.commit("refs/heads/main", {"README": "more"})
    _fetch(cache, source)
    names = [f"refs/heads/{'x' * 50}{n}" for n in range(9)]
    cache.push(_at(site), _creates(dict.fromkeys(names, first)))
    cache.push(_at(site), [RefUpdate(ref=name, old=first, new=second) for name in names])
    assert site.refs() == dict.fromkeys(names, second)
    cache.push(_at(site), [RefUpdate(ref=name, old=second, new="") for name in names])
    assert site.refs() == {}


def test_many_new_refs_on_disk_end_up_in_one_file(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache
) -> None:
    """Each loose one would be a file to read, at every look from then on."""
    source.branches(200)
    refs = _fetch(cache, source)
    cache.push(_at(site), _creates(refs))
    assert site.refs() == refs
    assert not list((site.path / "refs/heads").iterdir())


def test_a_push_that_finds_no_repository_says_so(
    source: repositories.Repository, cache: git.Cache, tmp_path: Path
) -> None:
    """It is an error, not a list of refused refs."""
    refs = _fetch(cache, source)
    with git_http.serve(tmp_path) as server, pytest.raises(errors.NotFoundError):
        cache.push(git.Remote(location=f"{server.url}/nowhere.git"), _creates(refs))


@pytest.mark.needs("root")
def test_a_repository_of_another_user_runs_nothing_here(
    source: repositories.Repository, site: repositories.Repository, cache: git.Cache, tmp_path: Path
) -> None:
    """Its hooks would run as us; its own configuration does not win over that."""
    site.hook("pre-receive", f"touch {tmp_path}/ran; exit 1")
    site.git("config", "core.hooksPath", str(site.path / "hooks"))
    for path in (site.path, *site.path.rglob("*")):
        os.chown(path, 65534, 65534)
    results = cache.push(_at(site), _creates(_fetch(cache, source)))
    assert set(_outcomes(results).values()) == {PushOutcome.UPDATED}
    assert not (tmp_path / "ran").exists()


def test_one_writer_at_a_time(cache: git.Cache) -> None:
    """A second one is told so at once, and another site is free."""
    with cache.writer("sejong"), cache.writer("daegu"), pytest.raises(errors.ConflictError), cache.writer("sejong"):
        pass
    with cache.writer("sejong"):
        pass


def test_one_writer_at_a_time_also_among_processes(cache: git.Cache) -> None:
    """The lock is the kernel's: it ends with the process that holds it, however that ends."""
    script = (
        "import sys; from pathlib import Path; from lockstep.sites import git\n"
        "with git.Cache(Path(sys.argv[1])).writer('sejong'):\n"
        "    print(flush=True); sys.stdin.read()\n"
    )
    arguments = [sys.executable, "-c", script, str(cache.folder)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(errors.ConflictError), cache.writer("sejong"):
            pass
        other.kill()
    with cache.writer("sejong"):
        pass


def test_tidying_packs_what_piled_up_and_keeps_every_ref(
    source: repositories.Repository, cache: git.Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what no ref names any more: a run that waits for approval may need it."""
    first = _fetch(cache, source)["refs/heads/main"]
    source.commit("refs/heads/main", {"README": "rewritten"}, orphan=True)
    refs = _fetch(cache, source)
    packs = set(cache.repository.glob("objects/pack/*.pack"))
    cache.tidy()
    assert set(cache.repository.glob("objects/pack/*.pack")) == packs
    monkeypatch.setattr(caches, "_MOST_PACKS", 0)
    cache.tidy()
    assert set(cache.repository.glob("objects/pack/*.pack")) != packs
    assert cache.staged() == refs
    assert cache.has(refs["refs/heads/main"])
    assert cache.has(first)
