"""Who somebody is to git."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import git

PLACES = {"PATH": os.environ["PATH"]}


def test_an_author_is_as_git_is_told(tmp_path: Path) -> None:
    """By their configuration, or by the variables that git itself reads."""
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = 김하나\n\temail = hana@bank.example\n", encoding="utf-8")
    home = {**PLACES, "HOME": str(tmp_path)}
    assert git.author(home) == "김하나 <hana@bank.example>"
    told = {"GIT_AUTHOR_NAME": "Kim", "GIT_AUTHOR_EMAIL": "kim@bank.example"}
    assert git.author({**home, **told}) == "Kim <kim@bank.example>"


def test_nobody_is_made_up_from_the_name_of_the_machine(tmp_path: Path) -> None:
    """Whom git does not know is asked, with both ways to say it."""
    with pytest.raises(errors.InputError, match="does not know who you are") as refused:
        git.author({**PLACES, "HOME": str(tmp_path), "USER": "root"})
    assert "--author" in refused.value.remedy
    assert "git config --global" in refused.value.remedy
