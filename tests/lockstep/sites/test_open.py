"""Ends are opened as the configuration in force says, once, and what a site lacks is refused by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lockstep import errors, settings
from lockstep.sites.open import Doors
from lockstep.topology.secrets import Reader
from tests.support.topologies import topology


@pytest.fixture
def doors(tmp_path: Path) -> Callable[[dict[str, Any]], Doors]:
    """Doors to a configuration whose only site is as it is given."""

    def make(site: dict[str, Any]) -> Doors:
        found = topology(("Site", "seoul", site), directory=tmp_path)
        places = settings.Places(config=tmp_path, state=tmp_path / "state", database="sqlite://")
        return Doors(lambda: found, reader=Reader(tmp_path, {}), places=places)

    return make


def test_an_end_that_a_site_lacks_is_refused_with_where_to_write_it(doors: Callable[[dict[str, Any]], Doors]) -> None:
    """Nothing is skipped because it is not there."""
    made = doors({"git": {"directory": "git"}})
    with pytest.raises(errors.UnsupportedError, match=r"seoul has no registry.*spec\.registry"):
        made.images("seoul")
    with pytest.raises(errors.UnsupportedError, match=r"seoul has no cluster.*spec\.cluster"):
        made.cluster("seoul")
    with pytest.raises(errors.NotFoundError, match="seoul"):
        made.images("busan")
    assert made.archive("seoul") is None


def test_an_end_is_opened_once_while_the_configuration_stays(tmp_path: Path) -> None:
    """Connections and what is remembered of an end live as long as what is said of it."""
    found = topology(("Site", "seoul", {"cluster": {"directory": "cluster"}}), directory=tmp_path)
    places = settings.Places(config=tmp_path, state=tmp_path / "state", database="sqlite://")
    made = Doors(lambda: found, reader=Reader(tmp_path, {}), places=places)
    first = made.cluster("seoul")
    assert made.cluster("seoul") is first
    found = replace(found, digest="changed")
    assert made.cluster("seoul") is not first


def test_who_has_no_api_server_does_not_wait_for_its_client() -> None:
    """Commands start sooner: the client of Kubernetes is imported when a cluster is opened."""
    look = "import sys, lockstep.sites.open; sys.exit('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
