"""Any one change of any field that is not excluded by name is found, with its path."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from drift import catalogue, compare, inventory, normalise
from drift.normalise import versions
from lockstep import documents
from lockstep.topology.selectors import write_pointer
from lockstep.values import Json
from tests.drift import golden

EXCLUDED = documents.read((Path(__file__).parent / "excluded.yaml").read_bytes(), file="excluded.yaml")[0].value
Mutation = Callable[[Json], Json]


def _changed(value: Json) -> Json:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 7
    return f"{value}x"


MUTATIONS: dict[str, tuple[type | tuple[type, ...], Mutation]] = {
    "change": ((bool, int, float, str), _changed),
    "type": ((bool, int, float, str), lambda value: {"instead": value}),
    "add a key": (dict, lambda value: {**value, "zzz": "new"}),
    "add an entry": (list, lambda value: [*value, {"name": "zzz"} if value and isinstance(value[0], dict) else "zzz"]),
}


def _places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    if path:
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _places(item, (*path, key))


def _mutated(manifest: dict[str, Json], path: tuple[str | int, ...], mutation: Mutation) -> dict[str, Json]:
    mutant = copy.deepcopy(manifest)
    here: Json = mutant
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = mutation(here[path[-1]])
    return mutant


def _is_excluded(kind: str, pointer: str) -> bool:
    return any(
        fnmatchcase(kind, one["kind"])
        and (fnmatchcase(pointer, one["path"]) or fnmatchcase(pointer, f"{one['path']}/*"))
        for one in EXCLUDED
    )


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


def _survivors(mutation: str) -> tuple[list[str], int]:
    """The mutants that nothing was found in, and how many there were."""
    of_type, change = MUTATIONS[mutation]
    survivors, mutants = [], 0
    for manifest in _manifests():
        key = inventory.key_of(manifest)
        assert key is not None
        kind = "TokenSecret" if manifest.get("type") == "kubernetes.io/service-account-token" else key.kind
        before = normalise.normalise(manifest)
        for path, value in _places(manifest):
            pointer = write_pointer(path)
            if path[0] in ("apiVersion", "kind") or not isinstance(value, of_type) or _is_excluded(kind, pointer):
                continue
            mutants += 1
            after = normalise.normalise(_mutated(manifest, path, change))
            texts = (key.group, key.kind) == ("", "ConfigMap")
            pointers = [field.pointer.partition("#")[0] for field in compare.fields([before, after], texts=texts)]
            if not any(found.startswith(pointer) or pointer.startswith(found) for found in pointers):
                survivors.append(f"{mutation} {key} {pointer}: {pointers}")
    return survivors, mutants


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_no_mutant_survives(mutation: str) -> None:
    """Changes, changes of type and additions at every depth of every manifest in the folders."""
    survivors, mutants = _survivors(mutation)
    assert survivors == []
    assert mutants > 50


def test_what_is_excluded_has_a_row() -> None:
    """Nothing is left out that nobody decided to leave out."""
    rows = {row.id for row in catalogue.ROWS if row.attitude is not catalogue.Attitude.NOT_OURS}
    assert {one["row"] for one in EXCLUDED} <= rows
