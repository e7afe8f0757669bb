"""Any one change of any field that is not excluded is found, at its place, with its verdict and nothing beside it."""

from __future__ import annotations

import copy
import functools
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from drift import catalogue, compare, normalise
from drift.normalise import versions
from lockstep import documents
from lockstep.topology.selectors import write_pointer
from lockstep.values import Json
from tests.drift import golden
from tests.drift.mutation import changes, described, filling, sampling, trying
from tests.drift.mutation.changes import GONE, Change
from tests.drift.mutation.described import Kind
from tests.drift.mutation.filling import Place
from tests.drift.mutation.trying import Side, Trial
from tests.support.kubernetes_double import openapi, types

SERVED = described.served(openapi.told)
_FEATURES = Path(__file__).parent / "mutation" / "feature.yaml"
FEATURES = list(described.defined(one.value for one in documents.read(_FEATURES.read_bytes(), file=_FEATURES.name)))
KINDS = {kind.title: kind for kind in (*SERVED.kinds, *FEATURES)}
# Of a kind, beside each change on each side; ``python -m tests.drift.mutation --all`` tries every one.
_MOST = 30
# Validation refuses nothing there, so nobody has it in git and a site has not.
_NEVER_EMPTY = ("/spec/controller", "/spec/group", "/spec/policyName", "/spec/version", "*/name", "*/claims/*/request")


@pytest.mark.parametrize("title", KINDS)
def test_no_change_of_any_kind_is_missed_or_misplaced(title: str) -> None:
    """Every kind that is served, every kind of change, every side; and what says the same finds nothing."""
    tally = sampling.tried(sampling.sample(KINDS[title], most=_MOST))
    assert tally.wrong == []
    assert tally.found == tally.tried > 40
    assert tally.silent == sum(tally.rows.values())


def test_every_kind_that_is_served_has_a_schema() -> None:
    """A kind that nobody describes would be a kind that nothing is tried of."""
    assert SERVED.undescribed == ()
    assert len(SERVED.kinds) == 48
    assert set(changes.names()) == {
        change.name for kind in FEATURES for place in kind.whole[1] for change in changes.changes(place)
    }


def test_a_field_that_nobody_looks_at_would_be_missed() -> None:
    """The trial itself fails where a change is not found: a status is looked at by nobody."""
    (status,) = (place for place in KINDS["v1 Service"].whole[1] if place.path == ("status",))
    change = Change("with a new key", status.value, {**status.value, "zzz": "new"})
    unseen = Trial(kind=KINDS["v1 Service"], place=status, change=change, side=Side.STANDBY)
    assert trying.wrong(unseen) == "not found"


@pytest.mark.parametrize("table", ["excluded.yaml", "orders.yaml", "following.yaml"])
def test_what_is_excluded_has_a_row(table: str) -> None:
    """Nothing is left out that nobody decided to leave out."""
    rows = {row.id for row in catalogue.ROWS if row.attitude is not catalogue.Attitude.NOT_OURS}
    listed = documents.read((Path(__file__).parent / table).read_bytes(), file=table)[0].value
    assert {one["row"] for one in listed} <= rows


@pytest.mark.parametrize("title", KINDS)
def test_a_whole_object_is_itself(title: str) -> None:
    """Compared with itself nothing is found, and normalised twice it is what it was, with every field of its kind."""
    kind = KINDS[title]
    whole = golden.SEALER.seal(kind.whole[0])
    once = normalise.normalise(whole, schemas=kind.schemas)
    assert compare.fields([once, normalise.normalise(copy.deepcopy(whole), schemas=kind.schemas)], texts=True) == []
    assert normalise.normalise(normalise.plain(once.tree), schemas=kind.schemas).encoded == once.encoded


def test_nothing_is_left_out_that_is_nowhere() -> None:
    """Each entry of the frozen lists is about a place of some kind, or of some manifest of the folders."""
    places = {(kind.kind, write_pointer(place.path)) for kind in KINDS.values() for place in kind.whole[1]}
    places |= {(_named(one), write_pointer(path)) for one in _manifests() for path, _ in filling.walk(one) if path}
    entries = [*trying.EXCLUDED, *trying.ORDERS, *trying.FOLLOWING]
    stale = [
        entry
        for entry in entries
        if not any(fnmatchcase(kind, entry["kind"]) and fnmatchcase(at, entry["path"]) for kind, at in places)
    ]
    assert stale == []


@functools.cache
def _zeros() -> list[Trial]:
    """The zero of every field that a server leaves out when it is one, in git, while the sites have nothing."""
    empty: dict[str, Json] = {"text": "", "number": 0, "flag": False, "mapping": {}, "map": [], "set": [], "atomic": []}
    found: dict[tuple[str, ...], Trial] = {}
    for kind in SERVED.kinds:
        top = types.built_in(kind.group, kind.version, kind.kind)
        for place in kind.whole[1]:
            if place.what in empty and place.path[0] != "status" and _leaves_out(top, place):
                trial = Trial(kind=kind, place=place, change=Change("zero", GONE, empty[place.what]), side=Side.GIT)
                found.setdefault((kind.kind, *(str(step) for step in place.path[-3:])), trial)
    return list(found.values())


def _leaves_out(top: types.Type, place: Place) -> bool:
    owner: types.Type | None = top
    for step in place.path[:-1]:
        owner = None if owner is None else owner.item if isinstance(step, int) else owner.under(step)
    name = place.path[-1]
    if owner is None or not isinstance(name, str) or name not in owner.fields:
        return False
    return name not in owner.pointers | owner.shown | owner.required


def test_a_zero_that_the_server_leaves_out_is_no_difference() -> None:
    """N08: charts write empty texts and lists, and flags that are off, which no server keeps."""
    tried = [one for one in _zeros() if not any(fnmatchcase(write_pointer(one.place.path), at) for at in _NEVER_EMPTY)]
    assert len(tried) > 600
    assert [str(one) for one in tried[::3] if trying.differences(one)] == []


def _named(manifest: dict[str, Json]) -> str:
    """What ``excluded.yaml`` calls the kind of a manifest: some are told apart by what is in them."""
    kind = str(manifest["kind"])
    told = {
        "Secret": manifest.get("type") == "kubernetes.io/service-account-token" and "TokenSecret",
        "ServiceAccount": "secrets" in manifest and "TokenAccount",
        "Pod": "tolerations" in manifest.get("spec", {}) and "TokenPod",
        "ClusterRole": "aggregationRule" in manifest and "AggregatedRole",
    }
    return told.get(kind) or kind


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


def test_no_change_of_a_real_manifest_is_missed() -> None:
    """At every depth of every manifest in the folders, between two sites; what is excluded by name is not."""
    missed, tried = [], 0
    for manifest in _manifests():
        before = normalise.normalise(manifest)
        for path, value in filling.walk(manifest):
            if not path or path[0] in ("apiVersion", "kind") or value is None or isinstance(value, list):
                continue
            pointer = write_pointer(path)
            silent = trying.excluded_by(_named(manifest), path, alone=True)
            after = normalise.normalise(_with(manifest, path, value))
            found = compare.fields([before, after], texts=manifest["kind"] == "ConfigMap")
            places = [one.pointer.partition("#")[0] for one in found]
            tried += 1
            if not silent and not any(trying.is_at(one, pointer) for one in places):
                missed.append(f"{manifest['kind']} {manifest['metadata']}: {pointer}")
    assert missed == []
    assert tried > 1000


def _with(manifest: dict[str, Json], path: filling.Path, value: Json) -> dict[str, Json]:
    """A copy with another value at a place, or with a new key in the mapping there."""
    mutant = copy.deepcopy(manifest)
    here: Json = mutant
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = {**value, "zzz": "new"} if isinstance(value, dict) else {"instead": value}
    return mutant


def test_a_kind_is_filled_in_to_its_last_field() -> None:
    """What is tried is what is there: a Deployment has more than a thousand places, and each of their sorts."""
    kind: Kind = KINDS["apps/v1 Deployment"]
    assert len(kind.whole[1]) > 1500
    assert {place.what for place in kind.whole[1]} >= {"text", "number", "flag", "quantity", "map", "set", "atomic"}
