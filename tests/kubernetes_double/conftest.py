"""A double for each test: what one does to it concerns no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes_double.asking import Asker
from tests.support import kubernetes_double


@pytest.fixture
def double(tmp_path: Path) -> Iterator[kubernetes_double.Double]:
    """A double that runs, over HTTP, with bookmarks in quick succession."""
    with kubernetes_double.serving(tmp_path / "double", tls=False, bookmark_seconds=0.2) as running:
        yield running


@pytest.fixture
def asker(double: kubernetes_double.Double) -> Iterator[Asker]:
    """The admin, who looks at answers closely."""
    made = Asker(double)
    yield made
    made.close()
