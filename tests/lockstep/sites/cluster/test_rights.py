"""The rights that are asked for, as they are handed out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep.sites.cluster import rights

_FOLDER = Path(__file__).parents[4] / "deploy" / "kubernetes"


@pytest.mark.parametrize("name", rights.ACCOUNTS)
def test_the_manifests_are_current(name: str) -> None:
    """They are made from the code: make docs."""
    assert (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8") == rights.text(name)


def test_the_reader_may_write_nothing() -> None:
    """Whoever compares needs no right to change anything."""
    rules = next(one["rules"] for one in rights.reader() if one["kind"] == "ClusterRole")
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_no_right_gives_more_than_it_says() -> None:
    """A star would give ``pods/exec`` and ``nodes/proxy``, with which programs are run."""
    for account in rights.ACCOUNTS.values():
        rules = next(one["rules"] for one in account() if one["kind"] == "ClusterRole")
        named = [name for rule in rules for name in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])]
        assert not [name for name in named if "*" in name or "/" in name]
        assert not {"escalate", "bind", "impersonate"} & set(named)
