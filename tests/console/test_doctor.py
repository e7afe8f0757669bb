"""What the doctor says of a cluster that can be asked what we may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from console import doctor
from lockstep import errors
from lockstep.sites import ends
from lockstep.topology import kinds
from lockstep.values import Json, ObjectKey
from tests.support import bank, fulcio
from tests.support.images import new_store
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

    def may_foresee(self, _key: ObjectKey, *, api_version: str, seconds: float) -> bool:
        """Nobody asks here."""
        raise AssertionError(api_version, seconds)

    def foresee(self, manifest: Mapping[str, Json], *, seconds: float) -> dict[str, Json]:
        """Nobody asks here."""
        raise AssertionError(manifest, seconds)


class Doors:
    """Every site has this cluster."""

    def __init__(self, cluster: Asked) -> None:
        self._cluster = cluster

    def cluster(self, _site: str) -> Asked:
        """It."""
        return self._cluster


class Counting(Asked):
    """A cluster that is asked how much it has, and never for all of it. ``ahead`` is how far its clock is."""

    ahead: float | None = None

    def read(self, _selection: ends.Selection) -> ends.Inventory:
        """Nobody needs it."""
        raise AssertionError("everything was read only to be counted")

    def count(self, selection: ends.Selection) -> ends.Counted:
        """Some objects, and a kind that may not be listed."""
        assert selection.namespaces == frozenset({"pay"})
        gap = ends.Gap(what="secrets in pay", why="You may not list secrets.")
        return ends.Counted(objects=12_345, method="list", gaps=(gap,), ahead_seconds=self.ahead)


def writing(cluster: Asked) -> doctor.Check:
    """What is said of writing in the namespace of an application."""
    return checks(cluster)["cluster: writing in pay"]


def checks(cluster: Asked, **how: str) -> dict[str, doctor.Check]:
    """Everything that is said of a site whose cluster is configured so."""
    found = topology(
        *(("Site", site, {"cluster": {"inCluster": True, **how}}) for site in ("seoul", "sejong")),
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
    return {one.what: one for one in doctor.examine(patient, site="seoul")}


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


def test_objects_are_counted_without_reading_them() -> None:
    """And what could not be listed is named, as it is when it is read."""
    counted, gap, *_ = checks(Counting({"pay"})).values()
    assert counted.found == "12345 objects in 1 namespaces, by list"
    assert (gap.what, gap.problem) == ("cluster: secrets in pay", "You may not list secrets.")


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (None, None),
        (1.2, ""),
        (-59.0, ""),
        (3 * 3600.0, "It is 3h ahead of the clock of this machine."),
        (-120.0, "It is 2m behind the clock of this machine."),
    ],
)
def test_clocks_that_differ_are_told(ahead: float | None, says: str | None) -> None:
    """In which direction, and how far; a second is the way of the answer, and a server without a date says nothing."""
    cluster = Counting({"pay"})
    cluster.ahead = ahead
    told = [one for what, one in checks(cluster).items() if what == "cluster: clock"]
    assert [one.problem[: len(says or "")] for one in told] == ([] if says is None else [says])
    assert all(bool(one.problem) is bool(says) for one in told)


@dataclass
class Trusting:
    """Images come from a directory; these keys and this root are trusted."""

    keys: dict[str, str]
    root: str
    store: ends.ImageStore

    def signers(self, _mirror: kinds.ImageMirror) -> dict[str, str]:
        """The keys."""
        return self.keys

    def trusted_root(self, _keyless: kinds.Keyless) -> str:
        """The root."""
        return self.root

    def images(self, _site: str) -> ends.ImageStore:
        """The directory."""
        return self.store

    image_source = images


@pytest.mark.parametrize(
    ("keys", "root", "says"),
    [
        ({"k.pub": "-----BEGIN NOTHING-----"}, "{}", "No public key can be read from k.pub."),
        ({}, "{}", "No trusted root can be read from the file root.json."),
        ({}, fulcio.House().trusted_root(), ""),
    ],
    ids=["no key", "no root", "an identity"],
)
def test_who_signs_images_is_tried_before_an_image_waits(
    tmp_path: Path, keys: dict[str, str], root: str, says: str
) -> None:
    """A key that is none, or a root that is none, is found now and not by the first new image."""
    identity = {"identity": "ada@bank.example", "issuer": "https://id.example", "trustedRoot": {"file": "root.json"}}
    spec = {"source": {"url": "https://registry.example"}, "repositories": ["pay/*"], "sites": ["sejong"]}
    site = ("Site", "sejong", {"registry": {"layout": "/x", "imagePrefix": "registry.example"}})
    found = topology(site, ("ImageMirror", "pay", {**spec, "signed": {"keyless": [identity]}}))
    doors = Trusting(keys, root, new_store(tmp_path))
    patient = doctor.Patient(topology=found, doors=cast("Any", doors), secrets=cast("Any", None))
    (check,) = [one for one in doctor.examine(patient) if one.what == "who signs the images of pay"]
    assert check.problem.partition(" Give")[0] == says
    assert check.found == ("" if says else "ada@bank.example (of https://id.example)")


def test_the_right_that_a_dry_run_needs_is_named_where_it_is_missing() -> None:
    """Unless nobody asks for dry runs there; another right that is missing has nothing to do with them."""
    told = checks(Asked({"pay"}, lacking={"patch": ("deployments.apps",)}))["cluster: dry runs in pay"]
    assert "May not patch deployments.apps" in told.problem
    assert told.leaves == "these kinds at seoul to our rules alone"
    assert checks(Asked({"pay"}, lacking={"delete": ("secrets",)}))["cluster: dry runs in pay"].problem == ""
    never = checks(Asked({"pay"}, lacking={"patch": ("secrets",)}), serverSideDryRun="never")
    assert "cluster: dry runs in pay" not in never
