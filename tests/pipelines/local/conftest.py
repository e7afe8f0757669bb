"""A bench for each view that this machine has of steps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
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
def any_bench(request: pytest.FixtureRequest, tmp_path: Path, looked: Machine) -> Iterator[Bench]:
    """The best that this machine can do, and the least that any machine can."""
    if request.param == "own":
        yield Bench(folder=tmp_path, looked=looked)
        return
    # pytest lets nobody else into its folders, and closes them again whenever another session starts.
    with tempfile.TemporaryDirectory(prefix="lockstep-steps-") as folder:
        Path(folder).chmod(0o755)
        yield Bench(folder=Path(folder), looked=Machine(view=View.NOTHING))
