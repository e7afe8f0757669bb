"""A bench for each view that this machine has of steps."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from pipelines.local import machine
from pipelines.local.machine import Machine, View
from tests.support.benches import Bench


@pytest.fixture(scope="session")
def looked() -> Machine:
    """What this machine allows."""
    return machine.look()


@pytest.fixture
def bench(tmp_path: Path, looked: Machine) -> Bench:
    """The best that this machine can do."""
    return Bench(folder=tmp_path, looked=looked)


@pytest.fixture(params=["own", "nothing"])
def any_bench(request: pytest.FixtureRequest, tmp_path: Path, looked: Machine) -> Bench:
    """The best that this machine can do, and the least that any machine can."""
    if request.param == "own":
        return Bench(folder=tmp_path, looked=looked)
    # pytest's folders let nobody else in; those above the state directory are the administrator's affair.
    above = Path(tempfile.gettempdir()).resolve()
    for parent in (tmp_path, *tmp_path.parents):
        if above not in parent.resolve().parents:
            break
        parent.chmod(0o755)
    return Bench(folder=tmp_path, looked=Machine(view=View.NOTHING))
