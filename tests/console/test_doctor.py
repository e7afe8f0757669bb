"""What the doctor says of a cluster that can be asked what we may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from console import doctor
from lockstep import errors
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey
from tests.support import bank
from tests.support.topologies import topology


@dataclass
class Asked:
    """A cluster that is written to. ``namespaces`` are there; ``refused`` says why nobody may ask for them."""

    namespaces: set[str]
    refused: str = ""
    lacking: dict[str, tuple[str, ...]] = field(default_factory=dict)
    address: str = "https://seoul.example"
    writable: bool = True
    runs: bool = True

    def read(self, _selection: ends.Selection) -> ends.Inventory:
        """Nothing is there."""
        return ends.Inventory(objects=(), read_at=bank.NOW, method="list")

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """A namespace."""
        assert (key.group, api_version, key.kind, key.namespace) == ("", "v1", "Namespace", "")
        if self.refused:
            raise errors.ForbiddenError(self.refused)
        return {"kind": "Namespace"} if key.name in self.namespaces else None

    def lacks(self, _namespace: str) -> dict[str, tuple[str, ...]]:
        """What we may not do."""
        return self.lacking


class Doors:
    """Every site has this cluster."""

    def __init__(self, cluster: Asked) -> None:
        self._cluster = cluster

    def cluster(self, _site: str) -> Asked:
        """It."""
        return self._cluster


def writing(cluster: Asked) -> doctor.Check:
    """What is said of writing in the namespace of an application."""
    found = topology(
        *(("Site", site, {"cluster": {"directory": site}}) for site in ("seoul", "sejong")),
        ("Pair", "pair", {"primary": "seoul", "standby": "sejong"}),
        (
            "Application",
            "pay",
            {
                "source": {"repository": "r", "path": "."},
                "namespace": "pay",
                "protection": {"pair": {"tier": "hot"}},
            },
        ),
    )
    patient = doctor.Patient(topology=found, doors=cast("Any", Doors(cluster)), secrets=cast("Any", None))
    return next(one for one in doctor.examine(patient, site="seoul") if one.what == "cluster: writing in pay")


@pytest.mark.parametrize(
    ("cluster", "absent"),
    [(Asked(set()), True), (Asked({"pay"}), False), (Asked(set(), refused="You may not get namespaces."), False)],
)
def test_a_namespace_that_is_not_there_is_told_beside_what_may_be_done_in_it(cluster: Asked, absent: bool) -> None:
    """No problem, because an application may bring it; where we may not ask, nothing is said of it."""
    check = writing(cluster)
    assert check.problem == ""
    assert check.found.startswith("every built-in kind may be applied")
    assert ("the namespace is not there" in check.found) is absent


def test_a_right_that_is_missing_is_a_problem() -> None:
    """Whether the namespace is there or not."""
    assert "May not delete secrets" in writing(Asked(set(), lacking={"delete": ("secrets",)})).problem
