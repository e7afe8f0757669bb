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
