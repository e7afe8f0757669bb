"""Registries to talk to: the real docker-registry, and one that does what a test's script says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import mini_registry, registries


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[registries.Registry]:
    """One for all tests: each takes a repository of its own."""
    with registries.serve(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def mini() -> Iterator[mini_registry.Scripted]:
    """One that follows the specification until its script is set."""
    with mini_registry.serve() as running:
        yield running
