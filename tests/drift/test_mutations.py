"""Any one change of any field that is not excluded by name is found, with its path."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift import catalogue, normalise
from drift.normalise import versions
from lockstep import documents
from lockstep.values import Json
from tests.drift import everything, golden, mutants

KINDS = everything.kinds()
# Kinds around a Pod have four thousand places each: their changes are drawn. ``tests.drift.mutants`` tries them all.
WORKLOADS = {
    *("CronJob", "DaemonSet", "Deployment", "Job", "Pod", "PodTemplate"),
    *("ReplicaSet", "ReplicationController", "StatefulSet"),
}


def _manifests() -> list[dict[str, Json]]:
    """Every manifest of the folders once, by what is in it."""
    found: dict[bytes, dict[str, Json]] = {}
    for folder in sorted(golden.FOLDER.iterdir()):
        case = golden.Case.read(folder)
        for manifest in [*case.git[0], *case.primary, *case.standby]:
            sealed = golden.SEALER.seal(manifest)
            # What is brought to a newer version has other paths there; G9 shows those.
            if versions.convert(sealed) is sealed:
                found.setdefault(documents.canonical(sealed), sealed)
    return list(found.values())


def test_no_mutant_of_a_real_manifest_survives() -> None:
    """Changes and additions at every depth of every manifest in the folders; what they lose may be a default."""
    among = [one for one in mutants.MUTATIONS if one.name not in ("lost", "in another order")]
    scores = [mutants.score(f"{one['kind']} {one['metadata']}", one, among=among) for one in _manifests()]
    assert [survivor for _, survivors in scores for survivor in survivors] == []
    assert sum(tried for tried, _ in scores) > 1000


@pytest.mark.parametrize("kind", sorted(set(KINDS) - WORKLOADS))
def test_no_mutant_of_a_whole_object_survives(kind: str) -> None:
    """Fields that the published schema of a kind has, wherever they are, changed in one way or another."""
    tried, survivors = mutants.score(kind, everything.manifest(kind, KINDS[kind]), most=120)
    assert survivors == []
    assert tried > 15


@functools.cache
def _workload(kind: str) -> tuple[dict[str, Json], normalise.Normal, list[tuple[Any, ...]]]:
    manifest = everything.manifest(kind, KINDS[kind])
    return manifest, normalise.normalise(manifest), list(mutants.mutants(manifest))


@settings(max_examples=50)
@given(st.sampled_from(sorted(WORKLOADS)), st.data())
def test_no_mutant_of_a_whole_workload_survives(kind: str, data: st.DataObject) -> None:
    """Whichever field of whichever kind around a Pod is changed, lost, added to or put in another order."""
    manifest, before, changes = _workload(kind)
    path, mutation = changes[data.draw(st.integers(0, len(changes) - 1))]
    assert mutants.is_found(manifest, before, path, mutation)


def test_what_is_excluded_has_a_row() -> None:
    """Nothing is left out that nobody decided to leave out."""
    rows = {row.id for row in catalogue.ROWS if row.attitude is not catalogue.Attitude.NOT_OURS}
    assert {one["row"] for one in mutants.EXCLUDED} <= rows
