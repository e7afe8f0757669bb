"""Objects that git would not make: a forge that something else wrote to, or somebody with a purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep import errors
from lockstep.store import mirrors
from lockstep.store.database import Database
from tests.support.mirrored import World

_EMPTY_TREE = bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904")


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (b"40000 .git\0" + _EMPTY_TREE, "contains '.git'"),
        (b"40000 ..\0" + _EMPTY_TREE, "contains '..'"),
        (b"100644 a\0" + bytes(20), "lacks objects that its refs need"),
    ],
    ids=["a folder of git's own", "the folder above", "no object"],
)
def test_a_tree_that_would_harm_who_checks_it_out_reaches_no_site(
    tmp_path: Path, file_database: Database, tree: bytes, said: str
) -> None:
    """It fails git's own check: the source is named with what is wrong, and the sites keep what they had."""
    world = World(tmp_path, file_database)
    world.walk()
    before = {site: (world.site(site).refs(), world.site(site).objects()) for site in ("seoul", "sejong")}
    made = world.source.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=tree).strip()
    who = "A <a@bank.example> 1700000000 +0000"
    commit = f"tree {made}\nauthor {who}\ncommitter {who}\n\nx\n".encode()
    world.source.point(
        "refs/heads/bad", world.source.git("hash-object", "-w", "-t", "commit", "--stdin", stdin=commit).strip()
    )
    with pytest.raises(errors.IntegrityError, match=said):
        world.walk()
    with file_database.read() as connection:
        source = mirrors.source(connection, "bank/pay")
    assert source is not None
    assert said in source.problem
    world.distribute()
    assert {site: (world.site(site).refs(), world.site(site).objects()) for site in before} == before


_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_WHO = "A <a@bank.example> 1700000000 +0000"
_HARMLESS = {
    "badDate": "A <a@bank.example> <a@bank.example> 1305038239 -0700",
    "badDateOverflow": "A <a@bank.example> 99999999999999999999 +0000",
    "badEmail": "A <a@bank.example",
    "badTimezone": "A <a@bank.example> 1313584730 +051800",
    "missingEmail": "A 1700000000 +0000",
    "missingNameBeforeEmail": "<> 1155990057 +0000",
    "missingSpaceBeforeDate": "A <a@bank.example>1700000000 +0000",
    "missingSpaceBeforeEmail": "A<a@bank.example> 1700000000 +0000",
    "multipleAuthors": f"{_WHO}\nauthor {_WHO}",
    "zeroPaddedDate": "A <a@bank.example> 01700000000 +0000",
}


def _commit(world: World, tree: str, author: str = _WHO) -> str:
    text = f"tree {tree}\nauthor {author}\ncommitter {_WHO}\n\nx\n".encode()
    return world.source.git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", stdin=text).strip()


def _made(world: World, kind: str, content: bytes) -> str:
    return world.source.git("hash-object", "-w", "-t", kind, "--literally", "--stdin", stdin=content).strip()


def test_old_faults_that_harm_nobody_reach_every_site_and_are_named(
    tmp_path: Path, file_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Real repositories have them for ever: who and when, as old tools wrote it, and modes with a zero too many."""
    world = World(tmp_path, file_database)
    _made(world, "tree", b"")
    blob = _made(world, "blob", b"x")
    padded = _made(world, "tree", b"0100644 a\0" + bytes.fromhex(blob))
    world.source.point("refs/heads/zeroPaddedFilemode", _commit(world, padded))
    for name, author in _HARMLESS.items():
        world.source.point(f"refs/heads/{name}", _commit(world, _TREE, author))
    world.walk()
    assert world.states() == dict.fromkeys(("seoul", "sejong", "daegu"), "equal")
    (said,) = [record.getMessage() for record in caplog.records if "let through" in record.getMessage()]
    for name in (*_HARMLESS, "zeroPaddedFilemode"):
        assert f"{name} in " in said
        assert world.doors.git_cache("bank/pay").log(f"refs/heads/{name}")
    assert said.count(" in 1 object (") == len(_HARMLESS) + 1
    caplog.clear()
    world.walk()
    assert not caplog.records


def test_a_harmless_fault_hides_no_other(tmp_path: Path, file_database: Database) -> None:
    """Of a commit that has one, the tree is still looked at; and what is told of the one goes no further."""
    world = World(tmp_path, file_database)
    bad = _made(world, "tree", b"0100644 .git\0" + bytes.fromhex(_made(world, "blob", b"x")))
    world.source.point("refs/heads/bad", _commit(world, bad, _HARMLESS["badDate"]))
    with pytest.raises(errors.IntegrityError, match=r"contains '\.git'") as raised:
        world.walk()
    assert "badDate" not in str(raised.value)


@pytest.mark.parametrize(
    ("mode", "name", "content", "said"),
    [
        (b"120000", b".gitmodules", b"elsewhere", "gitmodulesSymlink"),
        (b"100644", b".gitmodules", b'[submodule "../x"]\n\tpath = a\n\turl = https://x/\n', "gitmodulesName"),
        (b"100644", b".gitmodules", b'[submodule "x"]\n\tpath = a\n\turl = -u./payload\n', "gitmodulesUrl"),
        (b"100644", b".GIT", b"x", "hasDotgit"),
        (b"100644", b"git~1", b"x", "hasDotgit"),
        (b"100644", b"", b"x", "empty filename"),
        (b"100644", b"a/b", b"x", "fullPathname"),
        (b"100644", b"a\0<blob>100644 a", b"x", "duplicateEntries"),
        (b"100644", b"b\0<blob>100644 a", b"x", "treeNotSorted"),
    ],
    ids=["link", "name", "url", "dotgit in capitals", "dotgit of old", "no name", "path", "twice", "order"],
)
def test_what_can_harm_who_checks_it_out_is_refused(
    tmp_path: Path, file_database: Database, mode: bytes, name: bytes, content: bytes, said: str
) -> None:
    """Names, links, submodules and the order of a tree are what attacks are made of: nothing of it is let through."""
    world = World(tmp_path, file_database)
    blob = bytes.fromhex(_made(world, "blob", content))
    tree = mode + b" " + name.replace(b"<blob>", blob) + b"\0" + blob
    world.source.point("refs/heads/bad", _commit(world, _made(world, "tree", tree)))
    with pytest.raises(errors.IntegrityError, match=said):
        world.walk()
