"""A source repository, a site and our own copy, all on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep.sites import git
from tests.support import repositories


@pytest.fixture
def source(tmp_path: Path) -> repositories.Repository:
    """A repository with one commit on ``main``."""
    repository = repositories.Repository.make(tmp_path / "forge/bank/pay.git")
    repository.commit("refs/heads/main", {"README": "hello"})
    return repository


@pytest.fixture
def site(tmp_path: Path) -> repositories.Repository:
    """An empty repository at a site."""
    return repositories.Repository.make(tmp_path / "site/bank/pay.git")


@pytest.fixture
def cache(tmp_path: Path) -> git.Cache:
    """Our own copy, not made yet."""
    return git.open_cache(tmp_path / "state/git", "bank/pay")
